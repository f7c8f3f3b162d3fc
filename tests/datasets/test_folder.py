"""A folder of one's own pictures, with every mistake that its table can have, and the look at it before training."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svhn import records
from svhn.datasets import DATASETS, folder
from svhn.download.__main__ import main
from svhn.errors import UserError
from svhn.runtime import shell
from svhn.spec import Entry
from svhn.wrangle import __main__

SPEC = DATASETS["folder"]
HEADER = "filename,label,left,top,width,height,split\n"


def write(data_dir: Path, table: str, names: tuple[str, ...] = ("a.png", "b.png", "sub/c.jpg")) -> Path:
    """Pictures of 60 x 40 pixels, each with a white box of 20 x 20 at 10,5, and noise of its own."""
    for index, name in enumerate(names):
        path = data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(index).integers(0, 60, (40, 60, 3), np.uint8)
        pixels[5:25, 10:30] = 255
        Image.fromarray(pixels).save(path, quality=95)
    (data_dir / "labels.csv").write_text(table, encoding="utf-8")
    return data_dir


def entries(data_dir: Path, source: str = "train") -> list[Entry]:
    return list(SPEC.entries(data_dir, source, 0))


def run(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str, str]:
    code = shell.run_main(__main__.main, ["wrangle", "--dataset=folder", "--processes=1", *flags])
    out, error = capsys.readouterr()
    return code, out, error


def test_rows_become_numbers_by_split(tmp_path: Path) -> None:
    data_dir = write(tmp_path, HEADER + "b.png,27,,,,,test\nsub/c.jpg,1,,,,,train\na.png,210,10,5,20,20,train\n")
    first, second = entries(data_dir)
    assert (first.name, first.label, first.source) == ("a.png", "210", (f"{data_dir}/a.png", (10, 5, 30, 25), None))
    assert (second.name, second.label, second.source[1]) == ("sub/c.jpg", "1", None)
    assert [entry.name for entry in entries(data_dir, "test")] == ["b.png"]
    assert SPEC.load(first, (10, 10), 0.0)[1:-1, 1:-1].min() > 230  # its box
    assert SPEC.load(second, (40, 60), 0.0)[5:25, 10:30].min() > 200  # all of it
    assert SPEC.present(data_dir, "train")
    assert SPEC.present(data_dir, "test")


def test_two_columns_are_enough(tmp_path: Path) -> None:
    data_dir = write(tmp_path, "\ufefffilename,label\na.png, 007 \n")
    (entry,) = entries(data_dir)
    assert (entry.label, entry.problem) == ("007", "")
    assert not SPEC.present(data_dir, "test")


def test_two_numbers_of_one_picture_stay_together(tmp_path: Path) -> None:
    rows = "a.png,1,0,0,9,9,train\nb.png,2,0,0,9,9,train\na.png,3,9,9,9,9,train\n"
    found = [(entry.name, entry.picture, entry.label) for entry in entries(write(tmp_path, HEADER + rows))]
    assert found == [("a.png", "a.png", "1"), ("a.png (2)", "a.png", "3"), ("b.png", "b.png", "2")]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a.png,12a,,,,,train", "label '12a', expected digits"),
        ("a.png,,,,,,train", "label '', expected digits"),
        ("a.png,²,,,,,train", "label '²', expected digits"),
        ("../a.png,1,,,,,train", "filename '../a.png', expected a path below the folder"),
        ("/a.png,1,,,,,train", "filename '/a.png', expected a path below the folder"),
        (",1,,,,,train", "filename '', expected a path below the folder"),
        ("a.png,1,1,2,3,,train", "box '1,2,3,', expected four numbers"),
        ("a.png,1,1,2,3,x,train", "box '1,2,3,x', expected four numbers"),
        ("a.png,1,1,2,0,5,train", "box '1,2,0,5', expected a width and a height above 0"),
        ("a.png,1,nan,2,3,5,train", "box 'nan,2,3,5', expected a width and a height above 0"),
        ("a.png,1,1,2,1.5,5,train", "box '1,2,1.5,5', expected pixels, at least 2 wide and high"),
        (
            "a.png,1,.1,.2,.7,1,train",
            "box '.1,.2,.7,1', expected pixels, at least 2 wide and high: multiply shares by the picture's width "
            "and height",
        ),
        ("a.png,1,,,,,valid", "split 'valid', expected train or test"),
        (
            "a.png,x,1,2,3,,Test",
            "label 'x', expected digits; box '1,2,3,', expected four numbers; split 'Test', expected train or test",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, row: str, problem: str) -> None:
    (entry,) = entries(write(tmp_path, f"{HEADER}{row}\n"))
    assert entry.problem == f"labels.csv, line 2: {problem}"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name,label\na.png,1\n", "line 1: column 'name', expected filename"),
        ("filename,label,left\na.png,1,2\n", "has no column top, width, height"),
        ("", "has no column filename, label"),
        (HEADER, "labels.csv has only a header: "),
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path: Path, table: str, said: str) -> None:
    data_dir = write(tmp_path, table)
    with pytest.raises(UserError, match=said):
        entries(data_dir)


def test_what_is_nowhere_published_is_not_to_be_downloaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = write(tmp_path, "filename,label\na.png,7\n")
    code, _, error = run(capsys, f"--data_dir={data_dir}", "--splits=test")
    assert (code, "has no test of folder" in error, "leave out --splits" in error) == (1, True, True)
    assert shell.run_main(main, ["download", "--dataset=folder", f"--data_dir={data_dir}"]) == 1
    assert f"put your own pictures into {data_dir}" in capsys.readouterr().err


def test_without_a_table_its_columns_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, error = run(capsys, f"--data_dir={tmp_path}")
    assert code == 1
    assert "labels.csv is missing" in error
    assert "filename,label" in error
    (tmp_path / "labels.csv").write_bytes(b"filename,label\n\xff\xfe,1\n")
    with pytest.raises(UserError, match="line 2 has bytes that aren't UTF-8"):
        folder.read_labels(tmp_path)


def test_a_table_of_nearly_its_name_is_proposed(tmp_path: Path) -> None:
    (tmp_path / "Labels.CSV").touch()
    with pytest.raises(UserError, match=r"labels\.csv is missing; '.*Labels\.CSV' is there"):
        folder.read_labels(tmp_path)


def test_a_picture_of_one_color_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = write(tmp_path / "data", "filename,label\na.png,7\n")
    Image.new("RGB", (40, 20), (9, 8, 7)).save(data_dir / "a.png")
    code, out, _ = run(capsys, f"--data_dir={data_dir}", f"--records_dir={tmp_path}/records", "--check")
    assert (code, "  a.png: all pixels have the value 9,8,7" in out) == (1, True)


def test_long_numbers_are_kept_where_there_are_slots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = write(tmp_path / "data", "filename,label\na.png,12345678\nb.png,1\nsub/c.jpg,123456789\n")
    flags = f"--data_dir={data_dir}", f"--records_dir={tmp_path}/records", "--max_length=8"
    code, out, _ = run(capsys, *flags)
    assert code == 0
    assert "1 numbers longer than --max_length: a network learns that they are too long" in out
    info = records.read_info(tmp_path / "records", "folder")
    assert (info.max_length, info.longer, info.lengths["train"]) == (8, True, {"1": 1, "8": 1, "9": 1})


def test_a_check_of_good_pictures_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = write(tmp_path, HEADER + "a.png,1,,,,,train\nb.png,27,,,,,train\nsub/c.jpg,35,,,,,test\n")
    code, out, _ = run(capsys, f"--data_dir={data_dir}", f"--records_dir={tmp_path}/records", "--check")
    assert code == 0
    assert out.splitlines() == [
        f"{data_dir}/labels.csv: 3 rows with {HEADER.strip().replace(',', ', ')}; boxes in pixels",
        "train: 2 usable pictures",
        f"  1 digits       1 {'#' * 40}",
        f"  2 digits       1 {'#' * 40}",
        "test: 1 usable pictures",
        f"  2 digits       1 {'#' * 40}",
        "0 pictures with a gap as wide as a digit (the label may lack one)",
        "0 pictures with a number longer than --max_length (learned as too long)",
        "0 pictures that no label names",
        "0 pictures that can't be used",
        "0 pictures twice within a source",
        "0 pictures in two sources",
        "No problem found. Now run the same command without --check.",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png", "labels.csv", "sub"]


def test_a_check_lists_all_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("a.png", "b.png", "sub/c.jpg")
    rows = ["a.png,1", "b.png,27", "sub/c.jpg,123456", "missing.png,5", "empty.png,5", "a.png,x", "twin.png,1"]
    lines = [f"{row},,,,,train" for row in rows] + ["leak.png,27,,,,,test"]
    data_dir = write(tmp_path, HEADER + "\n".join(lines) + "\n", names)
    for copy, of in (("twin", "a"), ("leak", "b")):
        (data_dir / f"{copy}.png").write_bytes((data_dir / f"{of}.png").read_bytes())
    (data_dir / "empty.png").touch()
    code, out, error = run(capsys, f"--data_dir={data_dir}", f"--records_dir={tmp_path}/records", "--check")
    assert code == 1
    assert f"error: {data_dir}: 5 problems found" in error
    assert "--max_skipped" in error
    assert "3 pictures that can't be used:" in out
    for said in (
        "1 picture with a number longer than --max_length (learned as too long):\n  sub/c.jpg (123456)",
        "  missing.png: the picture is missing",
        "  empty.png: the file is not a picture, or of no known kind",
        "  a.png (2): labels.csv, line 7: label 'x', expected digits",
        "1 picture twice within a source:\n  a.png (1) = twin.png (1)",
        "1 picture in two sources:\n  b.png (27) = leak.png (27)",
    ):
        assert said in out


def test_a_picture_in_both_splits_is_found_whatever_its_boxes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "a.png,1,0,0,20,20,train\na.png,2,20,0,20,20,train\na.png,3,5,5,20,20,test\nb.png,4,0,0,9,9,test\n"
    code, out, _ = run(
        capsys, f"--data_dir={write(tmp_path, HEADER + rows)}", f"--records_dir={tmp_path}/records", "--check"
    )
    assert code == 1
    assert "0 pictures twice within a source\n1 picture in two sources:\n  a.png (1) = a.png (2) (2) = a.png (3)" in out


def test_pictures_are_opened_as_they_will_be_read(tmp_path: Path) -> None:
    """Turned as the camera says, and white where they are transparent."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data_dir = write(tmp_path, "filename,label\nlying.jpg,1\nclear.png,2\n")
    upright = Image.new("RGB", (40, 80))
    upright.paste("white", (0, 0, 40, 20))
    upright.transpose(Image.Transpose.ROTATE_90).save(data_dir / "lying.jpg", exif=exif)
    Image.new("RGBA", (40, 80), (0, 0, 0, 0)).save(data_dir / "clear.png")
    clear, lying = (SPEC.load(entry, (80, 40), 0.0) for entry in entries(data_dir))
    assert (clear == 255).all()
    assert lying[:18].min() > 200
    assert lying[22:].max() < 50


def test_a_check_shows_a_few_of_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{index}.png,5\n" for index in range(9))
    code, out, _ = run(
        capsys,
        f"--data_dir={write(tmp_path / 'data', 'filename,label' + chr(10) + rows)}",
        f"--records_dir={tmp_path}/records",
        "--check",
    )
    assert code == 1
    assert "9 pictures that can't be used:" in out
    assert "  4.png: the picture is missing\n  and 4 more\n" in out
    assert "3 pictures that no label names:\n" in out
    with (tmp_path / "records/folder/check.csv").open(newline="") as file:
        kinds = Counter(row["kind"] for row in csv.DictReader(file))
    assert kinds == {"that can't be used": 9, "that no label names": 3}


def test_fixed_lengths_stay_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = shell.run_main(__main__.main, ["wrangle", "--dataset=mnist", "--max_length=3", f"--data_dir={tmp_path}"])
    assert code == 1
    assert "--max_length=3: all numbers of mnist have 1 digits" in capsys.readouterr().err


def test_labels_without_any_number_replace_no_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = f"--data_dir={tmp_path}/data", f"--records_dir={tmp_path}/records"
    data_dir = write(tmp_path / "data", "filename,label\na.png,7\n")
    assert run(capsys, *flags)[0] == 0
    (data_dir / "labels.csv").unlink()
    lists = {"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "door"}]}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]}
    (data_dir / "coco.json").write_text(json.dumps({**lists, "annotations": [box]}))
    for more in (["--check"], []):
        code, _, error = run(capsys, *flags, *more)
        assert (code, f"{tmp_path}/data has no number that can be used" in error) == (1, True)
    assert records.read_info(tmp_path / "records", "folder").lengths["train"] == {"1": 1}
