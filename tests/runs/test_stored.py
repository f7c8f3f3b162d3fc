"""A run's options: kept in its folder, and held once it has a checkpoint."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from svhn.config import Config, Paths
from svhn.errors import UserError
from svhn.models import MODELS
from svhn.runs import stored
from svhn.spec import Info

INFO = Info("svhn", (57, 95), 0.3, 3, 5, "jpeg", {"train": [9]}, {}, {}, {"train": "ab"}, seed=0)

PURPOSES: tuple[stored.Purpose, ...] = ("train", "choose")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "demo"


def begin(run: Path, given: dict[str, object]) -> Config:
    """A run with a checkpoint, on which its options are held."""
    config = stored.begin_run(run, given, INFO).config
    (run / "ckpt-1.index").touch()
    return config


@pytest.mark.parametrize("name", MODELS)
def test_a_models_defaults_lie_under_what_was_given(name: str) -> None:
    defaults = MODELS[name].defaults
    config = stored.make_config({"model": name})
    assert config == dataclasses.replace(Config(model=name, dataset=MODELS[name].dataset), **defaults)
    given = stored.make_config({"model": name, "lrate": 0.5, "num_threads": 7})
    assert given == dataclasses.replace(config, lrate=0.5, num_threads=7)


def test_an_unknown_model_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"unknown model 'vgg': expected one of .*kvn219, .*reader"):
        stored.make_config({"model": "vgg"})


def test_without_a_model_the_default_one_is_taken() -> None:
    assert stored.make_config({}) == stored.make_config({"model": Config.model})


def test_a_new_run_writes_its_config(run: Path) -> None:
    config = stored.begin_run(run, {"model": "kvn219", "seed": 3}, INFO).config
    assert config == stored.make_config({"model": "kvn219", "seed": 3})
    content = json.loads((run / "config.json").read_text())
    assert content["config"] == dataclasses.asdict(config)
    assert content["records"] == {
        "dataset": "svhn",
        "size": [57, 95],
        "margin": 0.3,
        "channels": 3,
        "max_length": 5,
        "fixed_length": False,
        "longer": False,
    }


def test_a_run_goes_on_with_its_own_options_and_keeps_what_changed(run: Path) -> None:
    begun = begin(run, {"model": "kvn219", "batch_size": 12, "num_epochs": 2})
    assert stored.begin_run(run, {}, INFO).config == begun
    longer = stored.begin_run(run, {"model": "kvn219", "batch_size": 12, "num_epochs": 5}, INFO).config
    assert longer == dataclasses.replace(begun, num_epochs=5)
    assert stored.open_run(run, {}, INFO, "score").config == longer


@pytest.mark.parametrize(
    ("given", "changes", "named"),
    [
        ({"model": "reader"}, {}, "model=kvn219 (now reader)"),
        ({"grayscale": True}, {}, "grayscale=False (now True)"),
        ({"random_crop": True}, {}, "random_crop=False (now True)"),
        ({"seed": 1, "batch_size": 9}, {}, "batch_size=36 (now 9), seed=0 (now 1)"),
        ({}, {"margin": 0.1}, "margin=0.3 (now 0.1)"),
        ({}, {"size": (64, 64)}, "size=[57, 95] (now [64, 64])"),
        ({"random_crop": True}, {"channels": 1}, "channels=3 (now 1), random_crop=False (now True)"),
        ({}, {"max_length": 6, "dataset": "other"}, "dataset=svhn (now other), max_length=5 (now 6)"),
    ],
)
def test_another_run_under_the_same_name_is_refused(
    run: Path, given: dict[str, object], changes: dict[str, object], named: str
) -> None:
    begin(run, {"model": "kvn219"})
    before = (run / "config.json").read_bytes()
    with pytest.raises(UserError) as error:
        stored.begin_run(run, given, dataclasses.replace(INFO, **changes))  # type: ignore[arg-type]
    remedy = "use the same options and records, or another --name for another run"
    assert str(error.value) == f"{run} holds a run with {named}: {remedy}"
    assert (run / "config.json").read_bytes() == before


def test_a_run_of_records_without_longer_numbers_is_scored_with_them_but_not_trained(run: Path) -> None:
    begin(run, {"model": "kvn219"})
    content = json.loads((run / "config.json").read_text())
    del content["records"]["longer"]  # as earlier versions wrote it
    (run / "config.json").write_text(json.dumps(content))
    longer = dataclasses.replace(INFO, longer=True)
    assert stored.open_run(run, {}, INFO, "train").records.length_classes == 6
    for purpose in ("score", "choose"):
        assert stored.open_run(run, {}, longer, purpose).records.length_classes == 6
    with pytest.raises(UserError, match=r"longer=False \(now True\)"):
        stored.begin_run(run, {}, longer)


def write_schema_1(run: Path, **options: object) -> None:
    """The run's config.json as it was before it had a schema number; options of None are left out."""
    content = json.loads((run / "config.json").read_text())
    assert content.pop("schema") == 3
    changed = {**content["config"], "exact_jpeg": None, **options}
    content["config"] = {name: value for name, value in changed.items() if value is not None}
    (run / "config.json").write_text(json.dumps(content))


def test_a_run_from_before_maps_were_learned_goes_on_without(run: Path) -> None:
    assert begin(run, {}).map_weight > 0
    write_schema_1(run, map_weight=None)
    assert stored.begin_run(run, {}, INFO).config.map_weight == 0


def test_a_run_of_schema_1_is_upgraded_when_it_is_read(run: Path) -> None:
    """Its model had the name of the package, and corrupt records were left out by an option of the run."""
    config = begin(run, {"seed": 7})
    write_schema_1(run, model="svhn", skip_corrupt=True)
    assert stored.begin_run(run, {}, INFO).config == dataclasses.replace(config, exact_jpeg=False)
    content = json.loads((run / "config.json").read_text())
    assert (content["schema"], content["config"]["model"], "skip_corrupt" in content["config"]) == (3, "reader", False)


def test_a_run_of_schema_2_keeps_decoding_jpegs_as_it_did(run: Path) -> None:
    assert begin(run, {}).exact_jpeg
    path = run / "config.json"
    content = json.loads(path.read_text())
    assert content["config"].pop("exact_jpeg")
    path.write_text(json.dumps({**content, "schema": 2}))
    assert not stored.open_run(run, {}, INFO, "score").config.exact_jpeg
    with pytest.raises(UserError, match=r"exact_jpeg=False \(now True\)"):
        stored.begin_run(run, {"exact_jpeg": True}, INFO)
    assert not stored.begin_run(run, {}, INFO).config.exact_jpeg
    assert json.loads(path.read_text())["schema"] == 3
    assert not stored.open_run(run, {}, INFO, "score").config.exact_jpeg


@pytest.mark.parametrize("name", ["released", "finder"])
def test_the_bundled_runs_keep_the_decoding_that_they_were_trained_with(name: str) -> None:
    assert stored.read_config(Paths(name=name).run_folder)["config"]["exact_jpeg"]


def test_a_run_of_a_later_version_is_refused(run: Path) -> None:
    begin(run, {})
    path = run / "config.json"
    path.write_text(path.read_text().replace('"schema": 3', '"schema": 4'))
    with pytest.raises(UserError, match=r"its schema is 4, and this version reads up to 3"):
        stored.read_config(run)


def test_before_a_checkpoint_the_options_can_still_be_changed(run: Path) -> None:
    stored.begin_run(run, {"batch_size": 12}, INFO)
    assert stored.begin_run(run, {"batch_size": 16}, INFO).config.batch_size == 16


def test_epochs_named_after_steps_count(run: Path) -> None:
    begin(run, {"num_steps": 3})
    assert stored.begin_run(run, {"lrate": 0.1}, INFO).config.num_steps == 3
    assert stored.begin_run(run, {"num_epochs": 2}, INFO).config.num_steps == 0


def test_another_draw_is_refused_but_for_test(run: Path) -> None:
    begin(run, {})
    other = dataclasses.replace(INFO, splits={"train": [5, 5]}, sources={}, seed=9)
    for purpose in PURPOSES:
        with pytest.raises(UserError, match=r"with train=9 \(now 10\), wrangle_seed=0 \(now 9\): "):
            stored.open_run(run, {}, other, purpose)
    stored.open_run(run, {}, other, "score")
    stored.open_run(run, {}, dataclasses.replace(INFO, splits={"train": [5, 4]}), "train")


def test_the_batch_size_may_change_in_use_but_not_in_training(run: Path) -> None:
    begin(run, {"batch_size": 12})
    assert stored.open_run(run, {"batch_size": 500}, INFO, "score").config.batch_size == 500
    with pytest.raises(UserError, match=r"batch_size=12 \(now 500\)"):
        stored.begin_run(run, {"batch_size": 500}, INFO)
    with pytest.raises(UserError, match=r"grayscale=False \(now True\)"):
        stored.open_run(run, {"grayscale": True}, INFO, "score")


def test_records_of_other_files_are_not_those_of_the_run(run: Path) -> None:
    info = dataclasses.replace(INFO, sources={"train": "ab"})
    stored.begin_run(run, {}, info)
    (run / "ckpt-1.index").touch()
    stored.open_run(run, {}, dataclasses.replace(info, sources={"train": "ab", "test": "cd"}), "score")
    with pytest.raises(UserError, match=r"train=ab \(now cd\)"):
        stored.open_run(run, {}, dataclasses.replace(info, sources={"train": "cd"}), "score")


def test_the_data_set_is_the_named_one_or_the_runs_or_the_default(run: Path) -> None:
    assert stored.resolve_option(run, {}, "dataset") == Config.dataset
    assert stored.resolve_option(run, {"model": "gru_rows"}, "dataset") == "mnist_stacked"
    stored.begin_run(run, {"dataset": "synthetic"}, dataclasses.replace(INFO, dataset="synthetic"))
    assert stored.resolve_option(run, {}, "dataset") == Config.dataset  # nothing relies on its options yet
    (run / "ckpt-1.index").touch()
    assert stored.resolve_option(run, {}, "dataset") == "synthetic"
    assert stored.resolve_option(run, {"dataset": "other"}, "dataset") == "other"


def test_without_a_run_the_command_that_makes_one_is_named(run: Path) -> None:
    with pytest.raises(UserError) as error:
        stored.open_run(run, {}, INFO, "score")
    assert str(error.value) == f"{run} holds no run: train one with `svhn train --name=demo`"


CATS = {"config": {"dataset": "cats"}, "records": {}, "draw": {}, "sources": {}}


@pytest.mark.parametrize(
    "content",
    ["", '{"config": {', "[]", "{}", '{"config": {}}', '{"config": {"color": 1}, "records": {}}', json.dumps(CATS)],
)
def test_an_unreadable_config_is_named(run: Path, content: str) -> None:
    run.mkdir(parents=True)
    (run / "config.json").write_text(content)
    (run / "ckpt-1.index").touch()
    for call in (lambda: stored.open_run(run, {}, INFO, "score"), lambda: stored.begin_run(run, {}, INFO)):
        with pytest.raises(UserError, match=r"not a run's config.json .*: restore it, or train under another") as error:
            call()
        assert str(error.value).startswith(f"{run}/config.json: ")
    assert (run / "config.json").read_text() == content
