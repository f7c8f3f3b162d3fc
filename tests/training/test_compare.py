"""Several models on one data set: a run and a row each."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path

import pytest
from support.digit_records import write_digits
from support.program import call, last_line

from svhn.config import Config
from svhn.models import svm
from svhn.runs import stored
from svhn.runs.steps import list_steps
from svhn.training import compare
from svhn.training.compare import Result

FLAGS = (
    "--mode=compare",
    "--name=tiny",
    "--dataset=mnist",
    "--model=svm,shallow",
    "--num_steps=5",
    "--batch_size=20",
    "--noaugment",
)
PIXELS = 12 * 12
PARAMETERS = {"svm": 45 * (PIXELS + 1), "shallow": 400 * (PIXELS + 1) + 10 * 401}


@pytest.fixture(autouse=True)
def small_search(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SEARCH_EXAMPLES": 60, "FOLDS": 2, "DRAWS": 2}.items():
        monkeypatch.setattr(svm, name, value)


def read_table(folder: Path) -> list[dict[str, str]]:
    text = (folder / "results/tiny/compare-tiny.csv").read_text()
    assert text.startswith("model,train_accuracy,test_accuracy,parameters,seconds\n")
    return list(csv.DictReader(text.splitlines()))


def test_each_model_is_a_run_and_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_digits(tmp_path)
    assert call(tmp_path, *FLAGS) == 0
    output, rows = capsys.readouterr().out, read_table(tmp_path)
    assert [row["model"] for row in rows] == ["svm", "shallow"]
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"tiny-svm", "tiny-shallow"}
    assert {row["model"]: int(row["parameters"]) for row in rows} == PARAMETERS
    assert [float(rows[0][f"{split}_accuracy"]) for split in ("train", "test")] == [1.0, 1.0]
    for split, examples in (("train", 100), ("test", 23)):
        right = examples * float(rows[1][f"{split}_accuracy"])
        assert right == pytest.approx(round(right), abs=1e-6)
    for row in rows:
        run = tmp_path / f"checkpoints/tiny-{row['model']}"
        assert float(row["seconds"]) == stored.read_history(run)[-1]["seconds"] > 0
        content = json.loads((run / "config.json").read_text())["config"]
        assert (content["model"], content["num_steps"], content["batch_size"]) == (row["model"], 5, 20)
    assert re.findall(r"^Model (.*):$", output, re.MULTILINE) == ["svm", "shallow"]
    assert output.endswith(f"\nResults saved to {tmp_path}/results/tiny/compare-tiny.csv\n")
    assert f"\n{'svm':<12} 100.00% 100.00%       6,525" in output

    goes_on(tmp_path, capsys)


def goes_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same command, its models the other way round and with more steps."""
    before = read_table(folder)
    flags = [flag for flag in FLAGS if not flag.startswith(("--model=", "--num_steps"))]
    assert call(folder, *flags, "--model=shallow,svm", "--num_steps=40", "--lrate=1e-2", "--warmup_steps=0") == 0
    output, rows = capsys.readouterr().out, read_table(folder)
    assert f"Restored model from: {folder}/checkpoints/tiny-shallow/ckpt-5\n" in output
    assert "Already fitted" in output
    assert [row["model"] for row in rows] == ["shallow", "svm"]
    assert rows[1] == before[0]
    assert list_steps(folder / "checkpoints/tiny-shallow") == [5, 40]
    assert float(rows[0]["seconds"]) > float(before[1]["seconds"])


def test_without_a_test_split_nothing_is_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_digits(tmp_path, {"train": 100, "valid": 20})
    assert call(tmp_path, *FLAGS) == 1
    assert last_line(capsys) == (
        "error: records of 'mnist' have no examples of the split 'test', only of: train, valid"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"records"}


def test_without_models_it_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "--mode=compare", "--dataset=mnist") == 2
    assert re.match(r"error: compare needs networks: --model=.*svm.*shallow", last_line(capsys))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_model_is_said_before_anything_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "--mode=compare", "--dataset=mnist", "--model=shallow,vgg") == 1
    assert last_line(capsys).startswith("error: unknown model 'vgg': expected one of ")
    assert list(tmp_path.iterdir()) == []


def test_the_printed_table() -> None:
    results = [Result("svm", 0.98765, 0.91, 35_325, 61.6), Result("gru_rows", 1.0, 0.5, 1_234_567, 3600.2)]
    assert compare.format_comparison(results).splitlines() == [
        "model          train    test  parameters  seconds",
        "svm           98.77%  91.00%      35,325       62",
        "gru_rows     100.00%  50.00%   1,234,567     3600",
    ]


def test_the_models_data_set_is_taken_unless_another_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = tmp_path / "checkpoints/demo"  # a run of that name alone is none of compare's
    earlier.mkdir(parents=True)
    content = {"config": dataclasses.asdict(Config(dataset="svhn", model="svhn", train_on="synthetic"))}
    (earlier / "config.json").write_text(json.dumps({**content, "records": {}, "draw": {}, "sources": {}}))
    (earlier / "ckpt-1.index").touch()
    assert call(tmp_path, "--mode=compare", "--model=lenet5") == 1
    assert "records/mnist has no info.json" in last_line(capsys)
