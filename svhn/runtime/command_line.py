"""A command line: its words and flags, and what answers a flag that is not there."""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from absl import flags

from svhn.errors import quote, shorten
from svhn.runtime.help_page import Page, format_page
from svhn.runtime.shell import HelpRequest, UsageError

HELP_NAMES = ("help", "helpfull", "h")
WORDS = "words"  # what a cut flag becomes whose value now stands without a flag
NEGATION = "no"  # before the name of a flag that is on or off
SYNONYMS = {  # what other programs call a flag, and what it is called here
    "learning_rate": "lrate",
    "lr": "lrate",
    "epochs": "num_epochs",
    "steps": "num_steps",
    "workers": "num_threads",
    "threads": "num_threads",
    "batch": "batch_size",
    "greyscale": "grayscale",
    "gray": "grayscale",
    "data": "data_dir",
    "out": "output",
    "image": "images",
    "weights": "checkpoint",
    "run": "name",
}


@dataclass(frozen=True)
class CutFlag:
    """A flag of the version before, still accepted.

    Args:
        note: what the user reads on stderr: the flag's successor, or why it has no effect.
        becomes: the flag that takes the value over; `WORDS` for the words of the command line; "" for none.
        takes_value: whether a value follows the flag's name.
    """

    note: str
    becomes: str = ""
    takes_value: bool = True


@dataclass(frozen=True)
class Grammar:
    """The flags that a command line may have.

    Args:
        values: the flags, each defined with `flag_values=values`.
        aliases: other names of flags.
        cut: flags of the version before.
        explain: `(name)` to the message about a flag that is in none of these.
    """

    values: flags.FlagValues
    aliases: Mapping[str, str] = field(default_factory=dict)
    cut: Mapping[str, CutFlag] = field(default_factory=dict)
    explain: Callable[[str], str] | None = None


class Flag(NamedTuple):
    """A flag as it was typed: its name without dashes, and its value, None where none was given."""

    name: str
    value: str | None


def parse_flags(
    values: flags.FlagValues, argv: Sequence[str], page: Page, cut: Mapping[str, CutFlag] | None = None
) -> None:
    """Read the command line of a program without words into `values`.

    Args:
        values: flags of one command, each defined with `flag_values=values`.
        argv: the program's name, then the flags.
        page: the page of `--help`.
        cut: flags of the version before.

    Raises:
        UsageError: an unknown flag, an impossible value, or a word that is no flag.
        HelpRequest: the user asked for help.
    """
    words = parse_words(Grammar(values, cut=cut or {}), expand_flagfiles(argv[1:]), page)
    if words:
        raise UsageError(f"unexpected {quote(words[0])}: expected flags, as --name=value; --help lists them")


def expand_flagfiles(arguments: Sequence[str]) -> list[str]:
    """The arguments, with the content of each file that `--flagfile` names in its place."""
    try:
        return flags.FlagValues().read_flags_from_files(list(arguments))
    except flags.Error as error:
        raise UsageError(f"{shorten(error)}: expected --flagfile=FILE, a file with one flag per line") from error


def parse_words(grammar: Grammar, arguments: Sequence[str], page: Page) -> list[str]:
    """Read the flags into the grammar's values; returns the words. Raises as `parse_flags`."""
    typed, words = split_arguments(arguments, lambda name: _takes_value(grammar, name))
    for flag in typed:
        if flag.name in HELP_NAMES:
            raise HelpRequest(format_page(grammar.values, page, flag.value == "all" or flag.name == "helpfull"))
    translated = [_translate_flag(grammar, flag) for flag in typed]
    for name, value in translated:
        if not name or name == WORDS:
            continue
        if not _is_defined(grammar.values, name):
            raise UsageError(
                (grammar.explain or (lambda wrong: explain_unknown(wrong, list(grammar.values))))(shorten(name))
            )
        _check_negation(grammar.values, name, value)
    rebuilt = [_join_flag(name, value) for name, value in translated if name and name != WORDS]
    _read_values(grammar.values, rebuilt)
    return words + [value for name, value in translated if name == WORDS and value]


def _translate_flag(grammar: Grammar, flag: Flag) -> Flag:
    """The flag under today's name, "" where it has no effect any more. Prints a line about a flag that was cut."""
    name = grammar.aliases.get(flag.name, flag.name)
    if name not in grammar.cut:
        return Flag(name, flag.value)
    print(f"note: {grammar.cut[name].note.format(value=flag.value)}", file=sys.stderr)
    return Flag(grammar.cut[name].becomes, flag.value)


def _check_negation(values: flags.FlagValues, name: str, value: str | None) -> None:
    """Raises `UsageError` for a value after `--no…`, at which absl raises an error of its own kind."""
    if value is not None and name not in values:
        raise UsageError(
            f"--{name}={shorten(value)}: expected --{name} alone, or --{name.removeprefix(NEGATION)}=false; "
            "--help lists the flags"
        )


def _join_flag(name: str, value: str | None) -> str:
    return f"--{name}" if value is None else f"--{name}={value}"


def split_arguments(arguments: Sequence[str], takes_value: Callable[[str], bool]) -> tuple[list[Flag], list[str]]:
    """Flags and words, in any order; what follows `--` are words.

    Args:
        arguments: the command line without the program's name.
        takes_value: whether a value may follow the flag of that name.
    """
    found: list[Flag] = []
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            words += rest
        elif not argument.startswith("-") or argument == "-":
            words.append(argument)
        else:
            name, equals, value = argument.removeprefix("-").removeprefix("-").partition("=")
            found.append(Flag(name, value if equals else next(rest, None) if takes_value(name) else None))
    return found, words


def _takes_value(grammar: Grammar, name: str) -> bool:
    name = grammar.aliases.get(name, name)
    if name in grammar.cut:
        return grammar.cut[name].takes_value
    return name in grammar.values and not grammar.values[name].boolean


def _is_defined(values: flags.FlagValues, name: str) -> bool:
    negated = name.removeprefix(NEGATION)
    return name in values or (negated in values and bool(values[negated].boolean))


def _read_values(values: flags.FlagValues, arguments: list[str]) -> None:
    try:
        values(["", *arguments])
    except flags.Error as error:
        raise UsageError(f"{shorten(' '.join(str(error).split()))}: --help lists the flags") from error
    for name, value in values.flag_values_dict().items():
        if isinstance(value, float) and math.isnan(value):  # no bound keeps it out
            raise UsageError(f"--{name}={value}: expected a number; --help lists the flags")


def explain_unknown(name: str, known: Collection[str]) -> str:
    """The message about a flag that no command has, with the most similar one that there is."""
    near = suggest_name(name, known)
    suggestion = f"did you mean --{near}? " if near else ""
    return f"unknown flag --{name}: {suggestion}--help lists the flags"


def suggest_name(name: str, known: Collection[str]) -> str:
    """The known name that a wrong one most probably stands for, or ""."""
    if SYNONYMS.get(name) in known:
        return SYNONYMS[name]
    return next(iter(difflib.get_close_matches(name, known, 1)), "")
