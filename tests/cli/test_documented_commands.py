"""Every command line that the documents show is one that the program takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from svhn.cli.flags import find_command, parse_session
from svhn.cli.table import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("svhn/released/**/*.md")]
PROGRAMS = {  # how a command line begins, and the arguments that this beginning stands for
    "svhn ": (),
    "main.py ": (),
    "python main.py ": (),
    "python -m svhn.download": ("download",),
    "python -m svhn.wrangle": ("wrangle",),
}
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
NO_COMMAND = re.compile(
    r"[…|]|COMMAND|--help|--version|--output$|--parts|NAME$"
)  # shapes of command lines, help, cut flags


def list_command_lines(page: str) -> Iterator[str]:
    """Lines of shell blocks, and commands within sentences and tables."""
    for block in BLOCK.findall(page):
        yield from block.replace("\\\n", " ").splitlines()
    for command in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)):
        yield " ".join(command.split())


def list_arguments() -> Iterator[list[str]]:
    for page in PAGES:
        for line in list_command_lines(page.read_text(encoding="utf-8")):
            for beginning, arguments in PROGRAMS.items():
                if line.startswith(beginning) and not NO_COMMAND.search(line):
                    yield [*arguments, *shlex.split(line.removeprefix(beginning), comments=True)]


@pytest.mark.parametrize("arguments", sorted({tuple(each) for each in list_arguments()}), ids=" ".join)
def test_a_documented_command_line_is_taken(arguments: tuple[str, ...]) -> None:
    name, rest = find_command(arguments)
    if not COMMANDS[name].program:
        parse_session(name, rest)
        return
    known = COMMANDS[name].all_flags
    names = [each.removeprefix("--").partition("=")[0] for each in rest]
    assert [each for each in names if each not in known] == []


def test_there_are_many_of_them() -> None:
    assert len(list(list_arguments())) > 80
