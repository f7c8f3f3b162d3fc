"""What is exported reads in its own runtime what the run reads."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.program import call, last_line

from svhn.cli import flags
from svhn.config import RELEASED
from svhn.datasets import DATASETS
from svhn.datasets.synthetic import dataset
from svhn.errors import UserError
from svhn.images import open_picture, resize_crop
from svhn.publishing import agreement, export
from svhn.publishing.formats import FORMATS
from svhn.runs import exported, load
from svhn.runs.steps import list_steps
from svhn.wrangle import convert

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the converters


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
    return agreement.load_split_images(load.load_run(RELEASED)[0], str(records_dir), "test", 120)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_the_released_run_is_read_alike_in_every_runtime(kind: str, records_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / f"run{FORMATS[kind].suffix}"
    checked = export.export_run(RELEASED, {}, "best", str(records_dir), kind, target)
    assert "images of valid" in checked.sample
    assert checked.agreement.same == 1
    assert checked.agreement.confidence < (1e-4 if FORMATS[kind].exact else 0.05)
    assert FORMATS[kind].exact == (checked.agreement.difference < 1e-3)
    described = [] if kind == "savedmodel" else [f"{target.name}.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [target.name, *described]
    sizes = {"savedmodel": 12e6, "litert": 12e6, "onnx": 12e6, "litert_float16": 6e6, "litert_int8": 3e6}
    assert target.is_dir() or target.stat().st_size < sizes[kind]


@pytest.mark.slow
def test_a_savedmodel_reads_files_of_pictures(images: np.ndarray, tmp_path: Path) -> None:
    """PNG and JPEG of another size than the network's."""
    export.export_run(RELEASED, {}, "best", str(tmp_path), "savedmodel", tmp_path / "saved")
    served: Any = tf.saved_model.load(str(tmp_path / "saved"))
    large = [Image.fromarray(image).resize((190, 120)) for image in images[:20]]
    encoded = [to_bytes(image, kind) for image, kind in zip(large, ["png", "jpeg"] * 10, strict=True)]
    outputs = served.signatures["serving_default"](encoded=tf.constant(encoded))
    resized = np.stack([resize_crop(open_picture(picture), (57, 95)) for picture in encoded])
    expected = served.images(tf.constant(resized))
    texts = ["".join(str(digit) for digit in slots if digit >= 0) for slots in expected["number"].numpy()]
    assert [text.decode() for text in outputs["text"].numpy()] == texts
    assert len(set(texts)) > 10
    np.testing.assert_allclose(outputs["confidence"], expected["confidence"], atol=0.01)
    with pytest.raises(tf.errors.InvalidArgumentError, match="JPEG or PNG"):
        served.signatures["serving_default"](encoded=tf.constant([to_bytes(large[0], "bmp")]))


def to_bytes(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **({"quality": 95} if kind == "jpeg" else {}))
    return file.getvalue()


@pytest.mark.parametrize("kind", ["onnx", pytest.param("litert_int8", marks=pytest.mark.slow)])
def test_what_reads_otherwise_is_not_exported(kind: str, tmp_path: Path, monkeypatch: Any) -> None:
    form = FORMATS[kind]
    target = tmp_path / f"run{form.suffix}"
    for path in (target, exported.get_description_path(target)):
        path.write_text("the earlier one")
    wrong = form._replace(load=lambda path: lambda images: form.load(path)(255 - images))
    monkeypatch.setitem(FORMATS, kind, wrong)
    with pytest.raises(UserError, match="as TensorFlow does"):
        export.export_run(RELEASED, {}, "best", str(tmp_path / "none"), kind, target)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the earlier one"] * 2


@pytest.mark.slow
def test_rounded_weights_need_no_records(tmp_path: Path) -> None:
    """Drawn numbers are unlike photos, so their confidences differ by more."""
    checked = export.export_run(RELEASED, {}, "", str(tmp_path), "litert_int8", tmp_path / "run.tflite")
    assert checked.sample == "256 drawn images"
    assert checked.agreement.same > 0.98
    assert checked.agreement.difference > 0
    assert checked.agreement.sure > 0.98
    assert checked.agreement.confidence < 0.05


@pytest.mark.slow
def test_what_says_nothing_is_not_exported(tmp_path: Path, monkeypatch: Any) -> None:
    """NaN is neither below nor above any limit."""

    load_file = FORMATS["onnx"].load

    def load(path: Path) -> Any:
        call = load_file(path)
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


@pytest.mark.slow
def test_an_exported_file_is_found_by_its_description(tmp_path: Path) -> None:
    given, target = {"views": 2, "threshold": 0.25}, tmp_path / "run.onnx"
    export.export_run(RELEASED, given, "", str(tmp_path), "onnx", target)
    run, _ = load.load_run(RELEASED, given)
    (step,) = list_steps(RELEASED)
    assert [path for path, _ in exported.find_exported(run, step, tmp_path, pytest.fail)] == [target]
    described = exported.read_description(target)
    assert (described.format, described.threshold, described.locates) == ("onnx", 0.25, False)
    one_view = run.with_options(views=1)
    assert not any(path == target for path, _ in exported.find_exported(one_view, step, tmp_path, pytest.fail))
    target.write_bytes(b"another file")
    with pytest.raises(UserError, match=r"run\.onnx"):
        exported.check_exported(target, described)


def test_a_file_that_replaces_another_loses_its_description(tmp_path: Path, monkeypatch: Any) -> None:
    """Killed before it is described anew, it must not be taken for the earlier one."""
    target = tmp_path / "run.onnx"
    for path in (target, exported.get_description_path(target)):
        path.write_text("the earlier one")
    monkeypatch.setattr(export, "write_description", lambda *_: None)
    export.export_run(RELEASED, {}, "", str(tmp_path), "onnx", target)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--name=released", "--format=tflite"], "expected one of litert, litert_float16, litert_int8"),
        (["--name=nothing", "--format=onnx"], "holds no run"),
        (["--name=released", "--format=onnx", "--output=."], "--output=.: expected a name that ends in .onnx"),
        (["--name=released", "--output=."], "--output=. exists"),
    ],
)
def test_mistakes(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "--mode=export", *arguments) == 1
    assert message in last_line(capsys)
