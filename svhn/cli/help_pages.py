"""The pages of `--help`, and the messages about flags and commands that are not there."""

from __future__ import annotations

import svhn
from svhn.cli.flag_table import ALIASES, FLAGS, GROUPS
from svhn.cli.table import COMMANDS
from svhn.datasets import DATASETS
from svhn.models import MODELS
from svhn.runtime.command_line import explain_unknown, suggest_name
from svhn.runtime.help_page import Page

TRAIN_NOTE = """A flag that is not given has the value that the run was begun with, or else the model's own default.
The defaults above are those that models share; config.json holds a run's own."""
EVALUATION_NOTE = "A flag that is not given has the value that the run was trained with."


def format_commands() -> str:
    """The page of `svhn --help`: every command in a line."""
    commands = (f"  {name:<10} {command.summary}" for name, command in COMMANDS.items())
    return "\n".join(
        [
            f"svhn {svhn.__version__} reads numbers of several digits in pictures.",
            "",
            "svhn COMMAND [--flag=value …]                    for example: svhn read door.jpg",
            "python main.py --mode=COMMAND [--flag=value …]   the same; trains without --mode",
            "",
            "Commands:",
            *commands,
            "",
            "svhn COMMAND --help   flags of a command, and their defaults",
            "svhn --version        version of this program",
        ]
    )


def make_page(name: str) -> Page:
    """The page of one command's `--help`."""
    command = COMMANDS[name]
    listed = (*command.flags, *command.rare)
    groups = {group: [flag for flag in listed if _get_group(name, flag) == group] for group in GROUPS}
    usage = " ".join(["svhn", name, *([command.words] if command.words else []), "[--flag=value …]"])
    note = (
        TRAIN_NOTE if "lrate" in (*command.flags, *command.idle) and name not in ("valid", "test") else EVALUATION_NOTE
    )
    return Page(
        usage,
        f"{command.summary[0].upper()}{command.summary[1:]}.",
        groups,
        command.rare,
        note,
        ALIASES,
        list_registered,
    )


def _get_group(command: str, flag: str) -> str:
    return COMMANDS[command].own.get(flag, FLAGS[flag]).group


def list_registered(flag: str) -> str:
    """The names that a flag can have, to follow its help; "" for a flag of any value."""
    if flag == "model":
        return f": {', '.join(MODELS)}"
    if flag == "dataset":
        return f": {', '.join(DATASETS)}"
    return ""


def explain_flag(command: str, flag: str) -> str:
    """The message about a flag that a command does not have: the commands that have it, or the most similar flag."""
    others = _find_commands(flag.removeprefix("no")) or _find_commands(flag)
    if others and command not in others:
        has = "have" if len(others) > 1 else "has"
        return f"{command} has no flag --{flag}: {_join_words(others)} {has} it; {command} --help lists the flags"
    own = COMMANDS[command].all_flags
    near = suggest_name(flag, {name for each in COMMANDS.values() for name in each.all_flags})
    if near and not suggest_name(flag, own):
        owners = _join_words(_find_commands(near))
        return f"unknown flag --{flag}: did you mean --{near} of {owners}? {command} --help lists the flags"
    return explain_unknown(flag, own)


def _find_commands(flag: str) -> list[str]:
    return [name for name, command in COMMANDS.items() if flag in command.all_flags]


def _join_words(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
