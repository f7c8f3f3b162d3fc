"""Parts of longer numbers, to train on: their digits, their boxes, and that no part of what validates is among them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from support.fixtures import GROUND, INK, NUMBERS, Row, write_format1

from svhn import records
from svhn.datasets import DATASETS, format1
from svhn.labels import decode_slots
from svhn.runtime import shell
from svhn.spec import Entry, Info
from svhn.wrangle import __main__
from svhn.wrangle.convert import Options, convert_dataset

SPEC = DATASETS["svhn"]


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    write_format1(tmp_path / "train")
    return list(format1.list_entries(tmp_path, "train"))


def test_of_one_digit_or_not_left_to_right_there_are_no_parts(entries: list[Entry]) -> None:
    assert [entry.name for entry in entries if not entry.parts] == ["train/2.png", "train/6.png"]


def test_a_part_is_digits_in_a_row_and_the_box_around_them(entries: list[Entry]) -> None:
    found = [part for entry in entries for part in entry.parts]
    assert len(found) == 4
    for part in found:
        name, first, last = part.name.removeprefix("train/").replace(" to ", " ").split()
        shown = NUMBERS[name][int(first) - 1 : int(last)]
        assert 0 < len(shown) < len(NUMBERS[name])
        assert part.label == "".join(str(int(label) % 10) for label, *_ in shown)  # label 10: the digit 0
        assert part.source[1] == format1.compute_number_box([list(row) for row in shown])
        assert part.boxes == format1.list_digit_boxes([list(row) for row in shown])


def test_a_part_shows_its_own_digits(tmp_path: Path) -> None:
    numbers: dict[str, list[Row]] = {"1.png": [(1, 4, 10, 9, 20), (2, 50, 10, 9, 20)]}
    write_format1(tmp_path / "train", numbers)
    ((part,),) = (entry.parts for entry in format1.list_entries(tmp_path, "train"))
    pixels = SPEC.load(part, (20, 9), 0.0)
    assert (pixels == INK).all()
    bordered = SPEC.load(part, (26, 11), 0.15)
    assert not (bordered == INK).all()
    assert (bordered[0] == GROUND).all()


def test_every_run_of_digits_is_drawn_and_every_length_as_often() -> None:
    rows = [[digit, 10.0 * digit, 5.0, 8.0, 16.0] for digit in (1, 2, 3, 4)]
    drawn = Counter(
        part.label
        for number in range(6000)
        for part in format1.sample_parts(Entry(f"{number}", "1234", ("", None)), rows)
    )
    assert sorted(drawn) == ["1", "12", "123", "2", "23", "234", "3", "34", "4"]
    lengths = Counter(len(label) for label in drawn.elements())
    assert all(1900 < lengths[length] < 2100 for length in (1, 2, 3))


def test_a_broken_number_has_no_parts(tmp_path: Path) -> None:
    write_format1(tmp_path / "train", {"1.png": [(2, 8, 10, 9, 20), (11, 20, 10, 6, 20)]})
    (entry,) = format1.list_entries(tmp_path, "train")
    assert entry.problem.startswith("label 11 of digit 2")
    assert entry.parts == ()


def wrangled(folder: Path, records_dir: str, max_length: int, **options: Any) -> Info:
    """Records of 40 numbers of one to five digits, and of one of six, which is left out with its part."""
    if not (folder / "data").exists():
        lengths = [6, *(1 + number % 5 for number in range(40))]
        numbers: dict[str, list[Row]] = {
            f"{number}.png": [(1 + place, 2 + 10 * place, 10, 8, 10 + number / 2) for place in range(length)]
            for number, length in enumerate(lengths)
        }
        write_format1(folder / "data" / "train", numbers)
        write_format1(folder / "data" / "test")
    given = Options(SPEC.size, SPEC.margin, valid_share=0.3, **options)
    convert_dataset(
        __main__.set_max_length(SPEC, max_length), folder / "data", folder / records_dir, ["train", "test"], given
    )
    return records.read_info(folder / records_dir, "svhn")


def examples(folder: Path, info: Info, split: str) -> dict[str, Any]:
    """Pixels and label of each record of a split, by name."""
    ds = tf.data.TFRecordDataset([str(path) for path in records.open_split(folder, info, split).paths])
    parsed = [
        {name: value.numpy() for name, value in records.parse_example(record, info.max_length).items()} for record in ds
    ]
    return {bytes(each["name"]).decode(): (each["image"], decode_slots(each["digits"])) for each in parsed}


@pytest.mark.parametrize("max_length", [5, 3])
def test_train_gets_parts_of_its_own_numbers_and_the_other_splits_stay_as_they_are(
    tmp_path: Path, max_length: int
) -> None:
    plain, with_parts = (wrangled(tmp_path, name, max_length, parts=name == "parts") for name in ("plain", "parts"))
    for split in ("valid", "test"):
        assert examples(tmp_path / "plain", plain, split) == examples(tmp_path / "parts", with_parts, split)
    whole = examples(tmp_path / "plain", plain, "train")
    found = examples(tmp_path / "parts", with_parts, "train")
    assert whole.items() < found.items()
    added = [name.split()[0] for name in found if name not in whole]
    assert set(added) == {name for name in whole if (int(name[6:-4]) - 1) % 5}  # those of more than one digit
    assert len(added) == len(set(added))
    assert list(found)[: len(whole)] != list(whole)  # they are mixed


def test_the_flag_adds_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_format1(tmp_path / "train")
    command = ["wrangle", f"--data_dir={tmp_path}", f"--records_dir={tmp_path / 'records'}"]
    assert shell.run_main(__main__.main, [*command, "--parts"]) == 0
    assert "train: 8 examples" in capsys.readouterr().out  # five numbers of up to five digits, and three parts


def test_data_without_boxes_of_digits_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_format1(tmp_path / "train", {"1.png": [(7, 20, 5, 12, 30)]})
    command = ["wrangle", f"--data_dir={tmp_path}", f"--records_dir={tmp_path / 'records'}", "--parts"]
    assert shell.run_main(__main__.main, command) == 1
    assert "--parts: svhn has no longer numbers, or doesn't say where their digits are" in capsys.readouterr().err
    assert not (tmp_path / "records" / "svhn" / "info.json").exists()


def test_whole_pictures_have_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_format1(tmp_path / "train")
    command = ["wrangle", "--dataset=svhn_full", f"--data_dir={tmp_path}", f"--records_dir={tmp_path / 'records'}"]
    assert shell.run_main(__main__.main, [*command, "--parts"]) == 1
    assert "--parts: svhn_full has no longer numbers, or doesn't say" in capsys.readouterr().err


def test_test_gets_none_alone_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_format1(tmp_path / "test")
    command = ["wrangle", f"--data_dir={tmp_path}", f"--records_dir={tmp_path / 'records'}", "--splits=test", "--parts"]
    assert shell.run_main(__main__.main, command) == 0
    assert "test: 5 examples" in capsys.readouterr().out
