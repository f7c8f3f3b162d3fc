"""A page that reads in the visitor's browser, without a server: the files of web/, both networks and their settings.

The page computes the same LiteRT files as `svhn.Reader`. What both sides have to agree on is written into settings.json
from the constants of this package, so that it stands in one place.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import svhn
from svhn import confidence
from svhn.errors import UserError, quote
from svhn.images.decoding import MEGAPIXELS
from svhn.reading import columns, pieces, results, search, windows
from svhn.reading.engine import LOADERS, Network
from svhn.reading.reader import Reader
from svhn.reading.web import EXAMPLES
from svhn.runtime.files import write_json
from svhn.runtime.holding import hold_file

PROJECT = Path(__file__).parents[2]
SOURCES = PROJECT / "web"  # in a clone of the project; an installed package has no such folder
PACKAGES = SOURCES / "node_modules/@litertjs"
ENDINGS = (".html", ".css", ".js", ".svg")
BUILDS = ("litert_wasm_internal", "litert_wasm_compat_internal")  # of LiteRT; the browser loads one of them
NETWORKS = ("reader", "finder")  # names of their files
NOTICE = "NOTICE.txt"  # in a released run's folder: whose weights the network began with, and their license
UTILITIES = '"@litertjs/wasm-utils"'  # what core.js imports; a browser finds it by its path only
SEARCH_CONSTANTS = (
    *("LEAST_HINT", "FIRST_LEVELS", "LEAST_PROBABILITY"),
    *("SAME_NUMBER", "MOST_NUMBERS", "WIDER_VIEW", "LARGER", "SAME_BOX", "SAME_WINDOW"),
)
WINDOW_CONSTANTS = (
    *("ASPECT_RATIO", "LEAST_RATIO", "MIN_WINDOW_WIDTH", "MAX_WINDOWS_ACROSS", "WIDER"),
    *("MIN_STRIP_WINDOW_WIDTH", "MAX_STRIP_WINDOWS", "CONTEXT_SCALES", "CLOSER_SIZES"),
)
RESULT_CONSTANTS = ("SAME_ANSWER", "PART_COVER", "WHOLE_SHARE")
COLUMN_CONSTANTS = (
    *("LEAST_HEIGHT", "COUNTS", "GAPS", "ASPECT_RATIOS", "PART_MARGIN", "MOST_COLUMNS"),
    *("LEAST_PIECE", "MOST_ASIDE", "PIECE_GAPS", "MOST_HEIGHTS"),
)
PIECE_CONSTANTS = ("LEAST_CONFIDENCE", "LEAST_LEVEL", "MOST_PIECES", "MOST_RUNS", "ROW", "COLUMN")
CONFIDENCE_CONSTANTS = ("ODDS_SHARE", "ODDS_EXPONENT", "NEEDED_EXPONENT")
SAME = 1e-4  # most by which a network's outputs differ once its number of images is fixed


def write_page(reader: Reader, target: Path) -> int:
    """Write the page's folder, and check the networks in it. Returns its size in bytes.

    Args:
        reader: computes both of its networks with LiteRT.
        target: the folder; an earlier page there is replaced.

    Raises:
        UserError: the folder is taken or written by another process, a file of the page is missing, or a network
            answers otherwise once it is in the page.
    """
    _check_sources()
    if not target.name or (target.exists() and not target.is_dir()):
        raise UserError(f"--output={target}: expected the name of a folder")
    target = target.resolve()  # a link stays one
    with hold_file(target, "name another --output"):
        unfinished = target.with_name(f".unfinished-{target.name}")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            _fill_page(reader, unfinished)
            _remove_earlier(target, unfinished)
            unfinished.replace(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return sum((target / name).stat().st_size for name in _list_files(target))


def _check_sources() -> None:
    if not SOURCES.is_dir():
        raise UserError(
            f"{SOURCES} is missing: the page is made in a clone of the project: run `make web` there, or "
            "`pip install -e .`"
        )
    if not PACKAGES.is_dir():
        raise UserError(f"{PACKAGES} is missing: run `npm ci` in {SOURCES}, or `make web`, which does it")


def _fill_page(reader: Reader, folder: Path) -> None:
    (folder / "litert").mkdir(parents=True)
    for path in SOURCES.iterdir():
        if path.suffix in ENDINGS:
            shutil.copy(path, folder)
    shutil.copy(PROJECT / "LICENSE", folder)
    _copy_runtime(folder / "litert")
    shutil.copytree(EXAMPLES, folder / "examples")
    for name, network in zip(NETWORKS, (reader.network, reader.finder), strict=True):
        _write_network(folder / f"{name}.tflite", network)
        _copy_notice(folder / _name_notice(name), network)
    write_json(folder / "settings.json", make_settings(reader))


def _remove_earlier(target: Path, new: Path) -> None:
    """Remove an earlier page. Raises `UserError` if the folder holds a file that no page of this program has."""
    foreign = sorted(_list_files(target) - _list_files(new) - {*map(_name_notice, NETWORKS)})
    if foreign:
        raise UserError(
            f"--output={target} holds {quote(foreign[0])}, no file of the page: move it, or name another folder"
        )
    if target.exists():
        shutil.rmtree(target)


def _list_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def _copy_runtime(folder: Path) -> None:
    for build in BUILDS:
        for ending in (".js", ".wasm"):
            shutil.copy(PACKAGES / "core/wasm" / (build + ending), folder)
    shutil.copy(PACKAGES / "wasm-utils/dist/index.js", folder / "wasm-utils.js")
    core = (PACKAGES / "core/dist/index.js").read_text(encoding="utf-8")
    (folder / "core.js").write_text(core.replace(UTILITIES, '"./wasm-utils.js"'), encoding="utf-8")


def make_settings(reader: Reader) -> dict[str, Any]:
    """What the page's JavaScript takes from this package, in values that JSON can hold."""
    return {
        "version": svhn.__version__,
        "megapixels": MEGAPIXELS,
        "examples": sorted(path.name for path in EXAMPLES.glob("*.jpg")),
        "threshold": reader.threshold,
        "finder": _describe_network("finder", reader.finder),
        "reader": {**_describe_network("reader", reader.network), "margin": reader.network.records.margin},
        "search": {**_list_constants(search, SEARCH_CONSTANTS), "windows": _list_constants(windows, WINDOW_CONSTANTS)},
        "results": _list_constants(results, RESULT_CONSTANTS),
        "columns": _list_constants(columns, COLUMN_CONSTANTS),
        "pieces": _list_constants(pieces, PIECE_CONSTANTS),
        "confidence": _list_constants(confidence, CONFIDENCE_CONSTANTS),
    }


def _list_constants(module: ModuleType, names: Iterable[str]) -> dict[str, Any]:
    return {name.lower(): getattr(module, name) for name in names}


def _describe_network(name: str, network: Network) -> dict[str, Any]:
    return {"file": f"./{name}.tflite", "size": network.records.size, "channels": network.records.channels}


def _write_network(path: Path, network: Network) -> None:
    """Write a network's file for one image at a time. Raises `UserError` if it then answers otherwise."""
    assert network.file is not None, "LiteRT computes files alone"
    path.write_bytes(fix_batch_size(network.file.read_bytes()))
    height, width = network.records.size
    image = np.linspace(0, 255, height * width * network.records.channels).astype(np.uint8)
    images = image.reshape(1, height, width, network.records.channels)
    expected, found = network.compute(images), LOADERS["litert"](path)(images)
    if not all(np.allclose(found[name], expected[name], rtol=0, atol=SAME) for name in expected):
        raise UserError(
            f"{network.file} answers otherwise once it takes one image at a time: no page was written; export "
            f"{network.name} in another --format"
        )


def _name_notice(name: str) -> str:
    return f"{name}-{NOTICE}"


def _copy_notice(path: Path, network: Network) -> None:
    """Copy the notice that lies beside a network's file, if one does: it goes where the weights go."""
    assert network.file is not None, "LiteRT computes files alone"
    notice = network.file.with_name(NOTICE)
    if notice.exists():
        shutil.copy(notice, path)


def fix_batch_size(content: bytes) -> bytes:
    """The content of a LiteRT file, made to take one image.

    An exported file takes any number of images. LiteRT.js refuses all images of such a file, since it compares their
    number with -1, which stands for any number.
    """
    from ai_edge_litert import schema_py_generated as schema

    changed = bytearray(content)
    graph: Any = schema.Model.GetRootAs(changed).Subgraphs(0)
    for index in (*graph.InputsAsNumpy(), *graph.OutputsAsNumpy()):
        tensor = graph.Tensors(index)
        if tensor.ShapeSignatureLength():
            tensor.ShapeSignatureAsNumpy()[:] = tensor.ShapeAsNumpy()
    return bytes(changed)
