"""`svhn report FOLDER`: the page, its tables, and what is said of pictures and labels that can't be used."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.program import ROOT, call, last_line
from support.stub_reader import EMPTY, MANY, REFUSED, THREE, StubReader, write_picture

from svhn.cli import reading_commands
from svhn.errors import UserError
from svhn.reporting import charts

HEADER = "filename,label,left,top,width,height"
ROWS = [
    "1.png,27,10,5,20,10",  # right, and so is its box
    "2.png,21,10,5,20,10",  # wrong in the right box
    "3.png,61,,,,",  # refused, and nearly right
    "4.png,5,1,1,9,9",  # refused
    "5.png,8,0,0,4,4",  # three are read, one of them right in another box
    "5.png,061,2,30,24,8",
    "5.png,999,,,,",
    "5.png,123,,,,",  # missed
]
REDS = {"1.png": 2, "2.png": 2, "3.png": REFUSED, "4.png": EMPTY, "5.png": THREE}
FIGURES = {"samples", "errors", "confusion-digits", "confusion-lengths", "reliability", "kept"}
FIGURES |= {"labels-digits", "labels-lengths"}


class Stub(StubReader):
    network = SimpleNamespace(engine="stub", records=SimpleNamespace(max_length=5))


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    """No networks, in this process."""
    monkeypatch.setattr(reading_commands, "_load_reader", lambda _: Stub())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, red in REDS.items():
        write_picture(tmp_path / "mine" / name, red)
    (tmp_path / "mine/labels.csv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    return tmp_path / "mine"


def add_rows(photos: Path, *rows: str) -> None:
    with (photos / "labels.csv").open("a") as file:
        file.writelines(f"{row}\n" for row in rows)


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("stub")
def test_numbers_that_are_too_long_are_one_length(photos: Path, tmp_path: Path) -> None:
    for name, red in (("6.png", MANY), ("7.png", 2)):
        write_picture(photos / name, red)
    add_rows(photos, "6.png,1234567,,,,", "7.png,7654321,,,,")
    assert call(tmp_path, "report", str(photos)) == 0
    html = (tmp_path / "results/released-large/photos-mine-released-large.html").read_text(encoding="utf-8")
    assert "Length 6 stands for all longer numbers." in html
    assert "<td>6</td><td>2</td><td>1</td><td>50.00%</td>" in re.sub(r"\s+", "", html)


@pytest.mark.usefixtures("stub")
def test_the_page_its_figures_and_tables(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "report", str(photos)) == 0
    folder = tmp_path / "results/released-large"
    output = capsys.readouterr().out
    assert f"3 of 8 numbers are right. Report saved to {folder}/photos-mine-released-large.html" in output
    assert {path.name for path in folder.glob("*.png")} == {f"photos-mine-{name}.png" for name in FIGURES}
    html = (folder / "photos-mine-released-large.html").read_text(encoding="utf-8")
    assert "mine: report on photos" in html
    assert "the run released-large with the finder finder, computed by stub" in html
    assert "3 right, 2 wrong, 2 refused, 1 missed." in html
    assert "1 of these would have been right at a lower --threshold" in html
    assert "read beside all labeled ones: 0." in html
    assert "3 of 4 found boxes" in html
    assert "61 at 0.950, needs 0.980" in html
    assert "The first 3 of 3 numbers without an answer" in html
    assert "2 of 2 errors, the surest first" in html
    assert "Not used" not in html


@pytest.mark.usefixtures("stub")
def test_the_tables_hold_every_label(photos: Path, tmp_path: Path) -> None:
    assert call(tmp_path, "report", str(photos)) == 0
    rows = read_table(tmp_path / "results/released-large/photos-mine-numbers.csv")
    assert [(row["label"], row["number"], row["outcome"]) for row in rows] == [
        ("27", "27", "right"),
        ("21", "27", "wrong"),
        ("61", "", "refused"),
        ("5", "", "refused"),
        ("8", "8", "right"),
        ("061", "061", "right"),
        ("999", "27", "wrong"),
        ("123", "", "missed"),
    ]
    assert [row["overlap"] for row in rows[:3]] == ["0.996016", "0.996016", ""]
    assert (rows[2]["refused"], rows[2]["needed"]) == ("61", "0.980000")
    kept = read_table(tmp_path / "results/released-large/photos-mine-coverage.csv")
    assert [(row["confidence"], row["numbers"], row["share"]) for row in kept] == [
        ("0.96", "1", "0.125000"),
        ("0.875", "4", "0.500000"),
        ("0.6", "5", "0.625000"),
    ]
    assert [float(row["right"]) for row in kept] == pytest.approx([1, 0.5, 0.6], abs=1e-6)


@pytest.mark.usefixtures("stub")
def test_what_can_not_be_used_is_named_and_counted(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_rows(photos, "bad.png,7,,,,", "gone.png,7,,,,", "1.png,2x,,,,")
    (photos / "bad.png").write_text("none")
    write_picture(photos / "unnamed.png")
    assert call(tmp_path, "report", str(photos)) == 1
    errors = capsys.readouterr().err.splitlines()
    start = errors.index("error: 2 of 7 pictures could not be read:")
    assert errors[start + 1].startswith(f"{photos}/bad.png: ")
    assert errors[start + 2].startswith(f"{photos}/gone.png: ")
    assert errors[start + 3] == "1 of 11 labels could not be used:"
    assert "line 12" in errors[start + 4]
    html = (tmp_path / "results/released-large/photos-mine-released-large.html").read_text(encoding="utf-8")
    unused = "2 pictures that could not be read, 1 label that could not be used, 1 picture without a label."
    assert unused in html
    assert f"{photos}/unnamed.png" in html
    rows = read_table(tmp_path / "results/released-large/photos-mine-numbers.csv")
    assert [row["name"] for row in rows if row["error"]] == ["bad.png", "gone.png", "1.png (2)"]


@pytest.mark.usefixtures("stub")
def test_a_folder_in_which_no_number_is_found(photos: Path, tmp_path: Path) -> None:
    (photos / "labels.csv").write_text("filename,label\n3.png,61\n4.png,5\n")
    assert call(tmp_path, "report", str(photos)) == 0
    html = (tmp_path / "results/released-large/photos-mine-released-large.html").read_text(encoding="utf-8")
    assert "0 right, 0 wrong, 2 refused, 0 missed." in html
    assert "mistakes</h2>" not in html
    assert read_table(tmp_path / "results/released-large/photos-mine-coverage.csv") == []


@pytest.mark.usefixtures("stub")
def test_no_report_is_written_if_nothing_was_read(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in REDS:
        (photos / name).write_text("none")
    assert call(tmp_path, "report", str(photos)) == 1
    assert "none of the pictures could be read" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.usefixtures("stub")
def test_a_split_has_files_of_its_own(photos: Path, tmp_path: Path) -> None:
    (photos / "labels.csv").write_text("filename,label,split\n1.png,27,test\n2.png,27,train\n")
    assert call(tmp_path, "report", str(photos), "--split=test") == 0
    (row,) = read_table(tmp_path / "results/released-large/photos-mine-test-numbers.csv")
    assert (row["name"], row["split"]) == ("1.png", "test")


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        (["FOLDER", "FOLDER"], 2, ["one folder"]),
        (["--engine=litert"], 2, ["--engine", "svhn report photos/"]),
        (["FOLDER/1.png"], 1, ["no such folder", "--name"]),
        (["FOLDER/.."], 1, ["labels.csv is missing"]),
        (["FOLDER", "--split=valid"], 1, ["--split=valid", "train and test"]),
        (["--split=train"], 1, ["--split=train", "valid or test"]),
        (["FOLDER", "--suspects"], 2, ["--suspects", "leave out the folder"]),
    ],
)
def test_mistakes_are_answered_in_a_line(
    arguments: list[str],
    code: int,
    parts: list[str],
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(tmp_path, "report", *(each.replace("FOLDER", str(photos)) for each in arguments)) == code
    line = last_line(capsys)
    assert [part for part in parts if part not in line] == []


@pytest.mark.usefixtures("stub")
def test_charts_are_looked_for_before_the_pictures_are_read(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise UserError("no charts")

    monkeypatch.setattr(charts, "check_installed", fail)
    assert call(tmp_path, "report", str(photos)) == 1
    assert capsys.readouterr().out == ""


def test_the_bundled_networks_report_without_tensorflow(tmp_path: Path) -> None:
    for name in ("171.jpg", "208.jpg", "28.jpg"):
        shutil.copy(ROOT / "svhn/examples" / name, tmp_path)
    (tmp_path / "labels.csv").write_text("filename,label\n171.jpg,171\n208.jpg,208\n28.jpg,28\n")
    check = f"""import sys
from svhn.cli import flags
from svhn.runtime import shell
code = shell.run_main(flags.main, ["svhn", "report", "{tmp_path}", "--results_dir={tmp_path}/out"])
assert code == 0 and not {{"tensorflow", "keras", "h5py"}} & sys.modules.keys(), code"""
    ended = subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT, capture_output=True, text=True)
    assert "3 of 3 numbers are right" in ended.stdout
