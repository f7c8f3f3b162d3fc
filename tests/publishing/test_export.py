"""What is exported reads in its own runtime what the run reads."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.networks import make_info, new_model, new_state
from support.program import call, last_line

from svhn.cli import flags
from svhn.config import RELEASED
from svhn.datasets import DATASETS, format1
from svhn.datasets.synthetic import dataset
from svhn.errors import UserError
from svhn.models import MODELS
from svhn.publishing import export, formats
from svhn.publishing.formats import FORMATS
from svhn.run import Run
from svhn.runs import load, stored
from svhn.spec import Info
from svhn.wrangle import convert

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the converters
ROOT = Path(__file__).parents[2]
EXACT = [kind for kind in FORMATS if FORMATS[kind].exact]


@pytest.fixture(scope="module")
def records_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of rendered numbers, as records of the data set that the released run was trained on."""
    folder = tmp_path_factory.mktemp("records")
    for split, seed in (("train", 5), ("test", 7)):
        dataset.render_split(folder / "data" / split, 120, seed=seed)
    spec = DATASETS["svhn"]
    options = convert.Options(spec.size, spec.margin)
    convert.convert_dataset(spec, folder / "data", folder, ["train", "test"], options)
    return folder


@pytest.fixture(scope="module")
def images(records_dir: Path) -> np.ndarray:
    return export.load_split_images(load.load_run(RELEASED)[0], str(records_dir), "test", 120)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_the_released_run_is_read_alike_in_every_runtime(kind: str, records_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / f"run{FORMATS[kind].suffix}"
    checked = export.export_run(RELEASED, {}, "best", str(records_dir), kind, target)
    assert "images of valid" in checked.sample
    assert checked.same == 1 if FORMATS[kind].exact else checked.same > 0.95
    assert checked.difference < (1e-4 if FORMATS[kind].exact else 3)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert kind == "savedmodel" or target.stat().st_size < (12e6 if FORMATS[kind].exact else 3e6)


ROWS = Info("mnist_stacked", (64, 208), 0.0, 1, 4, "png", {}, {}, {}, {}, seed=0, fixed_length=True)


QUICK = "shallow"  # to convert; the others take seconds each


@pytest.mark.parametrize(
    ("name", "info"),
    [
        pytest.param(name, info, marks=[] if name == QUICK else [pytest.mark.slow])
        for name, info in [*((name, make_info()) for name in MODELS), ("gru_rows", ROWS)]
    ],
)
@pytest.mark.parametrize("kind", EXACT)
def test_every_model_can_be_exported(name: str, info: Info, kind: str, tmp_path: Path) -> None:
    model = new_state(name, info).model if info is ROWS else new_model(name)
    rng = np.random.default_rng(0)
    model.set_weights([weight * rng.uniform(0.9, 1.1) for weight in model.get_weights()])
    config = stored.make_config({"model": name, "random_crop": False, **export.PORTABLE_OPTIONS})
    module = export.make_exportable(load.freeze_model(model), Run(Path(), config, info))
    pictures = rng.integers(256, size=(3, *info.size, info.channels)).astype(np.uint8)
    _, difference = export.write_export(module, kind, tmp_path / "file", pictures, pictures)
    assert difference < 1e-4


@pytest.mark.slow
def test_a_savedmodel_reads_files_of_pictures(images: np.ndarray, tmp_path: Path) -> None:
    """PNG and JPEG of another size than the network's: as the package reads them when it resizes them."""
    export.export_run(RELEASED, {}, "best", str(tmp_path), "savedmodel", tmp_path / "saved")
    served: Any = tf.saved_model.load(str(tmp_path / "saved"))
    large = [Image.fromarray(image).resize((190, 120)) for image in images[:20]]
    encoded = [to_bytes(image, kind) for image, kind in zip(large, ["png", "jpeg"] * 10, strict=True)]
    outputs = served.signatures["serving_default"](encoded=tf.constant(encoded))
    resized = [np.asarray(image.resize((95, 57), Image.Resampling.LANCZOS)) for image in large]
    expected = served.images(tf.constant(np.stack(resized)))
    texts = ["".join(str(digit) for digit in slots if digit >= 0) for slots in expected["number"].numpy()]
    assert [text.decode() for text in outputs["text"].numpy()] == texts
    assert len(set(texts)) > 10
    np.testing.assert_allclose(outputs["confidence"], expected["confidence"], atol=0.1)


def to_bytes(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, quality=95)
    return file.getvalue()


@pytest.mark.slow
def test_a_finder_says_where_and_how_probable(tmp_path: Path) -> None:
    export.export_run(RELEASED / "finder", {}, "best", str(tmp_path), "onnx", tmp_path / "finder.onnx")
    found = formats.load_onnx(tmp_path / "finder.onnx")(np.zeros((2, 64, 128, 3), np.uint8))
    assert found["box"].shape == (2, 4)
    assert found["probability"].shape == (2,)


def test_what_reads_otherwise_is_not_exported(tmp_path: Path, monkeypatch: Any) -> None:
    target = tmp_path / "run.onnx"
    target.write_text("the earlier one")
    wrong = FORMATS["onnx"]._replace(load=lambda path: lambda images: formats.load_onnx(path)(255 - images))
    monkeypatch.setitem(FORMATS, "onnx", wrong)
    with pytest.raises(UserError, match="as TensorFlow does"):
        export.export_run(RELEASED, {}, "best", str(tmp_path / "none"), "onnx", target)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the earlier one"]


@pytest.mark.slow
def test_what_says_nothing_is_not_exported(tmp_path: Path, monkeypatch: Any) -> None:
    """NaN is neither below nor above any limit."""

    def load(path: Path) -> Any:
        call = formats.load_onnx(path)
        return lambda images: {**call(images), "digits": np.full((len(images), 5, 10), np.nan)}

    monkeypatch.setitem(FORMATS, "onnx", FORMATS["onnx"]._replace(load=load))
    with pytest.raises(UserError, match="differ by up to nan"):
        export.export_run(RELEASED, {}, "best", str(tmp_path), "onnx", tmp_path / "run.onnx")


@pytest.mark.slow
def test_an_earlier_export_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("years of work")
    with pytest.raises(UserError, match=r"--output=.*thesis exists .* name another file"):
        export.export_run(RELEASED, {}, "best", str(tmp_path), "savedmodel", other)
    for target in (other, other / "chapter.txt"):
        with pytest.raises(UserError, match=r"expected a name that ends in \.onnx"):
            export.export_run(RELEASED, {}, "best", str(tmp_path), "onnx", target)
    assert (other / "chapter.txt").read_text() == "years of work"
    for _ in range(2):
        export.export_run(RELEASED, {}, "best", str(tmp_path), "savedmodel", tmp_path / "saved")
        export.make_hidden_path(tmp_path / "saved", "earlier").mkdir()  # as an export leaves it that was killed
    (tmp_path / "earlier-saved").mkdir()
    export.export_run(RELEASED, {}, "best", str(tmp_path), "savedmodel", tmp_path / "saved")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["earlier-saved", "saved", "thesis"]


@pytest.mark.slow
def test_records_that_do_not_fit_are_not_needed(records_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(records_dir / "svhn", tmp_path / "svhn")
    info = json.loads((tmp_path / "svhn/info.json").read_text())
    (tmp_path / "svhn/info.json").write_text(json.dumps({**info, "size": [48, 48]}))
    checked = export.export_run(RELEASED, {}, "best", str(tmp_path), "onnx", tmp_path / "run.onnx")
    assert checked.sample == "256 drawn images"
    with pytest.raises(UserError, match="size"):
        export.export_run(RELEASED, {}, "best", str(tmp_path), "litert_int8", tmp_path / "run.tflite")


def test_a_recurrent_network_is_refused_in_8_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow's calibration of one ends the process."""
    config = stored.make_config({"model": "gru_rows", "random_crop": False})
    monkeypatch.setattr(export, "load_run", lambda *_: (Run(Path(), config, make_info()), new_model("gru_rows")))
    with pytest.raises(UserError, match=r"--format=litert_int8: .*gru_rows"):
        export.export_run(RELEASED, {}, "best", str(tmp_path), "litert_int8", tmp_path / "run.tflite")


def test_numbers_of_any_length_are_drawn() -> None:
    assert export.draw_plain_images(make_info(max_length=20), 4).shape == (4, 24, 40, 3)


def test_a_missing_converter_is_named_with_the_extra(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tf2onnx", None)
    with pytest.raises(UserError, match=r"pip install -e '\.\[export\]'"):
        export.export_run(RELEASED, {}, "best", str(tmp_path), "onnx", tmp_path / "run.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], records_dir: Path) -> None:
    folders = [f"--{kind}_dir={tmp_path / kind}" for kind in ("records", "checkpoints", "results")]
    flags.main(["main.py", "--mode=export", "--name=released", "--format=litert", *folders])
    file = tmp_path / "results/released/released.tflite"
    assert f"Exported to {file}. There, 100.0% of 256 drawn images are read" in capsys.readouterr().out
    assert file.stat().st_size > 10e6
    shutil.copytree(records_dir / "svhn", tmp_path / "records/svhn")
    other = tmp_path / "other.onnx"
    flags.main(["main.py", "--mode=export", "--name=released", "--format=onnx", f"--output={other}", *folders])
    assert f"Exported to {other}. There, 100.0% of 4 images of valid" in capsys.readouterr().out


@pytest.mark.slow
def test_the_documents_lines_read_a_photo(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """Without this package, as far as one look goes."""
    (lines,) = re.findall(r"```python\n(import numpy.*?)```", (ROOT / "docs/export.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for name in ("released", "finder"):
        flags.main(["main.py", "--mode=export", f"--name={name}", "--format=onnx"])
    dataset.render_split(tmp_path / "photos/test", 12, seed=11)
    entries = list(format1.list_entries(tmp_path / "photos", "test"))
    capsys.readouterr()
    right = 0
    for entry in entries:
        Image.open(entry.source[0]).convert("RGB").save("door.jpg", quality=95)
        exec(lines, {})
        right += capsys.readouterr().out.startswith(f"{entry.label} ")
    assert right > len(entries) / 2


def test_the_documents_threshold_is_the_finders() -> None:
    (said,) = re.findall(r'found\["probability"\]\[0\] > ([0-9.]+):', (ROOT / "docs/export.md").read_text("utf-8"))
    assert float(said) == pytest.approx(stored.read_config(RELEASED / "finder")["config"]["threshold"], abs=0.005)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--name=released", "--format=tflite"], "expected one of litert, litert_int8, onnx, savedmodel"),
        (["--name=released", "--format=litert_int8"], "has no info.json: run `python -m svhn.wrangle"),
        (["--name=nothing", "--format=onnx"], "holds no run"),
        (["--name=released", "--format=onnx", "--output=."], "--output=.: expected a name that ends in .onnx"),
        (["--name=released", "--output=."], "--output=. exists"),
        (["--name=released", "--format=onnx", "--views=6"], "--views=6: an exported network has one view"),
    ],
)
def test_mistakes(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "--mode=export", *arguments) == 1
    assert message in last_line(capsys)
