"""Pictures as rows of a CSV: exact values, every spelling that is fine, and every mistake with its line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from svhn.datasets.formats.pixel_csv import read_pixels
from svhn.errors import UserError

SIZE = (28, 28)
COUNT = 28 * 28
HEADER = [f"pixel{index}" for index in range(COUNT)]
MANY = 300  # rows: more than any buffer holds

Lines = list[list[str]]


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *SIZE, 1), np.uint8)


def table(count: int = 3, labeled: bool = True) -> Lines:
    """A header and rows; the labels are the rows' numbers from 0, in one digit."""
    rows = [[str(value) for value in picture.ravel()] for picture in pictures(count)]
    labels = [["label"], *([str(index % 10)] for index in range(count))] if labeled else [[]] * (count + 1)
    return [label + row for label, row in zip(labels, [HEADER, *rows], strict=True)]


def text(lines: Sequence[Sequence[str]], end: str = "\n") -> str:
    return "".join(",".join(line) + end for line in lines)


def read(path: Path, labeled: bool = True) -> list[tuple[str, np.ndarray]]:
    return list(read_pixels(path, SIZE, labeled=labeled))


def failure(path: Path, labeled: bool = True) -> str:
    with pytest.raises(UserError) as caught:
        read(path, labeled)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.csv"


@pytest.mark.parametrize("labeled", [True, False])
def test_labels_and_pixels_come_back_exactly(path: Path, labeled: bool) -> None:
    path.write_text(text(table(MANY, labeled)))
    found = read(path, labeled)
    assert [label for label, _ in found] == [str(index % 10) if labeled else "" for index in range(MANY)]
    assert all(picture.dtype == np.uint8 for _, picture in found)
    np.testing.assert_array_equal([picture for _, picture in found], pictures(MANY))


def test_every_value_from_0_to_255_is_read(path: Path) -> None:
    values = [str(index % 256) for index in range(COUNT)]
    path.write_text(text([HEADER, values]))
    ((_, picture),) = read(path, labeled=False)
    np.testing.assert_array_equal(picture.ravel(), np.arange(COUNT) % 256)


def test_channels_of_a_pixel_follow_one_another(path: Path) -> None:
    path.write_text(text([HEADER[:12], [str(index) for index in range(12)]]))
    ((_, picture),) = read_pixels(path, (1, 4), 3, labeled=False)
    np.testing.assert_array_equal(picture, np.arange(12).reshape(1, 4, 3))


@pytest.mark.parametrize(
    "written",
    [
        lambda lines: text(lines, "\r\n").encode(),
        lambda lines: text(lines).encode("utf-8-sig"),
        lambda lines: text(lines, "\r\n").encode("utf-8-sig"),
        lambda lines: text(lines)[:-1].encode(),
        lambda lines: text([[f'"{value}"' for value in line] for line in lines]).encode(),
    ],
    ids=["Windows", "BOM", "Windows and BOM", "no last line end", "quoted"],
)
def test_spellings_of_the_same_table_are_fine(path: Path, written: Callable[[Lines], bytes]) -> None:
    path.write_bytes(written(table()))
    found = read(path)
    assert [label for label, _ in found] == ["0", "1", "2"]
    np.testing.assert_array_equal([picture for _, picture in found], pictures(3))


def test_rows_come_one_at_a_time(path: Path) -> None:
    path.write_text(text([*table(MANY), ["no row"]]))
    rows = read_pixels(path, SIZE, labeled=True)
    assert [next(rows)[0] for _ in range(MANY)] == [str(index % 10) for index in range(MANY)]
    with pytest.raises(UserError, match=f"line {MANY + 2} has 1 value"):
        next(rows)


def test_a_picture_can_be_written_to(path: Path) -> None:
    path.write_text(text(table()))
    assert all(picture.flags.writeable for _, picture in read(path))


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (["label", *HEADER[:-1]], "column 785 is missing, expected 'pixel783'"),
        (["label", *HEADER, "pixel784"], "column 786 is 'pixel784', expected 785 columns"),
        (["label", *HEADER, ""], "column 786 is '', expected 785 columns"),
        (["label", *HEADER[:5], *HEADER[6:]], "column 7 is 'pixel6', expected 'pixel5'"),
        (["label", *HEADER[:5], "pixel4", *HEADER[6:]], "column 7 is 'pixel4', expected 'pixel5'"),
        (["Label", *HEADER], "column 1 is 'Label', expected 'label'"),
        ([*HEADER, "label"], "column 1 is 'pixel0', expected 'label'"),
        (["label", "1x1", *HEADER[1:]], "column 2 is '1x1', expected 'pixel0'"),
        (["5", *["0"] * COUNT], "column 1 is '5', expected 'label'"),
        (["étiquette", *HEADER], "column 1 is 'étiquette', expected 'label'"),
    ],
)
def test_the_first_column_that_differs_is_named(path: Path, header: list[str], problem: str) -> None:
    path.write_text(text([header, *table()[1:]]), encoding="utf-8")
    assert failure(path) == f", line 1: {problem}: fix the header"


def test_labels_that_are_missing_are_told_from_other_columns(path: Path) -> None:
    path.write_text(text(table(labeled=False)))
    assert failure(path) == " has no labels, as Kaggle's test.csv: expected the column label before pixel0"


def test_labels_where_none_belong_are_refused(path: Path) -> None:
    path.write_text(text(table()))
    message = failure(path, labeled=False)
    assert "train.csv" in message
    assert message.endswith(": save a copy without the column label")


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        (10, "256", "column pixel9: '256', expected a whole number from 0 to 255"),
        (1, "-1", "column pixel0: '-1', expected a whole number from 0 to 255"),
        (COUNT, "0.5", "column pixel783: '0.5', expected a whole number from 0 to 255"),
        (7, "", "column pixel6: '', expected a whole number from 0 to 255"),
        (7, "nan", "column pixel6: 'nan', expected a whole number from 0 to 255"),
        (7, " 8", "column pixel6: ' 8', expected a whole number from 0 to 255"),
        (7, "1_0", "column pixel6: '1_0', expected a whole number from 0 to 255"),
        (7, "٣", "column pixel6: '٣', expected a whole number from 0 to 255"),
        (0, "11", "column label: '11', expected a digit from 0 to 9"),
        (0, "-1", "column label: '-1', expected a digit from 0 to 9"),
        (0, "", "column label: '', expected a digit from 0 to 9"),
        (0, "7.0", "column label: '7.0', expected a digit from 0 to 9"),
    ],
)
def test_a_value_that_is_none_is_named_with_line_and_column(path: Path, column: int, value: str, problem: str) -> None:
    lines = table()
    lines[2][column] = value
    path.write_text(text(lines), encoding="utf-8")
    assert failure(path) == f", line 3, {problem}: fix the line, or fetch the file again"


@pytest.mark.parametrize(("labeled", "expected"), [(True, "785, from label"), (False, "784, from pixel0")])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_row_of_another_length_is_named(path: Path, labeled: bool, expected: str, change: int) -> None:
    lines = table(labeled=labeled)
    lines[3] = lines[3][:-1] if change < 0 else [*lines[3], "0"]
    path.write_text(text(lines))
    found = COUNT + labeled + change
    assert failure(path, labeled) == (
        f", line 4 has {found} values, expected {expected} to pixel783: fix the line, or fetch the file again"
    )


@pytest.mark.parametrize("position", [0, 1, 2, 4])
def test_blank_lines_are_passed_over_and_counted(path: Path, position: int) -> None:
    path.write_text(text([*table()[:position], [], ["  "], *table()[position:]]))
    assert [label for label, _ in read(path)] == ["0", "1", "2"]
    path.write_text(path.read_text() + "x\n")
    assert failure(path).startswith(", line 7 has 1 value")


def test_another_separator_is_named_in_a_short_line(path: Path) -> None:
    path.write_text(text(table()).replace(",", ";"))
    message = failure(path)
    assert message.startswith(", line 1 has semicolons between its columns: ")
    assert len(message) < 350


def test_an_empty_file_is_answered_with_the_header_expected(path: Path) -> None:
    path.touch()
    assert failure(path).startswith(" is empty: expected a header from label to pixel783")


def test_a_header_alone_is_no_data(path: Path) -> None:
    path.write_text(text([["label", *HEADER]]))
    assert failure(path).startswith(" has no rows, only a header: ")


@pytest.mark.parametrize(
    ("line", "spoil", "problem"),
    [
        (3, lambda content: content.replace(b",", b"\xff,", 1), "bytes that aren't UTF-8"),
        (3, lambda content: content.replace(b",", b"\0,", 1), "a NUL byte"),
        (1, lambda content: content.decode().encode("utf-16"), "bytes that aren't UTF-8"),
        (1, lambda content: content.decode().encode("utf-16-le"), "a NUL byte"),
        (1, lambda content: b"\x1f\x8b\x08" + content, "bytes that aren't UTF-8"),
    ],
    ids=["Latin-1", "NUL", "UTF-16", "UTF-16 without BOM", "gzip"],
)
def test_what_is_no_text_is_named_with_its_line(
    path: Path, line: int, spoil: Callable[[bytes], bytes], problem: str
) -> None:
    lines = text(table()).encode().splitlines(keepends=True)
    before, after = b"".join(lines[: line - 1]), b"".join(lines[line - 1 :])
    path.write_bytes(before + spoil(after))
    message = failure(path)
    assert message.startswith(f", line {line} has {problem}: ")
    assert message.endswith("save it as CSV in UTF-8")


@pytest.mark.parametrize(
    ("count", "problem"),
    [
        (3, "unexpected end of data: expected values and commas: fix the line"),
        (MANY, "field larger than field limit (131072): expected values and commas: fix the line"),
    ],
)
def test_a_quote_that_is_not_closed_is_named_where_it_opens(path: Path, count: int, problem: str) -> None:
    lines = table(count)
    lines[2][10] = '"0'
    path.write_text(text(lines))
    assert failure(path) == f", line 3: {problem}"
