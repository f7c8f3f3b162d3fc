"""What a user typed, or a file holds, is quoted in one line of bounded length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
from h5py import h5f  # pyright: ignore[reportAttributeAccessIssue]

from svhn.cli import flags
from svhn.datasets.formats.digit_struct import read_digit_struct
from svhn.datasets.formats.digit_struct_writer import write_digit_struct
from svhn.datasets.formats.matlab5 import load_variables
from svhn.errors import LONGEST_QUOTE, UserError, quote, shorten
from svhn.runs.stored import list_differences
from svhn.runtime import shell
from svhn.wrangle.__main__ import main as wrangle

LONG = "x/" * 3500
LONGEST_LINE = 700


@pytest.mark.parametrize(
    "value",
    ["", "a ", "a\nb\x1b[0m", "\udcff", "日本", LONG, ["x" * 300] * 9, {"a": LONG}, 10**200, None, [[[[[[[[[1]]]]]]]]]],
)
def test_a_quoted_value_is_one_short_line(value: object) -> None:
    quoted = quote(value)
    assert len(quoted) <= LONGEST_QUOTE
    assert quoted.isprintable()
    assert value != "a " or quoted == "'a '"


def test_a_librarys_message_is_cut_at_its_first_line() -> None:
    assert shorten(ValueError("\n  a\nb")) == "a"
    assert shorten(IndexError()) == "IndexError"
    assert len(shorten(LONG)) == LONGEST_QUOTE


def fail(*_: object, **__: object) -> None:
    raise ValueError(LONG)


def test_what_a_library_prints_about_a_file_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scipy.io, "loadmat", fail)
    assert len(str(load_variables(tmp_path / "a.mat", ["X"]))) == LONGEST_QUOTE
    write_digit_struct(tmp_path / "digitStruct.mat", [("1.png", np.ones((1, 5)))])
    monkeypatch.setattr(h5f, "open", fail)
    with pytest.raises(UserError) as refusal:
        list(read_digit_struct(tmp_path / "digitStruct.mat"))
    assert len(str(refusal.value)) < LONGEST_LINE


def test_a_long_option_of_another_run_is_cut() -> None:
    (line,) = list_differences({"train_on": LONG}, {"train_on": ["svhn"]})
    assert len(line) < 2 * LONGEST_QUOTE


@pytest.mark.parametrize(
    "arguments",
    [
        [LONG],
        ["train", LONG],
        ["train", f"--{LONG}"],
        ["train", f"--num_steps={LONG}"],
        *(
            ["train", f"--{flag}={LONG}"]
            for flag in ("name", "model", "dataset", "train_on", "optimizer", "decay", "teacher", "init_from")
        ),
        ["train", f"--noaugment={LONG}"],
        ["valid", "--name=released", f"--checkpoint={LONG}"],
        ["read", f"--engine={LONG}", "a.jpg"],
        ["read", f"--output={LONG}.xyz", "svhn/examples/2507.jpg"],
        ["export", f"--format={LONG}"],
        ["wrangle", f"--size={LONG}"],
        ["wrangle", f"--nocheck={LONG}"],
        ["download", f"--splits={LONG}"],
        ["download", "--dataset=synthetic", f"--url={LONG}:"],
    ],
    ids=lambda arguments: " ".join(argument[:12] for argument in arguments),
)
def test_a_wrong_value_is_answered_in_a_short_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_main(flags.main, ["svhn", *arguments]) in (1, 2)
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert line.count("\n") == 1
    assert len(line) < LONGEST_LINE


@pytest.mark.parametrize("arguments", [["train", "--noaugment=true"], ["train", "--norandom_crop=1"]])
def test_a_value_after_no_names_what_to_type(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    name, _, _ = arguments[-1].partition("=")
    assert shell.run_main(flags.main, ["svhn", *arguments]) == 2
    assert f"expected {name} alone, or --{name.removeprefix('--no')}=false" in capsys.readouterr().err


def test_wrangle_takes_no_value_after_no(capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_main(wrangle, ["svhn wrangle", "--nocheck=true"]) == 2
    assert "--nocheck alone" in capsys.readouterr().err
