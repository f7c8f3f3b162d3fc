"""Flags and words of a command line, and what answers a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from absl import flags

from svhn.runtime import command_line, shell
from svhn.runtime.command_line import WORDS, CutFlag, Grammar
from svhn.runtime.help_page import Page

PAGE = Page("x [--flag=value …]", "Does x.", {"Main": ("folder", "count"), "More": ("share", "loud")}, rare=("share",))
CUT = {
    "table": CutFlag("--table is gone: x {value}", WORDS),
    "number": CutFlag("--number is --count now", "count"),
    "quiet": CutFlag("--quiet has no effect", takes_value=False),
}


def options() -> flags.FlagValues:
    defined = flags.FlagValues()
    flags.DEFINE_string("folder", "data", "where it goes", flag_values=defined)
    flags.DEFINE_integer("count", 3, "how many", flag_values=defined)
    flags.DEFINE_float("share", 0.5, "part of it", 0, 1, flag_values=defined)
    flags.DEFINE_bool("loud", True, "noise", flag_values=defined)
    return defined


def parse(*arguments: str) -> tuple[flags.FlagValues, list[str]]:
    values = options()
    return values, command_line.parse_words(Grammar(values, {"dir": "folder"}, CUT), arguments, PAGE)


def run(*arguments: str) -> int:
    return shell.run_main(lambda argv: command_line.parse_flags(options(), argv, PAGE, CUT), ["x", *arguments])


def test_flags_and_words_may_mix() -> None:
    values, words = parse("a", "--folder=elsewhere", "b c", "--count", "5", "--noloud", "-dir", "there", "--", "-d.jpg")
    assert (values["folder"].value, values["count"].value, values["loud"].value) == ("there", 5, False)
    assert words == ["a", "b c", "-d.jpg"]


def test_a_flag_without_a_value_takes_no_word() -> None:
    values, words = parse("--loud", "a", "--quiet", "b")
    assert values["loud"].present
    assert words == ["a", "b"]


def test_a_file_of_flags_is_read(tmp_path: Path) -> None:
    (tmp_path / "flags").write_text("--count=7\n--folder=there\n")
    assert command_line.expand_flagfiles(["a", f"--flagfile={tmp_path}/flags"]) == ["a", "--count=7", "--folder=there"]


def test_a_missing_file_of_flags_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--flagfile=nowhere") == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "count", "words", "noted"),
    [
        (["--number=4"], 4, [], "--count"),
        (["--number", "4", "a"], 4, ["a"], "--count"),
        (["--table=t.csv", "a"], 3, ["a", "t.csv"], "x t.csv"),
        (["--quiet"], 3, [], "no effect"),
    ],
)
def test_a_cut_flag_is_accepted_and_noted(
    arguments: Sequence[str], count: int, words: list[str], noted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    values, rest = parse(*arguments)
    assert (values["count"].value, rest) == (count, words)
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("note: ")
    assert noted in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--size=3", "unknown flag --size"),
        ("--cuont=3", "unknown flag --cuont: did you mean --count?"),
        ("--nofolder", "unknown flag --nofolder"),
        ("--count=many", "flag --count=many: invalid literal"),
        ("--count", "Missing value for flag --count"),
        ("--share=nan", "--share=nan: expected a number"),
        ("word", "unexpected 'word'"),
    ],
)
def test_a_wrong_command_line(argument: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argument) == 2
    output, line = capsys.readouterr()
    assert output == ""
    assert line.startswith(f"error: {message}")
    assert "--help" in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("wrong", "known", "near"),
    [
        ("learning_rate", ["lrate", "learn"], "lrate"),
        ("learning_rate", ["learning"], "learning"),
        ("nam", ["name", "count"], "name"),
        ("zzz", ["name"], ""),
    ],
)
def test_a_similar_name_is_suggested(wrong: str, known: list[str], near: str) -> None:
    assert command_line.suggest_name(wrong, known) == near


def test_help_lists_flags_under_their_headings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    output, line = capsys.readouterr()
    assert line == ""
    assert output.startswith("x [--flag=value …]\n\nDoes x.\n\nMain:\n  --folder ")
    assert "where it goes (data)\n" in output
    assert "--[no]loud" in output
    assert "noise (on)\n" in output
    assert "--share" not in output
    assert "--help=all" in output
    assert "flagfile" not in output


def test_help_of_all_flags_lists_rare_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help=all") == 0
    assert "part of it (0.5)\n" in capsys.readouterr().out
