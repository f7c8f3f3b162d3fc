"""The command line: which command it names, that command's flags, and the call of its function."""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from absl import flags

import svhn
from svhn.cli import help_pages
from svhn.cli.flag_table import ALIASES, CHOICES, FLAGS
from svhn.cli.session import Session
from svhn.cli.table import COMMANDS, CUT_FLAGS, OTHER_NAMES, Command
from svhn.config import READER, Config, Paths, check_registered, parse_train_on
from svhn.errors import UserError, quote, shorten
from svhn.models import MODELS
from svhn.runtime import command_line
from svhn.runtime.command_line import Grammar
from svhn.runtime.shell import HelpRequest, UsageError

DEFINERS = {
    str: flags.DEFINE_string,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    bool: flags.DEFINE_bool,
    list: flags.DEFINE_list,
}
DEFAULT_COMMAND = "train"  # of flags alone, as in the reference
UNNAMED = "No command was named, so this trains a run. --help lists the commands."


def main(argv: list[str]) -> None:
    """Run the command that the command line names.

    Raises:
        UserError: a mistake that the user can mend; `UsageError` for the command line itself.
        HelpRequest: the user asked for help or the version; holds the text.
    """
    name, arguments = find_command(command_line.expand_flagfiles(argv[1:]))
    command = COMMANDS[name or DEFAULT_COMMAND]
    if command.program:
        _import_function(command.function)([f"svhn {name}", *arguments])
        return
    session = parse_session(name or DEFAULT_COMMAND, arguments)
    if not name:
        print(UNNAMED, flush=True)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    _import_function(command.function)(session)


def find_command(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The command that `--mode` or else the first word names, "" where flags alone were typed, and the other arguments.

    Raises:
        UsageError: there is no such command.
        HelpRequest: the user asked for the list of commands or the version, or typed nothing.
    """
    mode, rest = _take_mode(arguments)
    typed, words = command_line.split_arguments(rest, _takes_value)
    if not mode and words:
        mode = words[0]
        rest.remove(mode)
    if mode:
        return _resolve_command(mode, bool(words) and Path(words[0]).exists()), rest
    names = {flag.name for flag in typed}
    if "version" in names:
        raise HelpRequest(f"svhn {svhn.__version__}")
    if not typed or names & set(command_line.HELP_NAMES):
        raise HelpRequest(help_pages.format_commands())
    return "", rest


def _take_mode(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The value of the last `--mode`, "" where there is none, and the other arguments."""
    mode, rest, left = "", [], iter(arguments)
    for argument in left:
        name, equals, value = argument.removeprefix("-").removeprefix("-").partition("=")
        if name != "mode" or not argument.startswith("-"):
            rest.append(argument)
            continue
        mode = value if equals else next(left, "")
        if not mode:
            raise UsageError(f"--mode names nothing: expected one of {', '.join(COMMANDS)}")
    return mode, rest


def _takes_value(name: str) -> bool:
    name = ALIASES.get(name, name)
    if name in CUT_FLAGS:
        return CUT_FLAGS[name][1].takes_value
    return name in FLAGS and not isinstance(FLAGS[name].default, bool)


def _resolve_command(name: str, is_file: bool) -> str:
    name = OTHER_NAMES.get(name, name)
    if name in COMMANDS:
        return name
    if is_file:
        raise UsageError(f"{name} is a file and no command: to read it, type `read {name}`; --help lists the commands")
    near = command_line.suggest_name(name, (*COMMANDS, *OTHER_NAMES))
    suggestion = f"did you mean {near}? " if near else f"expected one of {', '.join(COMMANDS)}; "
    raise UsageError(f"unknown command {quote(name)}: {suggestion}--help lists the commands")


def parse_session(name: str, arguments: Sequence[str]) -> Session:
    """What the user asked of a command. Raises `UserError` for a wrong flag or value, before a file is read."""
    command = COMMANDS[name]
    values = define_flags(command)
    cut = {flag: each for flag, (commands, each) in CUT_FLAGS.items() if name in commands}
    grammar = Grammar(values, ALIASES, cut, partial(help_pages.explain_flag, name))
    words = command_line.parse_words(grammar, arguments, help_pages.make_page(name))
    if words and not command.words:
        raise UsageError(f"unexpected {quote(words[0])}: {name} takes flags, as --name=value; {name} --help lists them")
    return _make_session(name, values, words)


def define_flags(command: Command) -> flags.FlagValues:
    values = flags.FlagValues()
    for name in command.all_flags:
        flag = command.own.get(name, FLAGS[name])
        DEFINERS[type(FLAGS[name].default)](name, flag.default, flag.help, flag_values=values)
    return values


def _make_session(name: str, values: flags.FlagValues, words: list[str]) -> Session:
    named: dict[str, Any] = {**{flag: each.default for flag, each in FLAGS.items()}, **values.flag_values_dict()}
    if named["name"] is None:
        named["name"] = READER if words else Paths.name
    paths = Paths(**{field.name: named[field.name] for field in dataclasses.fields(Paths) if field.name in named})
    options = [field.name for field in dataclasses.fields(Config)]
    given = {option: named[option] for option in options if option in values and values[option].present}
    models = [_rename_model(model) for model in given.pop("model", "").split(",") if model]
    if name != "compare" and models:
        given["model"] = ",".join(models)
    if named["wait_minutes"] < 0:
        raise UserError(f"--wait_minutes={named['wait_minutes']:g}: expected a number of minutes from 0 on")
    if named["threads"] < 0:
        raise UserError(f"--threads={named['threads']}: expected a number of threads, or 0 for one per core")
    _check_given(given, models)
    for flag, choices in CHOICES.items():
        if named[flag] is not None and named[flag] not in choices:
            raise UserError(f"--{flag}={shorten(named[flag])}: expected one of {', '.join(choices)}")
    own = {field: flag for field in Session._fields if (flag := field.rstrip("_")) in FLAGS and flag != "images"}
    return Session(
        mode=name,
        paths=paths,
        given=given,
        images=[*words, *named["images"]],
        models=models,
        **{field: named[flag] for field, flag in own.items()},
    )


def _rename_model(name: str) -> str:
    from svhn.runs.stored import RENAMED_MODELS

    if name not in RENAMED_MODELS:
        return name
    print(
        f"note: the model {name} is called {RENAMED_MODELS[name]} now: --model={RENAMED_MODELS[name]}", file=sys.stderr
    )
    return RENAMED_MODELS[name]


def _check_given(given: dict[str, Any], models: list[str]) -> None:
    """Raise `UserError` for a value that no run can have."""
    from svhn.datasets import DATASETS
    from svhn.runs import stored

    for model in models:
        check_registered("model", MODELS, model)
    config = stored.make_config(given)
    for dataset in (config.dataset, *parse_train_on(config.train_on, config.dataset)):
        check_registered("data set", DATASETS, dataset)


def _import_function(target: str) -> Any:
    module, _, function = target.partition(":")
    return getattr(import_module(module), function)
