"""fast-plate-ocr's CSV as labels of a folder: as its own program wrote it, and with other people's lines."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image
from support.labeled_scene import LABELS, check_crops, describe_folder, draw_crops, read_entries
from support.wrangling import wrangled

from svhn.errors import UserError

HEADER = "image_path,plate_text"


def write(folder: Path, *lines: str, header: str = HEADER, file: str = "train.csv", ending: str = "\n") -> Path:
    """A table, and the pictures a.png and b.png beside it."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in ("a.png", "b.png"):
        Image.effect_noise((60, 40), 60).convert("RGB").save(path.parent / name)
    path.write_text("\n".join([header, *lines]) + ending, encoding="utf-8")
    return folder


def list_problems(folder: Path) -> dict[str, str]:
    return {entry.name: entry.problem for entry in read_entries(folder)}


def test_what_fast_plate_ocr_writes_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    draw_crops(data / "crops")
    shutil.copy(LABELS / "fast_plate_ocr/train.csv", data)
    check_crops(data)
    assert wrangled(data, tmp_path / "records", "--dataset=folder", "--check") == 0
    out = capsys.readouterr().out
    assert f"{data}/train.csv: fast-plate-ocr, 6 lines with 5 numbers; no boxes, so whole pictures" in out
    assert f"{data}/train.csv: not used: 6 values of 'plate_region'" in out
    assert f"{data}/train.csv: not used: 1 picture without a number, such as 'crops/bare.png'" in out
    assert "train: 5 usable pictures" in out


@pytest.mark.parametrize(
    ("path", "place"),
    [("a.png", "train/a.png"), ("../shots/a.png", "shots/a.png"), ("/home/me/train/a.png", "train/a.png")],
)
def test_paths_start_from_the_tables_folder(tmp_path: Path, path: str, place: str) -> None:
    for other in ("shots", "old/shots"):
        write(tmp_path, file=f"{other}/notes.txt")
    (entry,) = read_entries(write(tmp_path, f"{path},7", file="train/annotations.csv"))
    assert (entry.picture, entry.problem) == (place, "")


def test_a_text_keeps_its_zeros_and_loses_its_blanks(tmp_path: Path) -> None:
    write(tmp_path, "a.png,007", 'b.png," 5"', header=f"\ufeff{HEADER}")
    assert [(entry.label, entry.problem) for entry in read_entries(tmp_path)] == [("007", ""), ("5", "")]


@pytest.mark.parametrize("text", ["B7", "208__", "208.0", "2 08", "-5", "\u0662", "NA"])
def test_a_text_of_other_signs_is_named(tmp_path: Path, text: str) -> None:
    problems = list_problems(write(tmp_path, f"a.png,{text}", "b.png,5"))
    assert problems == {"a.png": f"train.csv, line 2: label {text!r}, expected digits", "b.png": ""}


def test_a_number_of_thousands_of_digits_is_read(tmp_path: Path) -> None:
    assert [len(entry.label) for entry in read_entries(write(tmp_path, f"a.png,{'9' * 5000}"))] == [5000]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a.png", "train.csv, line 2: 1 value, expected 2, from image_path to plate_text"),
        ("a.png,7,", "train.csv, line 2: 3 values, expected 2"),
        ('"a.png\n",7', "train.csv, line 2: a value goes on in the next line"),
        (",7", "train.csv, line 2: filename '', expected a path below the folder"),
        ("/home/me/c.png,7", "train.csv, line 2: no picture '/home/me/c.png' lies below the folder"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_read(tmp_path: Path, line: str, said: str) -> None:
    problems = list(list_problems(write(tmp_path, line, "b.png,5")).values())
    assert next(problem for problem in problems if problem).startswith(said)
    assert problems.count("") == 1


def test_a_picture_with_two_texts_is_named_and_one_that_is_repeated_counts_once(tmp_path: Path) -> None:
    problems = list_problems(write(tmp_path, "a.png,7", "a.png,1", "b.png,5", "./b.png,5"))
    said = "the lines of the picture have the texts '7; 1': keep one"
    assert problems == {
        "a.png": f"train.csv, line 2: {said}",
        "a.png (2)": f"train.csv, line 3: {said}",
        "b.png": "",
    }
    assert "not used: 1 lines that repeat an earlier one" in describe_folder(tmp_path)


def test_a_table_without_an_end_is_named(tmp_path: Path) -> None:
    assert "the last line has no line break" in describe_folder(write(tmp_path, "a.png,12", ending=""))


def test_names_give_the_splits(tmp_path: Path) -> None:
    write(tmp_path, "a.png,7")
    write(tmp_path, "b.png,5", file="val.csv")
    assert [[entry.label for entry in read_entries(tmp_path, source)] for source in ("train", "test")] == [["7"], ["5"]]
    assert "the 1 numbers of val become test" in describe_folder(tmp_path)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("image_path;plate_text", "semicolons between its columns"),
        (f"{HEADER},plate_text", "has 2 columns plate_text, expected one"),
        ("image_path, plate_text", "has 0 columns plate_text, expected one among 'image_path', ' plate_text'"),
    ],
)
def test_a_header_that_is_no_fast_plate_ocrs_is_refused(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(UserError, match=r"train\.csv, line 1 ") as caught:
        read_entries(write(tmp_path, header=header))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\xff\xfe\0image_path", b"plate_text\n", b"path,image_path_old,plate_text\n"]
)
def test_other_tables_are_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"labels\.csv is missing.* fast-plate-ocr"):
        read_entries(tmp_path)


def test_two_kinds_of_tables_are_refused(tmp_path: Path) -> None:
    (write(tmp_path, "a.png,7") / "labels.csv").write_text("filename,label\na.png,7\n")
    with pytest.raises(UserError, match=r"labels of 2 kinds, .*labels\.csv .* and .*train\.csv \(fast-plate-ocr\)"):
        read_entries(tmp_path)


def test_our_own_table_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="column 'plate_text', expected label: rename it"):
        read_entries(write(tmp_path, "a.png,7", file="labels.csv"))
