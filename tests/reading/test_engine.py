"""Engines: which of them reads a run, that all of them read the same, and what is wrong with a file."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.digit_records import make_info, paths_of
from support.program import ROOT, call, last_line
from support.shelf import copy_run

import svhn
from svhn.cli.flag_table import CHOICES
from svhn.config import READER, RELEASED, Paths
from svhn.errors import UserError
from svhn.reading import engine
from svhn.reading.engine import Network, load_network
from svhn.runs.exported import BUNDLED, get_description_path, read_description
from svhn.runs.steps import list_steps
from svhn.runs.stored import read_config
from svhn.runtime.files import compute_sha256

PICTURE = ROOT / "svhn/examples/208.jpg"
NETWORKS = [RELEASED, RELEASED / "finder"]
LARGE = RELEASED / "released-large"


def copy_released(folder: Path) -> Paths:
    """The smaller bundled reader as a run of one's own, without the others."""
    shutil.copytree(RELEASED, folder / "checkpoints/mine", ignore=shutil.ignore_patterns("finder", "released-large"))
    return paths_in(folder)


def fake_network() -> Network:
    return Network("fake", lambda _: {}, make_info(), 0.5, locates=False, engine="fake")


def paths_in(folder: Path) -> Paths:
    return Paths(name="mine", checkpoints_dir=str(folder / "checkpoints"), results_dir=str(folder / "results"))


@pytest.fixture
def without_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda name: None if name == "tensorflow" else find_spec(name))


@pytest.mark.parametrize("folder", [*NETWORKS, LARGE], ids=lambda folder: folder.name)
def test_the_bundled_files_are_of_the_bundled_weights(folder: Path) -> None:
    """8-bit weights are too few for the larger network."""
    described = read_description(folder / BUNDLED)
    assert described.format == ("litert_float16" if folder == LARGE else "litert_int8")
    assert described.threshold == read_config(folder)["config"]["threshold"]
    assert (folder / BUNDLED).stat().st_size < (6.1e6 if folder == LARGE else 3e6)
    assert load_network(Paths(name=folder.name), {}, "", "auto").engine == "litert"


def test_the_bundled_networks_read_as_tensorflow_does() -> None:
    """A picture with a number, without one, and one as large as a window; the float32 network is the measure."""
    pictures = [Image.open(path) for path in sorted((ROOT / "svhn/examples").glob("*.jpg"))]
    light = svhn.Reader.load(threads=1)
    full = svhn.Reader.from_runs(Paths(name=READER), given={"mixed_precision": False}, engine="tensorflow")
    assert (light.network.engine, full.network.engine) == ("litert", "tensorflow")
    for one, other in zip(light.read(pictures), full.read(pictures), strict=True):
        assert one.text == other.text
        assert one.confidence == pytest.approx(other.confidence, abs=0.03)
        np.testing.assert_allclose(one.box or (), other.box or (), atol=0.03 * max(one.size or (0,)))


def test_threads_share_a_network() -> None:
    network = load_network(Paths(name="released"), {}, "", "litert")
    images = np.random.default_rng(0).integers(0, 256, (24, 3, *network.records.size, 3), np.uint8)
    expected = [network.compute(batch)["confidence"] for batch in images]
    with ThreadPoolExecutor(8) as pool:
        found = [outputs["confidence"] for outputs in pool.map(network.compute, images)]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.usefixtures("without_tensorflow")
@pytest.mark.parametrize("given", [{"views": 2}, {"random_crop": False}])
def test_a_file_serves_only_the_options_that_it_was_made_with(tmp_path: Path, given: dict[str, Any]) -> None:
    paths = copy_released(tmp_path)
    assert load_network(paths, {"threshold": 0.25}, "", "auto").threshold == 0.25
    if "random_crop" in given:  # another network
        stored = json.loads((paths.run_folder / "config.json").read_text())
        stored["config"] |= given
        (paths.run_folder / "config.json").write_text(json.dumps(stored))
        given = {}
    with pytest.raises(UserError) as error:
        load_network(paths, given, "", "auto")
    assert "export --name=mine --format=litert_int8" in str(error.value)
    assert "'.[train]'" in str(error.value)


@pytest.mark.usefixtures("without_tensorflow")
def test_a_file_of_other_weights_does_not_serve(tmp_path: Path) -> None:
    paths = copy_released(tmp_path)
    (weights,) = paths.run_folder.glob("ckpt-*.npz")
    weights.write_bytes(weights.read_bytes() + b"\0")
    with pytest.raises(UserError, match="no exported file of mine"):
        load_network(paths, {}, "", "auto")


@pytest.mark.parametrize("flags", [(), ("--output=out/", "--part_size=2")], ids=["lines", "parts"])
@pytest.mark.parametrize("engine", ["litert", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_reading_writes_nothing_into_a_run_s_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, flags: tuple[str, ...]
) -> None:
    """A run may lie where its user can't write, or be read by many machines at once."""
    shutil.copytree(RELEASED, tmp_path / "checkpoints/mine", ignore=shutil.ignore_patterns("finder", "released-large"))
    shutil.copytree(RELEASED / "finder", tmp_path / "checkpoints/myfinder")
    monkeypatch.chdir(tmp_path)

    def list_states() -> dict[Path, tuple[int, int, int]]:
        states = {path: path.stat() for path in (tmp_path / "checkpoints").rglob("*")}
        return {path: (state.st_ino, state.st_mtime_ns, state.st_size) for path, state in states.items()}

    before = list_states()
    assert call(tmp_path, "read", "--name=mine", "--finder=myfinder", f"--engine={engine}", str(PICTURE), *flags) == 0
    assert list_states() == before
    assert not (tmp_path / "results").exists()


def test_an_engine_reads_only_its_own_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--engine=onnx reads exported files alone"):
        load_network(copy_released(tmp_path), {}, "", "onnx")


@pytest.mark.usefixtures("without_tensorflow")
def test_an_engine_that_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--engine=tensorflow needs tensorflow.*'\.\[train\]'"):
        load_network(copy_released(tmp_path), {}, "", "tensorflow")


def spoil(path: Path, place: int = 1000) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("what", ["file", "description", "schema", "not litert"])
def test_a_damaged_file_is_an_error_and_not_a_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    network = copy_released(tmp_path).run_folder / BUNDLED
    described = get_description_path(network)
    if what == "file":
        spoil(network)
    elif what == "description":
        described.write_text("{")
    elif what == "schema":
        described.write_text(json.dumps({**json.loads(described.read_text()), "schema": 99}))
    else:
        network.write_bytes(b"none")
        fields = {**json.loads(described.read_text()), "sha256": compute_sha256(network)}
        described.write_text(json.dumps(fields))
    assert call(tmp_path, "read", "--name=mine", "--engine=litert", str(PICTURE)) == 1
    assert str(network) in last_line(capsys)
    monkeypatch.setattr(engine, "_load_tensorflow", lambda *_: fake_network())
    notes: list[str] = []
    load_network(paths_in(tmp_path), {}, "", "auto", notes.append)  # goes on without the file, and names it
    assert len(notes) == 1
    assert str(network) in notes[0]


@pytest.mark.usefixtures("without_tensorflow")
def test_the_remedy_is_a_format_that_the_model_can_have(tmp_path: Path) -> None:
    """In 8 bits, `svhn export` refuses networks of the model `ppocr`."""
    shutil.copytree(LARGE, tmp_path / "checkpoints/mine")
    with pytest.raises(UserError, match="export --name=mine --format=litert_float16"):
        load_network(paths_in(tmp_path), {"views": 2}, "", "auto")


def test_a_damaged_export_does_not_stop_one_that_is_whole(tmp_path: Path) -> None:
    paths = copy_released(tmp_path)
    bundled, stale = paths.run_folder / BUNDLED, paths.results / "stale.tflite"
    stale.parent.mkdir(parents=True)
    shutil.copy(bundled, stale)
    shutil.copy(get_description_path(bundled), get_description_path(stale))
    spoil(stale)
    get_description_path(paths.results / "other.onnx").write_text("{")
    (paths.results / "other.onnx").write_bytes(b"none")
    assert load_network(paths, {}, "", "auto", pytest.fail).engine == "litert"
    spoil(bundled)
    shutil.copy(RELEASED / BUNDLED, stale)
    assert load_network(paths, {}, "", "litert", pytest.fail).engine == "litert"


def test_a_bundled_file_without_its_description_is_left_alone(tmp_path: Path) -> None:
    """As a release leaves it that was killed between the two."""
    paths = copy_released(tmp_path)
    get_description_path(paths.run_folder / BUNDLED).unlink()
    with pytest.raises(UserError, match="no exported file of mine"):
        load_network(paths, {}, "", "litert")


def test_the_remedy_names_what_the_file_has_to_be_made_with(tmp_path: Path) -> None:
    paths = copy_released(tmp_path / "a folder")
    (step,) = list_steps(RELEASED)
    with pytest.raises(UserError) as error:
        load_network(paths, {"views": 3}, str(step), "onnx")
    for part in ("--format=onnx", f"--checkpoint={step}", "--views=3", f"'--results_dir={tmp_path}/a folder/results'"):
        assert part in str(error.value)


def test_no_engine_of_that_name() -> None:
    with pytest.raises(UserError, match="--engine=foo: expected one of auto, litert, onnx, tensorflow"):
        svhn.Reader.load(engine="foo")
    assert CHOICES["engine"] == engine.ENGINES


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux names what a descriptor is")
def test_threads_that_load_a_reader_leave_stderr_as_it_was() -> None:
    before = Path("/proc/self/fd/2").readlink()
    with ThreadPoolExecutor(4) as pool:
        readers = list(pool.map(lambda _: svhn.Reader.load(), range(8)))
    assert len(readers) == 8
    assert Path("/proc/self/fd/2").readlink() == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["litert_int8", "onnx"])
def test_a_run_of_ones_own_is_read_by_the_file_that_was_exported(
    digits_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    folder = copy_run(digits_run, tmp_path / "mine")
    paths = paths_of(folder)
    notes: list[str] = []
    before = load_network(paths, {}, "", "auto", notes.append)
    assert (before.engine, len(notes)) == ("tensorflow", 1)
    assert "export --name=demo --format=litert_int8" in notes[0]
    assert call(folder, "export", "--name=demo", f"--format={kind}") == 0
    capsys.readouterr()
    after = load_network(paths, {}, "", "auto", pytest.fail)
    assert after.engine == {"litert_int8": "litert", "onnx": "onnx"}[kind]
    images = np.random.default_rng(0).integers(0, 256, (9, *after.records.size, after.records.channels), np.uint8)
    np.testing.assert_allclose(after.compute(images)["confidence"], before.compute(images)["confidence"], atol=0.1)
