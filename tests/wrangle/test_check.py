"""Labels that lack a digit, as some of SVHN's do: its box is missing between two others."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fixtures import Row, write_format1
from support.wrangling import wrangled

from svhn.spec import Box
from svhn.wrangle import check


def box(left: float, top: float = 10, width: float = 10, height: float = 20) -> Box:
    return left, top, left + width, top + height


@pytest.mark.parametrize(
    ("boxes", "found"),
    [
        ([], False),
        ([box(0)], False),
        ([box(0), box(11), box(22)], False),
        ([box(0), box(17.9)], False),
        ([box(0), box(18.1)], True),
        ([box(18.1), box(0)], True),  # SVHN's are not always left to right
        ([box(0), box(11), box(33)], True),
        ([box(0), box(30, top=15.9)], True),
        ([box(0), box(30, top=16.1)], False),  # climbs: digits of such a number lie apart
        ([box(0), box(30, top=3.9)], False),
        ([box(0, width=30), box(40), box(60)], True),  # one wide box makes no digit wide
        ([box(0), box(18.1), box(29, height=60)], True),  # nor a tall one high
        ([box(0, width=4), box(10.3, width=4)], False),  # 1s, set as far apart as other digits
        ([box(0, width=4), box(10.5, width=4)], True),
    ],
)
def test_room_for_a_digit_is_a_gap_nearly_as_wide_as_one(boxes: list[Box], found: bool) -> None:
    assert check.has_wide_gap(boxes) == found


def test_a_source_that_can_not_be_read_is_listed_with_the_faults_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row: list[Row] = [(1, 4, 8, 8, 20)]
    write_format1(tmp_path / "data/train", {"1.png": row})
    broken = write_format1(tmp_path / "data/test", {"1.png": row, "2.png": row}) / "digitStruct.mat"
    (broken.parent / "2.png").unlink()
    broken.rename(tmp_path / "data/train/digitStruct.mat")  # names 2.png, too
    broken.write_bytes(b"MATLAB")
    assert wrangled(tmp_path / "data", tmp_path / "records", "--check") == 1
    said = capsys.readouterr()
    assert f"2 pictures that can't be used:\n  train/2.png: the picture is missing\n  test: {broken} " in said.out
    assert f"1 picture that no label names:\n  {broken.parent}/1.png" in said.out
    (tmp_path / "data/train/digitStruct.mat").write_bytes(b"MATLAB")
    assert wrangled(tmp_path / "data", tmp_path / "records", "--check") == 1
    assert "digitStruct.mat " in capsys.readouterr().err


def test_a_check_names_them_and_takes_them_for_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apart: list[Row] = [(1, 4, 8, 8, 20), (9, 34, 8, 8, 20)]
    close: list[Row] = [(1, 4, 8, 8, 20), (9, 14, 8, 8, 20)]
    folder = write_format1(tmp_path / "data/train", {"1.png": apart, "2.png": close})
    assert wrangled(tmp_path / "data", tmp_path / "records", "--check") == 0
    title = "with a gap as wide as a digit (the label may lack one)"
    assert f"1 picture {title}:\n  train/1.png (19)\n" in capsys.readouterr().out
    (folder / "1.png").unlink()
    assert wrangled(tmp_path / "data", tmp_path / "records", "--check") == 1
    said = capsys.readouterr()
    assert f"0 pictures {title}\n" in said.out
    assert "1 picture that can't be used:\n  train/1.png" in said.out
    assert f"{tmp_path / 'data'}: 1 problem found" in said.err
    assert "--max_skipped" in said.err
