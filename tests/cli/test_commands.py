"""The table of commands, how a command line names one, and what answers a wrong flag or command."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from support.program import call, last_line

from svhn import __version__
from svhn.cli import flags, help_pages
from svhn.cli.flag_table import CHOICES, FLAGS, GROUPS, NOT_FLAGS
from svhn.cli.session import Session
from svhn.cli.table import COMMANDS, CUT_FLAGS
from svhn.config import READER, Config, Paths
from svhn.download import __main__ as download
from svhn.publishing.formats import FORMATS
from svhn.runtime import shell
from svhn.runtime.shell import UsageError
from svhn.wrangle import __main__ as wrangle

REFERENCE = [
    "--name=a",
    "--log_name=b",
    "--num_epochs=9",
    "--batch_size=8",
    "--num_threads=1",
    "--verbose",
    "--lrate=0.1",
]
every_command = pytest.mark.parametrize("name", COMMANDS)


def run(*arguments: str) -> int:
    return shell.run_main(flags.main, ["svhn", *arguments])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions that commands are called with, in place of what they do."""
    sessions: list[Session] = []
    for command in COMMANDS.values():
        module, _, function = command.function.partition(":")
        if not command.program:
            monkeypatch.setattr(f"{module}.{function}", sessions.append)
    return sessions


def test_every_option_of_a_run_is_a_flag_of_train() -> None:
    options = {field.name for field in dataclasses.fields(Config)}
    assert options - set(COMMANDS["train"].all_flags) == set(NOT_FLAGS)


def test_every_flag_belongs_to_a_command() -> None:
    assert FLAGS.keys() - {name for command in COMMANDS.values() for name in command.all_flags} == set()
    assert {flag.group for flag in FLAGS.values()} <= set(GROUPS)


def test_no_flag_is_listed_twice() -> None:
    assert [name for name, command in COMMANDS.items() if len(set(command.all_flags)) < len(command.all_flags)] == []


def test_the_table_lists_what_download_and_wrangle_read() -> None:
    for name, program in (("download", download), ("wrangle", wrangle)):
        defined = {each for each in program._define_flags() if each not in ("help", "helpfull", "helpshort", "helpxml")}
        assert set(COMMANDS[name].flags) == defined
        assert {flag for names in program.GROUPS.values() for flag in names} == defined


def test_the_help_names_every_export_format() -> None:
    assert set(CHOICES["format"]) == set(FORMATS)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_all_commands_on_one_screen(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    starts = [line.split()[0] for line in lines if line.startswith("  ")]
    assert starts == list(COMMANDS)


@every_command
def test_every_command_has_a_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = COMMANDS[name]
    assert run(name, "--help") == 0
    short = capsys.readouterr().out
    assert run(f"--mode={name}", "--help=all") == 0
    complete = capsys.readouterr().out
    assert max(map(len, complete.splitlines())) <= 120
    for flag in command.flags:
        assert f"{flag} " in short
    for flag in command.rare:
        assert f"--{flag} " not in short.replace("[no]", "")
        assert f"--{flag} " in complete.replace("[no]", "")
    for flag in command.idle:
        assert f"--{flag} " not in complete.replace("[no]", "")


def test_help_has_the_commands_own_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    for name, default in (("read", READER), ("web", READER), ("train", "demo")):
        assert run(name, "--help") == 0
        (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  --name "))
        assert line.endswith(f"({default})")


@pytest.mark.parametrize("name", ["read", "web"])
def test_help_claims_no_threshold_but_the_finder_s_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, "--help") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  --threshold "))
    assert "finder's own" in line
    assert not any(character.isdigit() for character in line)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"svhn {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["train", "--name=x"], "train"),
        (["--name", "x", "train"], "train"),
        (["--name=x", "--verbose", "train"], "train"),
        (["--mode=valid", "--name=x"], "valid"),
        (["--mode", "test", "--name=x"], "test"),
        (["--mode=train", "--mode=lr", "--name=x"], "lr"),
        (["--name=x"], "train"),
    ],
)
def test_a_command_line_names_its_command(arguments: list[str], name: str, asked: list[Session]) -> None:
    assert run(*arguments) == 0
    (session,) = asked
    assert (session.mode, session.paths.name) == (name, "x")


@pytest.mark.parametrize("arguments", [["read"], ["predict"], ["--mode=read"], ["--mode=predict"]])
def test_read_takes_words_and_images(arguments: list[str], asked: list[Session]) -> None:
    assert run(*arguments, "a,b.jpg", "--output=t.csv", "photos/", "--images=c.jpg,d.jpg") == 0
    (session,) = asked
    assert session.images == ["a,b.jpg", "photos/", "c.jpg", "d.jpg"]
    assert (session.paths.name, session.output) == (READER, "t.csv")


@pytest.mark.parametrize("arguments", [["web"], ["demo"], ["--mode=demo"]])
def test_web_reads_with_the_bundled_reader(arguments: list[str], asked: list[Session]) -> None:
    assert run(*arguments) == 0
    assert (asked[0].mode, asked[0].paths.name) == ("web", READER)


@pytest.mark.parametrize(
    ("words", "name"), [([], "demo"), (["photos/"], READER), (["photos/", "--name=x"], "x"), (["--name=x"], "x")]
)
def test_report_is_on_a_run_or_by_the_bundled_reader(words: list[str], name: str, asked: list[Session]) -> None:
    assert run("report", *words) == 0
    assert (asked[0].paths.name, asked[0].split, bool(asked[0].images)) == (name, None, "photos/" in words)


def test_training_without_a_command_is_said_first(asked: list[Session], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--name=x") == 0
    assert capsys.readouterr().out.startswith("No command was named, so this trains")
    assert run("train", "--name=x") == 0
    assert capsys.readouterr().out == ""
    assert len(asked) == 2


@pytest.mark.parametrize("name", ["train", "valid", "test"])
def test_the_references_flags_are_accepted(name: str, asked: list[Session]) -> None:
    assert run(f"--mode={name}", *REFERENCE, "--verbose", "--norandom_crop", "--grayscale") == 0
    (session,) = asked
    assert session.paths == Paths(name="a", log_name="b")
    assert session.given["batch_size"] == 8
    assert run(f"--mode={name}", "--log=c") == 0
    assert asked[1].paths.log_name == "c"


@every_command
def test_the_folders_of_runs_are_accepted_by_every_command_of_runs(name: str, asked: list[Session]) -> None:
    if not COMMANDS[name].program:
        assert run(name, "--records_dir=a", "--checkpoints_dir=b", "--results_dir=c", "--log_dir=d") == 0
        assert asked[0].paths.checkpoints_dir == "b"


def test_only_named_options_are_given(asked: list[Session]) -> None:
    assert run("train", "--seed=3", "--noaugment") == 0
    assert asked[0].given == {"seed": 3, "augment": False}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["guess"], ["unknown command 'guess'", "train"]),
        (["--mode=guess"], ["unknown command 'guess'"]),
        (["predit", "door.jpg"], ["'predit'", "did you mean predict?"]),
        (["trian"], ["did you mean train?"]),
        (["train", "door.jpg"], ["unexpected 'door.jpg'"]),
        (["--mode=valid", "train"], ["unexpected 'train'"]),
        (["train", "--learning_rate=1"], ["--learning_rate", "did you mean --lrate?"]),
        (["valid", "--nam=x"], ["--nam", "did you mean --name?"]),
        (["valid", "--num_steps=3"], ["valid has no flag --num_steps", "train, lr and compare have it"]),
        (["train", "--size=3x3"], ["wrangle has it"]),
        (["train", "--nocheck"], ["wrangle has it"]),
        (["read", "--port=1"], ["web and serve have it"]),
        (["train", "--csv=x.csv"], ["--csv"]),
        (["train", "--anotate=copies"], ["did you mean --annotate of read?"]),
        (["--mode"], ["--mode names nothing"]),
        (["wrangle", "--lrate=1"], ["--lrate"]),
        (["download", "word"], ["unexpected 'word'"]),
    ],
)
def test_a_wrong_command_line_is_refused(
    arguments: list[str], parts: list[str], asked: list[Session], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    line = last_line(capsys)
    assert [part for part in parts if part not in line] == []
    assert asked == []


def test_a_picture_in_place_of_a_command_is_to_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "door.jpg").touch()
    assert run(f"{tmp_path}/door.jpg") == 2
    assert f"read {tmp_path}/door.jpg" in last_line(capsys)


@pytest.mark.parametrize(
    ("name", "flag", "successor"),
    [
        ("report", "--example=a", "first picture"),
        ("valid", "--temperature=2", "svhn release"),
        ("train", "--skip_corrupt", "svhn wrangle --salvage"),
        ("train", "--model=svhn", "--model=reader"),
        ("compare", "--models=svm,lenet5", "--model=svm,lenet5"),
        ("read", "--csv=x.csv", "svhn read x.csv"),
    ],
)
def test_a_cut_flag_names_its_successor(
    name: str, flag: str, successor: str, asked: list[Session], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"--mode={name}", flag) == 0
    line = last_line(capsys)
    assert line.startswith("note: ")
    assert successor in line
    (session,) = asked
    assert "temperature" not in session.given
    assert session.given.get("model", "reader") == "reader"
    assert session.models == (["svm", "lenet5"] if name == "compare" else session.models)
    assert session.images == (["x.csv"] if name == "read" else [])


def test_every_cut_flag_has_a_command() -> None:
    for accepting, _ in CUT_FLAGS.values():
        assert set(accepting) <= COMMANDS.keys()


def test_wrangles_cut_flag_has_no_effect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("wrangle", "--parts", f"--data_dir={tmp_path}") == 1
    note, error = capsys.readouterr().err.splitlines()
    assert note.startswith("note: --parts")
    assert "svhn download --dataset=svhn" in error


@pytest.mark.parametrize("flag", ["--model=vgg", "--dataset=cifar", "--batch_size=0", "--train_on=svhn,cifar"])
def test_a_wrong_value_is_answered_before_the_command_runs(flag: str, asked: list[Session]) -> None:
    assert run("train", flag) == 1
    assert asked == []


def test_several_networks_are_for_compare_alone(tmp_path: Path, asked: list[Session]) -> None:
    assert call(tmp_path, "--mode=train", "--model=svm,lenet5") == 1
    assert call(tmp_path, "--mode=compare", "--model=svm,vgg") == 1
    assert asked == []


def test_messages_join_commands() -> None:
    assert help_pages.explain_flag("web", "split").startswith("web has no flag --split: report has it")
    with pytest.raises(UsageError):
        flags.find_command(["--mode="])


@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere.jpg"])
def test_a_file_that_is_missing_is_named_before_a_network_is_loaded(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("read", str(tmp_path / name)) == 1
    assert f"{tmp_path / name}: no such file" in last_line(capsys)
