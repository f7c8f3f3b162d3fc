"""`wrangle --corrections`: right numbers in place of wrong labels, in what is trained on alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.wrangling import LONGEST, examples, names, wrangled

from svhn import records


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


def test_labels_are_replaced_and_pictures_left_out(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Other numbers stay in their split, though the share of each length is drawn."""
    held_out = names(undisturbed, "valid")[0]
    changed = {"train/2-0.png": "77", "train/2-1.png": "123", held_out: "9"}
    flag = write_table(tmp_path, *(f"{name},{number},,0.9" for name, number in changed.items()), "extra/1-0.png,,,0.9")
    assert wrangled(sources, tmp_path, flag) == 0
    before, after = read_labels(undisturbed), read_labels(tmp_path)
    del before["extra/1-0.png"]
    assert after == {**before, **changed}
    for split in ("train", "valid"):
        assert sorted(names(tmp_path, split)) == sorted({*names(undisturbed, split)} - {"extra/1-0.png"})
    assert count_boxes(tmp_path)["train/2-0.png"] == 2
    assert count_boxes(tmp_path)["train/2-1.png"] == 0  # which box is of which digit is not known


def test_records_and_their_runs_tell_corrections_apart(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    plain = records.read_info(undisturbed, "svhn").sources
    found = []
    for line in ("train/2-0.png,77,,", "train/2-0.png,78,,"):
        assert wrangled(sources, tmp_path, write_table(tmp_path, line)) == 0
        found.append(records.read_info(tmp_path, "svhn").sources)
    assert len({plain["train"], found[0]["train"], found[1]["train"]}) == 3
    assert all(each["train"].startswith(f"{plain['train']}, corrected by ") for each in found)
    assert all(each["test"] == plain["test"] for each in found)


def test_a_table_without_lines_corrects_nothing(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, write_table(tmp_path)) == 0
    assert records.read_info(tmp_path, "svhn") == records.read_info(undisturbed, "svhn")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["test/2-0.png,77,,"], "corrects 1 of 1 pictures that are not in train or valid, the first: test/2-0.png"),
        (["train/2-0.png,12A,,"], "line 2 (train/2-0.png): the number is '12A': expected digits, or nothing"),
        (["train/2-0.png,12,,", "train/2-0.png,13,,"], "line 3 (train/2-0.png): named twice"),
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
