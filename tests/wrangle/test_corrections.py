"""`wrangle --corrections`: right numbers in place of wrong labels, in what is trained on alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.wrangling import LONGEST, arguments, examples, names, program, wrangled

from svhn import records
from svhn.datasets import DATASETS
from svhn.errors import UserError
from svhn.labels import TRUNCATED_TEXT
from svhn.spec import Entry
from svhn.wrangle import convert
from svhn.wrangle.corrections import Correction, Corrections, correct_splits, read_corrections
from svhn.wrangle.draw import Options


def write_table(folder: Path, *lines: str) -> str:
    """A flag that names a table of suspects with these lines."""
    path = folder / "corrections.csv"
    path.write_text("\n".join(["name,number,label,confidence", *lines, ""]))
    return f"--corrections={path}"


def read_labels(folder: Path) -> dict[str, str]:
    return {name: text for split in ("train", "valid", "test") for name, text, _ in examples(folder, split)}


def count_boxes(folder: Path) -> dict[str, int]:
    """The number of digits whose boxes are known, by the example's name."""
    info, counts = records.read_info(folder, "svhn"), {}
    for split in ("train", "valid"):
        for path in records.open_split(folder, info, split).paths:
            for serialized in tf.data.TFRecordDataset(str(path)):
                record = records.parse_example(serialized, LONGEST)
                counts[bytes(record["name"].numpy()).decode()] = int(np.count_nonzero(record["boxes"].numpy().any(1)))
    return counts


def test_labels_are_replaced_and_pictures_left_out(
    sources: Path, undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other numbers stay in their split, though the share of each length is drawn."""
    held_out = names(undisturbed, "valid")[0]
    changed = {"train/2-0.png": "77", "train/2-1.png": "123", held_out: "9"}
    before = read_labels(undisturbed)
    changed_lines = [f"{name},{number},{before[name]},0.9" for name, number in changed.items()]
    left_out = f"extra/1-0.png,,{before['extra/1-0.png']},0.9"
    assert wrangled(sources, tmp_path, write_table(tmp_path, *changed_lines, left_out, left_out)) == 0
    assert "3 labels replaced, 1 pictures left out, as " in capsys.readouterr().out
    after = read_labels(tmp_path)
    del before["extra/1-0.png"]
    assert after == {**before, **changed}
    for split in ("train", "valid"):
        assert sorted(names(tmp_path, split)) == sorted({*names(undisturbed, split)} - {"extra/1-0.png"})
    assert count_boxes(tmp_path)["train/2-0.png"] == 2
    assert count_boxes(tmp_path)["train/2-1.png"] == 0  # which box is of which digit is not known


def test_records_and_their_runs_tell_corrections_apart(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    plain = records.read_info(undisturbed, "svhn").sources
    found = []
    label = read_labels(undisturbed)["train/2-0.png"]
    for line in (f"train/2-0.png,77,{label},", f"train/2-0.png,78,{label},"):
        assert wrangled(sources, tmp_path, write_table(tmp_path, line)) == 0
        found.append(records.read_info(tmp_path, "svhn").sources)
    assert len({plain["train"], found[0]["train"], found[1]["train"]}) == 3
    assert all(each["train"].startswith(f"{plain['train']}, corrected by ") for each in found)
    assert all(each["test"] == plain["test"] for each in found)


def test_a_table_without_lines_corrects_nothing(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, write_table(tmp_path)) == 0
    assert records.read_info(tmp_path, "svhn") == records.read_info(undisturbed, "svhn")


def test_the_label_of_a_number_that_is_too_long_is_not_known_to_a_report(sources: Path, tmp_path: Path) -> None:
    """`report --suspects` writes in words that a label is too long: the records' readers see no more of it."""
    assert wrangled(sources, tmp_path) == 0
    name = next(
        name for name, label in read_labels(tmp_path).items() if len(label) == 6 and not name.startswith("test")
    )
    assert wrangled(sources, tmp_path, write_table(tmp_path, f"{name},12,{TRUNCATED_TEXT},0.9")) == 0
    assert read_labels(tmp_path)[name] == "12"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["train/2-0.png,77,too long,"], "csv: train/2-0.png is labeled otherwise here than in the table"),
        (["test/2-0.png,77,12,"], "csv: test/2-0.png is not in train or valid of the sources that are read"),
        (["a,1,2,", "b,1,2,", "train/2-0.png,77,12,"], "csv: a and 1 more are not in train or valid"),
        (["train/2-0.png,77,9,"], "csv: train/2-0.png is labeled otherwise here than in the table"),
        (["train/2-0.png,12A,12,"], "line 2 (train/2-0.png): the number is '12A': expected digits, or nothing"),
        (["train/2-0.png,12,1,", "train/2-0.png,13,1,"], "line 3 (train/2-0.png): named before, with another number"),
        (["train/2-0.png,12"], "line 2 (train/2-0.png): 2 values, expected 4"),
    ],
)
def test_a_table_that_cannot_be_used_leaves_no_records(
    lines: list[str], message: str, sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrangled(sources, tmp_path, write_table(tmp_path, *lines)) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "svhn/info.json").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "found no file"),
        ("", "expected a header with the columns name and number, found no line"),
        ("filename,label\n1.png,7\n", "expected a header with the columns name and number, found filename, label"),
        ("name;number\n1.png;7\n", "semicolons"),
    ],
)
def test_another_file_is_refused(
    text: str | None, message: str, sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.csv"
    if text is not None:
        path.write_text(text)
    assert wrangled(sources, tmp_path, f"--corrections={path}") == 1
    assert message in capsys.readouterr().err


def test_a_check_takes_no_corrections(sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrangled(sources, tmp_path, "--check", write_table(tmp_path)) == 1
    assert "leave out --corrections" in capsys.readouterr().err


def test_other_splits_stay_when_train_is_corrected_alone(sources: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path) == 0
    table = tmp_path / "table.csv"
    table.write_text("name,number\ntrain/2-0.png,77\n")
    assert wrangled(sources, tmp_path, "--splits=train,extra", f"--corrections={table}") == 0
    assert read_labels(tmp_path)["train/2-0.png"] == "77"
    assert records.read_info(tmp_path, "svhn").has_split("test")
    assert wrangled(sources, tmp_path, "--splits=test") == 0
    info = records.read_info(tmp_path, "svhn")
    assert "corrected by" in info.sources["train"]
    assert info.has_split("train")
    assert wrangled(sources, tmp_path, "--splits=train,extra") == 0
    assert read_labels(tmp_path)["train/2-0.png"] != "77"
    assert records.read_info(tmp_path, "svhn").has_split("test")


def test_corrections_of_a_killed_call_are_not_mixed_with_others(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = arguments(sources, tmp_path, write_other(tmp_path, "77"))
    assert program(first, "die_at_moved_shard=1").returncode != 0
    assert wrangled(sources, tmp_path, write_other(tmp_path, "78")) == 1
    assert "the digest of the corrections was" in capsys.readouterr().err


def write_other(folder: Path, number: str) -> str:
    path = folder / f"{number}.csv"
    path.write_text(f"name,number\ntrain/2-0.png,{number}\n")
    return f"--corrections={path}"


def test_a_split_that_is_a_source_of_its_own_is_corrected_and_marked() -> None:
    spec = dataclasses.replace(DATASETS["mnist_stacked"], checksum=lambda _, source: f"sha of {source}")
    rows = {"valid/0": Correction("1234", None)}
    options = Options(spec.size, spec.margin, corrections=Corrections("table.csv", rows))
    found = convert._describe_sources(spec, Path(), ["train", "valid", "test"], options)
    assert found["test"] == "sha of test"
    assert {name for name, checksum in found.items() if options.corrections.digest in checksum} == {"train", "valid"}
    splits = {"valid": [Entry("valid/0", "9999", None)], "test": [Entry("valid/0", "9999", None)]}
    corrected = correct_splits(splits, options.corrections, spec.max_length)
    assert [[each.label for each in corrected[split]] for split in ("valid", "test")] == [["1234"], ["9999"]]


@pytest.mark.parametrize(
    ("name", "number", "problem"),
    [
        ("mnist_stacked", "12", "all numbers of mnist_stacked have 4 digits"),
        ("svhn_cropped", "12", "all numbers of svhn_cropped have 1 digits"),
        ("mnist", "", ""),
        ("svhn", "1234567", ""),
    ],
)
def test_a_number_that_cannot_be_learned_is_refused(name: str, number: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"name,number\na.png,{number}\n")
    if not problem:
        assert read_corrections(path, DATASETS[name]).rows == {"a.png": Correction(number, None)}
        return
    with pytest.raises(UserError, match=rf"table.csv, line 2 \(a.png\): the number is 12: {problem}$"):
        read_corrections(path, DATASETS[name])
