"""The table of a folder of pictures: columns of another spelling, cut rows, and what is said about both."""

from __future__ import annotations

from pathlib import Path

import pytest

from svhn.datasets import DATASETS, folder
from svhn.datasets.formats.label_csv import COLUMNS, read_label_table
from svhn.errors import UserError

HEADER = ",".join(COLUMNS)
ROWS = "".join(
    f"p{i}.png,{10 + i},{i},{i + 1},{20 + i},{30 + i},{'test' if i % 4 == 0 else 'train'}\n" for i in range(9)
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def problems(path: Path) -> list[str]:
    return [entry.problem for source in folder.SOURCES for entry in folder.list_entries(path.parent, source)]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("filename,label,Left,Top,Width,Height", "column 'Left', expected left"),
        ("filename,label,left ,top ,width ,height ", "column 'left ', expected left"),
        ("filename,label,xmin,ymin,xmax,ymax", "column 'xmax', expected width (the right edge less the left edge)"),
        ("filename,label,x,y,w,h", "column 'h', expected height"),
        ("filename,label,left,top,widht,height", "column 'widht', expected width"),
        (
            "filename,label,left,top,right,bottom",
            "column 'bottom', expected height (the bottom edge less the top edge)",
        ),
        ("filename,label,Split", "column 'Split', expected split"),
        ("file_name,label", "column 'file_name', expected filename"),
        ("image,text", "column 'text', expected label"),
        ("filename,label,label", "column label is there twice"),
        ("filename,label,left", "no column top, width, height"),
        ("filename;label", "semicolons"),
        ("filename\tlabel", "tabs"),
        ("a" * 999, "no column filename, label"),
        ("x" * 9999 + ";y", "semicolons"),
    ],
)
def test_columns_of_another_spelling_are_an_error_that_proposes_ours(path: Path, columns: str, said: str) -> None:
    path.write_text(f"{columns}\n{','.join('2' * (columns.count(',') + 1))}\n")
    with pytest.raises(UserError) as caught:
        problems(path)
    message = str(caught.value).removeprefix(str(path))
    assert message.startswith(", line 1")
    assert said in message
    assert len(message) < 600


def test_all_columns_of_another_spelling_are_named_at_once(path: Path) -> None:
    path.write_text("Filename,Label,xmin,ymin,w,Hight,Split\n")
    with pytest.raises(UserError) as caught:
        read_label_table(path)
    assert all(f"expected {column}" in str(caught.value) for column in COLUMNS)


def test_other_columns_are_named_and_not_used(path: Path) -> None:
    others = [f"note {index}" for index in range(8)]
    path.write_text(f"{HEADER},{','.join(others)}\na.png,1,,,,,train{',x' * 8}\n")
    first, second = DATASETS["folder"].describe(path.parent, ["train"])
    assert first == f"{path}: 1 rows with {', '.join(COLUMNS)}; boxes in pixels"
    assert second.startswith(f"{path}: not used: 'note 0', 'note 1'")
    assert second.endswith("and 2 more")


def test_without_boxes_whole_pictures_are_announced(path: Path) -> None:
    path.write_text("filename,label\na.png,1\n")
    (line,) = DATASETS["folder"].describe(path.parent, ["train"])
    assert "no boxes" in line


def test_a_table_cut_anywhere_has_no_wrong_row_in_silence(path: Path) -> None:
    text = f"{HEADER}\n{ROWS}"
    path.write_text(text)
    whole = {entry[:3] for source in folder.SOURCES for entry in folder.list_entries(path.parent, source)}
    for end in range(text.index("\n") + 2, len(text)):
        path.write_text(text[:end])
        found = [entry for source in folder.SOURCES for entry in folder.list_entries(path.parent, source)]
        wrong = [entry for entry in found if entry[:3] not in whole]
        assert all(entry.problem for entry in wrong), text[:end].splitlines()[-1]


def test_a_cut_that_no_column_shows_is_announced(path: Path) -> None:
    path.write_text("filename,label\na.png,123\nb.png,45")
    assert problems(path) == ["", ""]
    assert "the last line has no line break" in list(DATASETS["folder"].describe(path.parent, ["train"]))[-1]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.png,1,2,3", "4 values, expected 7, from filename to split: complete the line"),
        ("house, 12.png,1,,,,,train", "8 values, expected 7"),
        ('"a\nb.png",1,,,,,train', "a value goes on in the next line"),
    ],
)
def test_a_row_of_another_length_is_named_and_the_others_are_read(path: Path, row: str, said: str) -> None:
    path.write_text(f"{HEADER}\nb.png,1,,,,,train\n\n{row}\n,,,,,,\nc.png,2,,,,,train\n\n")
    assert sorted(problems(path))[:-1] == ["", ""]
    assert sorted(problems(path))[-1].startswith(f"labels.csv, line 4: {said}")


def test_a_row_that_is_too_short_for_its_name_is_named(path: Path) -> None:
    path.write_text("label,filename\n7\n2,b.png\n")
    assert sorted(problems(path))[0] == ""
    assert "labels.csv, line 2: 1 value, expected 2" in sorted(problems(path))[1]


def test_a_quote_that_is_not_closed_does_not_swallow_rows(path: Path) -> None:
    path.write_text(f'{HEADER}\na.png,"1,,,,,train\nb.png,2,,,,,train\n')
    with pytest.raises(UserError, match=r"labels\.csv, line 2: .*fix the line"):
        problems(path)
