"""Tables that grow row by row: what is in them at each moment, and what becomes of an earlier file."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path

import pytest
from support.stub_reader import FOUND

from svhn.errors import UserError
from svhn.labels import Reading, Seen
from svhn.reading.growing import ENDINGS, can_grow, open_growing_table
from svhn.reading.outputs import make_row

SEEN = Seen(3, 5, 0.5, 1.25, 1.0, 5, 12, 10)
ROW = make_row("clip.mp4", Reading((FOUND._replace(seen=SEEN),), size=(60, 40)))
every_ending = pytest.mark.parametrize("ending", ENDINGS)


def count_rows(path: Path) -> int:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        rows = [*csv.DictReader(text.splitlines())]
        assert [row["number"] for row in rows] == ["27"] * len(rows)
        return len(rows)
    rows = [json.loads(line) for line in text.splitlines()]
    assert rows == [ROW] * len(rows)
    return len(rows)


@every_ending
def test_each_row_is_in_the_file_at_once(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"deep/table{ending}"
    with open_growing_table(path, go_on=False) as write_row:
        assert not path.exists()
        for rows in range(1, 4):
            write_row(ROW)
            assert count_rows(path) == rows
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@every_ending
def test_an_earlier_table_is_replaced_by_the_first_row_or_gone_on_with(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    for go_on, rows in ((True, 1), (True, 2), (False, 1), (True, 2)):
        with open_growing_table(path, go_on) as write_row:
            write_row(ROW)
        assert count_rows(path) == rows
    before = path.read_bytes()
    for go_on in (False, True):
        with open_growing_table(path, go_on):
            pass
        assert path.read_bytes() == before


@every_ending
def test_a_row_that_was_cut_is_left_out_where_the_table_goes_on(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    with open_growing_table(path, go_on=True) as write_row:
        write_row(ROW)
        write_row(ROW)
    path.write_bytes(path.read_bytes()[:-9])
    with open_growing_table(path, go_on=True) as write_row:
        write_row(ROW)
    assert count_rows(path) == 2


@every_ending
@pytest.mark.parametrize("content", ["file,number\n", '{"schema": 1}\n', "[]\n", "ff\n"])
def test_rows_are_added_to_nothing_else(ending: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    path.write_text(content)
    with (
        pytest.raises(UserError, match=f"--output={path}: .*choose another name"),
        open_growing_table(path, go_on=True),
    ):
        pass
    assert path.read_text() == content


def test_an_empty_file_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.touch()
    with open_growing_table(path, go_on=True) as write_row:
        write_row(ROW)
    assert count_rows(path) == 1


def test_a_full_disk_names_the_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with open_growing_table(path, go_on=True) as write_row:
        write_row(ROW)
    with pytest.raises(OSError, match="No space left") as error, open_growing_table(path, go_on=True):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert error.value.filename == str(path)


def test_csv_and_json_lines_alone_grow() -> None:
    assert [can_grow(f"table{ending}") for ending in (".csv", ".CSV", ".jsonl", ".json", ".parquet")] == [
        *(True, True, True, False, False)
    ]
