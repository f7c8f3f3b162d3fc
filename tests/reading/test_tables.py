"""Rows and tables of readings: each format holds what output.schema.json describes, also where something goes wrong."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pyarrow import parquet
from support.program import ROOT
from support.stub_reader import FOUND, LONG, SEVERAL

from svhn.errors import UserError
from svhn.labels import Reading, Refusal, Seen
from svhn.reading import outputs, tables
from svhn.reading.outputs import CSV_COLUMNS, Row, format_reading, format_time, make_row
from svhn.reading.tables import ENDINGS, open_table

SCHEMA = json.loads((Path(outputs.__file__).parent / "output.schema.json").read_text(encoding="utf-8"))
NAME = os.fsdecode(b'T\xfcr, "1"\r\n\xc3\xa9.png')  # bytes that are not UTF-8, and all that a CSV has to quote
READINGS = {
    NAME: Reading((FOUND,), size=(60, 40)),
    "several.png": Reading(SEVERAL, size=(60, 40)),
    "unlocated.png": Reading((FOUND._replace(corners=None),)),
    "clip.mp4": Reading((FOUND._replace(seen=Seen(3, 5, 0.04, 1796000000.12345, 2.0, 1, 50, 49)),), size=(60, 40)),
    "refused.png": Reading(refused=Refusal("61", 0.95, 0.98), size=(60, 40)),
    "empty.png": Reading(refused=Refusal("", 1e-9, 0.6), size=(1, 1)),
    "nothing.png": Reading(size=(60, 40)),
    "long.png": Reading((LONG,), size=(60, 40)),
    "bad.png": Reading(error="the file is not a picture\udcff"),
}
ROWS = [make_row(*pair) for pair in READINGS.items()]
every_ending = pytest.mark.parametrize("ending", ENDINGS)


def check(part: str, value: object) -> None:
    """Raise if the value is not as a part of the schema describes it."""
    Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]}).validate(value)


def write(path: Path, rows: list[Row], stop: type[BaseException] | None = None) -> Path:
    with open_table(path) as write_row:
        for row in rows:
            write_row(row)
        if stop:
            raise stop
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_json(path: Path) -> list[Row]:
    document = json.loads(path.read_text(encoding="utf-8"))
    check("document", document)
    return document["pictures"]


def read_lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def read_parquet(path: Path) -> list[Row]:
    return parquet.read_table(path).to_pylist()


READERS: dict[str, Callable[[Path], list[Any]]] = {
    ".csv": read_csv,
    ".json": read_json,
    ".jsonl": read_lines,
    ".parquet": read_parquet,
}


def test_the_schema_is_one_and_of_the_version_that_is_written() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["schema"]["const"] == outputs.SCHEMA
    assert SCHEMA["$defs"]["csv_row"]["properties"]["schema"]["const"] == str(outputs.SCHEMA)
    assert SCHEMA["$defs"]["csv_row"]["required"] == list(CSV_COLUMNS)
    with pytest.raises(Exception, match="is a required property"):
        check("picture", {})


def test_the_row_that_the_page_shows_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/output.md").read_text(encoding="utf-8"), re.DOTALL)
    row = json.loads(example)
    check("picture", row)
    assert [*row] == [*ROWS[0]]
    assert [*row["numbers"][0]] == [*ROWS[0]["numbers"][0]]


def test_a_row_of_a_number() -> None:
    assert ROWS[0] == {
        "schema": 2,
        "file": 'T\ufffdr, "1"\r\né.png',
        "width": 60,
        "height": 40,
        "numbers": [
            {
                "text": "27",
                "truncated": False,
                "confidence": 0.875,
                "box": [10.0, 5.0, 30.0, 15.0],
                "corners": [[10.0, 5.0], [30.0, 5.0], [30.0, 15.0], [10.0, 15.0]],
                "digits": [{"text": "2", "confidence": 0.9}, {"text": "7", "confidence": 0.95}],
                "seen": None,
            }
        ],
        "refused": None,
        "error": None,
    }


def test_a_row_of_three_numbers_has_the_corners_of_a_turned_box() -> None:
    first, turned, third = ROWS[1]["numbers"]
    assert [each["text"] for each in (first, turned, third)] == ["27", "8", "061"]
    assert turned["box"] == [37.0, 20.0, 48.0, 30.0]
    assert turned["corners"] == [[40.0, 20.0], [48.0, 26.0], [45.0, 30.0], [37.0, 24.0]]
    assert [each["confidence"] for each in third["digits"]] == [0.9, 0.8, 0.7]


def test_a_row_of_a_number_of_a_video_has_its_times() -> None:
    assert ROWS[3]["numbers"][0]["seen"] == {
        **{"order": 3, "frames": 5, "first": 0.04, "last": 1796000000.123, "best": 2.0},
        **{"first_frame": 1, "last_frame": 50, "best_frame": 49},
    }
    line = format_reading("clip.mp4", READINGS["clip.mp4"])
    assert re.fullmatch(r"clip\.mp4  27  0\.875  0:00\.0 to 2026-11-\d\d \d\d:\d\d:\d\d", line)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (59.94, "0:59.9"), (59.96, "1:00.0"), (3599.97, "1:00:00.0"), (45296.7, "12:34:56.7")],
)
def test_a_time_of_a_video_in_words(seconds: float, text: str) -> None:
    assert format_time(seconds) == text


def test_rows_without_a_number() -> None:
    *_, refused, _, nothing, _, bad = ROWS
    assert (refused["numbers"], refused["refused"]) == ([], {"text": "61", "confidence": 0.95, "needed": 0.98})
    assert (nothing["numbers"], nothing["refused"], nothing["error"]) == ([], None, None)
    assert (bad["numbers"], bad["width"], bad["error"]) == ([], None, "the file is not a picture\ufffd")


def test_a_number_that_is_too_long_has_no_digits() -> None:
    (number,) = make_row("long.png", READINGS["long.png"])["numbers"]
    assert (number["text"], number["truncated"], number["digits"]) == ("", True, [])
    assert (number["confidence"], number["box"]) == (0.75, [10.0, 5.0, 30.0, 15.0])


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".parquet"])
def test_a_table_holds_the_rows(ending: str, tmp_path: Path) -> None:
    rows = READERS[ending](write(tmp_path / f"deep/table{ending.upper()}", ROWS))
    assert rows == ROWS
    for row in rows:
        check("picture", row)


def test_a_csv_has_a_line_per_number(tmp_path: Path) -> None:
    rows = read_csv(write(tmp_path / "table.csv", ROWS))
    for row in rows:
        check("csv_row", row)
    empty = dict.fromkeys(CSV_COLUMNS, "")
    number = {"number": "27", "confidence": "0.875000", "digit_confidences": "0.9000 0.9500", "schema": "2"}
    box = dict(zip(("left", "top", "right", "bottom"), ("10.0", "5.0", "30.0", "15.0"), strict=True))
    located = {**empty, **number, **box, "index": "0", "corners": "10.0 5.0 30.0 5.0 30.0 15.0 10.0 15.0"}
    assert rows[0] == {**located, "file": ROWS[0]["file"]}
    assert rows[1] == {**located, "file": "several.png"}
    assert [(row["file"], row["number"], row["index"]) for row in rows[1:4]] == [
        ("several.png", text, str(index)) for index, text in enumerate(("27", "8", "061"))
    ]
    assert [rows[2][side] for side in ("left", "top", "right", "bottom")] == ["37.0", "20.0", "48.0", "30.0"]
    assert rows[2]["corners"] == "40.0 20.0 48.0 26.0 45.0 30.0 37.0 24.0"
    assert rows[4] == {**empty, **number, "file": "unlocated.png", "index": "0"}
    seen = {"first": "0.04", "last": "1796000000.123", "best": "2.0", "frames": "5"}
    places = {"first_frame": "1", "last_frame": "50", "best_frame": "49", "index": "3"}
    assert rows[5] == {**located, **seen, **places, "file": "clip.mp4"}
    refusal = {"refused": "61", "refused_confidence": "0.950000", "needed": "0.980000"}
    assert rows[6] == {**empty, **refusal, "file": "refused.png", "schema": "2"}
    assert rows[7]["refused_confidence"] == "0.000000"
    cells = {"number": "", "confidence": "0.750000", "digit_confidences": "", "truncated": "1"}
    assert rows[9] == {**located, **cells, "file": "long.png"}
    assert rows[10] == {**empty, "file": "bad.png", "schema": "2", "error": "the file is not a picture\ufffd"}


def test_a_long_table_has_several_groups_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_PER_GROUP", 4)
    path = write(tmp_path / "table.parquet", ROWS * 3)
    assert parquet.ParquetFile(path).num_row_groups == 7
    assert read_parquet(path) == ROWS * 3


@pytest.mark.parametrize("stop", [KeyboardInterrupt, BrokenPipeError])
@every_ending
def test_what_was_read_until_the_end_came_is_kept(ending: str, stop: type[BaseException], tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    with pytest.raises(stop):
        write(path, [ROWS[0]], stop)
    assert len(READERS[ending](path)) == 1
    assert list(tmp_path.iterdir()) == [path]


@every_ending
def test_an_earlier_table_stays_if_nothing_was_read(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    path.write_text("of many hours")
    with pytest.raises(KeyboardInterrupt), open_table(path):
        raise KeyboardInterrupt
    assert path.read_text() == "of many hours"
    assert list(tmp_path.iterdir()) == [path]


class CuttingFile:
    """A file that an exception comes into when so many bytes are written: some of them are on the disk."""

    def __init__(self, file: Any, limit: int, error: BaseException) -> None:
        self.file, self.limit, self.error = file, limit, error

    def write(self, data: bytes) -> None:
        self.limit -= len(data)
        if self.limit < 0 <= self.limit + len(data):
            self.file.write(data[:9])
            raise self.error
        self.file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def cut_files(monkeypatch: pytest.MonkeyPatch, limit: int, error: BaseException) -> None:
    make_table: Any = tables._make_table
    monkeypatch.setattr(tables, "_make_table", lambda path, file: make_table(path, CuttingFile(file, limit, error)))


@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl"])
def test_a_row_that_was_cut_in_two_is_left_out(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_files(monkeypatch, 1200, KeyboardInterrupt())
    path = tmp_path / f"table{ending}"
    with pytest.raises(KeyboardInterrupt):
        write(path, [ROWS[2]] * 50)
    rows = READERS[ending](path)
    assert 0 < len(rows) < 50
    assert all(row == rows[0] for row in rows)


def test_a_group_of_rows_that_was_cut_in_two_is_the_end_of_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROWS_PER_GROUP", 4)
    cut_files(monkeypatch, 3000, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    path = tmp_path / "table.parquet"
    path.write_text("earlier")
    with pytest.raises(OSError, match="No space left") as error:
        write(path, ROWS * 20)
    assert error.value.filename == str(path)
    assert path.read_text() == "earlier"


@every_ending
def test_a_full_disk_keeps_the_earlier_table(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(_: object) -> Iterator[None]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("svhn.runtime.files.flush_to_disk", fill)
    path = tmp_path / f"table{ending}"
    path.write_text("earlier")
    with pytest.raises(OSError, match="No space left") as error:
        write(path, ROWS)
    assert error.value.filename == str(path)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


@every_ending
def test_of_two_at_once_the_last_table_stays_whole(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    with tables.open_table(path) as write_row:
        write_row(ROWS[0])
        write(path, ROWS[1:])
    assert READERS[ending](path) == READERS[ending](write(tmp_path / f"alone{ending}", ROWS[:1]))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["table.txt", "table", ".csv"])
def test_a_table_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=rf"^--output={name}: expected .*, or a folder, as {name}/"):
        tables.check_output(name)
    for ending in ENDINGS:
        tables.check_output(f"new{ending.upper()}")


def test_parquet_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"--output=a\.parquet: .* pip install -e '\.\[parquet\]'"):
        tables.check_output("a.parquet")


@pytest.mark.parametrize(
    ("reading", "line"),
    [
        (READINGS[NAME], "door.jpg  27  0.875"),
        (READINGS["several.png"], "door.jpg  27  0.875  8  0.960  061  0.600"),
        (READINGS["nothing.png"], "door.jpg  no number"),
        (READINGS["long.png"], "door.jpg  too long  0.750"),
        (
            READINGS["refused.png"],
            "door.jpg  no number (61 at 0.95, where 0.98 is needed in this picture)",
        ),
        (READINGS["empty.png"], "door.jpg  no number (at 0.00, where 0.60 is needed in this picture)"),
        (
            Reading(refused=Refusal("61", 0.9796, 0.9801)),
            "door.jpg  no number (61 at 0.9796, where 0.9801 is needed in this picture)",
        ),
    ],
)
def test_a_line_gives_the_file_the_number_and_what_decided(reading: Reading, line: str) -> None:
    assert format_reading("door.jpg", reading) == line


def test_a_line_is_one_line() -> None:
    assert format_reading(NAME, READINGS[NAME]) == 'T\ufffdr, "1"\ufffd\ufffdé.png  27  0.875'
