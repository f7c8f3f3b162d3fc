"""A run given away: what it reads, how sure it is, how small it is, and what can't be done with it."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.digit_records import make_info, pictures, train_run, write_digits

from svhn import config, records
from svhn.cli import flags as cli
from svhn.confidence import estimate_confidence
from svhn.config import Config, Paths
from svhn.errors import UserError
from svhn.evaluation import score as evaluate
from svhn.evaluation import views
from svhn.models.losses import Network
from svhn.publishing import release
from svhn.publishing.formats import FORMATS, Call
from svhn.reading.engine import load_network
from svhn.records import Split
from svhn.run import Run
from svhn.runs import checkpoints, load, stored
from svhn.runs.exported import BUNDLED, read_description
from svhn.runs.steps import list_steps, read_best
from svhn.spec import Info

STEPS = [40, 80]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with records and the run `demo`, of two checkpoints, less sure than right."""
    folder = tmp_path_factory.mktemp("release")
    write_digits(folder)
    options = {"model": "shallow", "batch_size": 10, "random_crop": False, "num_steps": STEPS[-1]}
    train_run(folder, lambda _: None, **options, checkpoint_every=STEPS[0], label_smoothing=0.5, lrate=0.003)
    return folder


@pytest.fixture(autouse=True)
def leave_light_file_out(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its conversion takes seconds, so only the tests of it wait for it."""
    if "light_file" not in request.node.name:
        monkeypatch.setattr(release, "write_light_file", lambda *_: None)


def flags(folder: Path, name: str = "demo") -> list[str]:
    kinds = ("records", "checkpoints", "results")
    return [
        "main.py",
        f"--name={name}",
        f"--log_dir={folder}/logs",
        *(f"--{kind}_dir={folder}/{kind}" for kind in kinds),
    ]


def opened(folder: Path, split: str) -> tuple[Info, Split]:
    info = records.read_info(folder / "records", "mnist")
    return info, records.open_split(folder / "records", info, split)


def read(run: Path, folder: Path, **changes: float) -> list[evaluate.Prediction]:
    """What a run reads in test, with these of its options changed."""
    info, split = opened(folder, "test")
    options = Config(**{**stored.read_config(run)["config"], **changes})
    model = load.load_trained_model(Run(run, options, info), list_steps(run)[-1])
    return list(evaluate.predict_split(load.freeze_model(model), Run(Path(), options, info), split))


def give_away(folder: Path, *more: str) -> Path:
    cli.main([*flags(folder), "--mode=release", *more])
    return folder / "results/demo/released"


def test_a_released_run_reads_as_the_run_does_and_is_surer(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, folder = trained / "checkpoints/demo", give_away(trained, "--checkpoint=latest")
    temperature = stored.read_config(folder)["config"]["temperature"]
    assert temperature < 1  # labels were smoothed
    lines = capsys.readouterr().out.splitlines()
    assert f"Released checkpoint 80 to {folder}, at a temperature of {temperature:g}" in lines
    assert lines[-1].startswith(f"svhn test --name=released --checkpoint=best --records_dir={trained}")
    before, after = read(run, trained, temperature=temperature), read(folder, trained)
    assert [found.reading.text for found in before] == [found.reading.text for found in after]
    confidences = np.array([[found.reading.confidence for found in found_by] for found_by in (before, after)])
    np.testing.assert_allclose(*confidences, atol=5e-3)  # kernels in float16
    assert confidences[1].mean() > np.mean([found.reading.confidence for found in read(run, trained)]) + 0.05


def test_a_light_file_reads_the_released_run(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = give_away(trained, "--checkpoint=latest")
    assert f"{folder / BUNDLED} reads 100.0% of 20 images of valid" in capsys.readouterr().out
    released = Paths(name="released", checkpoints_dir=str(folder.parent))
    assert load_network(released, {}, "", "auto", pytest.fail).engine == "litert"


def test_without_an_exact_light_file_there_is_none(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise UserError("it differs")

    folder = give_away(trained, "--checkpoint=latest")
    monkeypatch.setattr(release, "export_run", refuse)
    give_away(trained, "--checkpoint=latest")
    assert "it differs" in capsys.readouterr().out
    assert not (folder / BUNDLED).exists()


def test_where_8_bits_are_too_few_the_light_file_has_16(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(FORMATS, "litert_int8", FORMATS["litert_int8"]._replace(load=refuse_file))
    folder = give_away(trained, "--checkpoint=latest")
    printed = capsys.readouterr().out
    assert printed.index("8 bits differ") < printed.index(f"{folder / BUNDLED} reads 100.0%")
    assert read_description(folder / BUNDLED).format == "litert_float16"


def refuse_file(_: Path) -> Call:
    raise UserError("8 bits differ")


def test_at_the_temperature_confidences_say_best_whether_numbers_are_right(trained: Path, tmp_path: Path) -> None:
    network, options, (info, valid) = of_run(trained), options_of(trained), mislabeled(tmp_path)
    found = release.choose_temperature(network, Run(Path(), dataclasses.replace(options, temperature=3.0), info), valid)

    def loss(temperature: float) -> float:
        changed = dataclasses.replace(options, temperature=temperature)
        seen = evaluate.predict_split(network, Run(Path(), changed, info), valid)
        return -sum(math.log(abs((each.reading.text != each.label) - each.reading.confidence)) for each in seen)

    place = release.TEMPERATURES.index(found)
    assert 0 < place < len(release.TEMPERATURES) - 1
    assert loss(found) < min(loss(release.TEMPERATURES[place - 1]), loss(release.TEMPERATURES[place + 1]))


def test_the_log_loss_is_of_the_probability_given_to_what_is_so() -> None:
    """A digit at 75 %, right and wrong, and one that is certain and wrong."""
    logits = tf.math.log([[[0.75] + [0.25 / 9] * 9]] * 2 + [[[1.0] + [1e-30] * 9]])
    found = release.compute_log_loss(tf.constant([[0], [3], [3]]), {"digits": logits})
    np.testing.assert_allclose(found, -np.log([0.75, 0.25, release.MIN_PROBABILITY]), rtol=1e-5)


def test_padding_has_no_say_in_the_temperature(trained: Path, tmp_path: Path) -> None:
    network, options, (info, valid) = of_run(trained), options_of(trained), mislabeled(tmp_path)

    def found(batch_size: int) -> float:
        return release.choose_temperature(
            network, Run(Path(), dataclasses.replace(options, batch_size=batch_size), info), valid
        )

    assert found(valid.examples) == found(40 * valid.examples)


def plain_pictures(folder: Path, levels: list[int], numbers: list[str]) -> Split:
    """Valid, of pictures of one gray each."""
    (path,) = records.get_shard_paths(folder, "mnist", "valid", 1)
    path.parent.mkdir()
    encoded = [tf.io.encode_png(np.full((8, 8, 1), level, np.uint8)).numpy() for level in levels]
    records.write_shard(path, (records.serialize_example(*pair, "") for pair in zip(encoded, numbers, strict=True)))
    return Split([path], [len(levels)], [path.stat().st_size])


@pytest.mark.parametrize("finds", [False, True])
def test_only_a_finders_temperature_depends_on_the_digit_that_was_not_read(tmp_path: Path, finds: bool) -> None:
    """Three of four are 3, as is read; the other is 7, which the network excludes more than any other digit."""
    split = plain_pictures(tmp_path, [0] * 4, ["3", "3", "3", "7"])
    info = dataclasses.replace(make_info({"valid": 4}), size=(8, 8), fixed_length=True, max_length=1)
    logits = tf.constant([0.0] * 3 + [2.0] + [0.0] * 3 + [-8.0] + [0.0] * 2)

    def network(images: tf.Tensor) -> dict[str, tf.Tensor]:
        digits = tf.repeat(logits[None, None], tf.shape(images)[0], axis=0)
        return {"digits": digits, **({"box": digits[:, 0, :4]} if finds else {})}

    found = release.choose_temperature(network, Run(Path(), Config(model="shallow", random_crop=False), info), split)
    if finds:
        assert found > 1
    else:
        assert found == pytest.approx(2 / math.log(3 * 8), rel=0.04)  # a confidence of three quarters


@pytest.mark.parametrize("batch_size", [4, 7, 64])
def test_the_threshold_is_where_as_many_are_refused_as_are_given_a_number(tmp_path: Path, batch_size: int) -> None:
    """The lighter a picture, the more probable is a number; two of the ten are not as they should be."""
    levels, shown = [90, 10, 130, 40, 150, 60, 180, 120, 210, 140], [True, False] * 5
    split = plain_pictures(tmp_path, levels, ["7" * is_one for is_one in shown])
    info = dataclasses.replace(make_info({"valid": 10}), size=(8, 8), lengths={"valid": {"0": 5, "1": 5}}, max_length=3)

    def network(images: tf.Tensor) -> dict[str, tf.Tensor]:
        level = tf.reduce_mean(images, axis=[1, 2, 3])[:, None] / 255
        return {"length": tf.math.log(tf.concat([1 - level, level], axis=1)), "digits": tf.zeros([1, 1, 10])}

    options = Config(model="shallow", random_crop=False, batch_size=batch_size)
    found = release.choose_threshold(network, Run(Path(), options, info), split)
    assert found == pytest.approx(estimate_confidence(130 / 255, 1))  # refuses 90, and takes 140 for a number
    for lengths in ({"1": 5}, {"0": 5}):
        one_kind = dataclasses.replace(info, lengths={"valid": lengths})
        assert release.choose_threshold(network, Run(Path(), options, one_kind), split) == 0.5


def test_a_threshold_that_is_given_is_kept(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "choose_threshold", lambda *_: 0.9)
    for more, expected in (((), 0.9), (("--threshold=0.7",), 0.7)):
        assert stored.read_config(give_away(trained, *more))["config"]["threshold"] == expected


def options_of(folder: Path) -> Config:
    return Config(**stored.read_config(folder / "checkpoints/demo")["config"])


def of_run(folder: Path) -> Network:
    info, run = opened(folder, "valid")[0], folder / "checkpoints/demo"
    return load.freeze_model(load.load_trained_model(Run(run, options_of(folder), info), STEPS[-1]))


def mislabeled(folder: Path) -> tuple[Info, Split]:
    """A split of 23 digits, in batches of 10 and 3, of which every third has the label of another."""
    labels = np.arange(23) % 10
    (path,) = records.get_shard_paths(folder, "mnist", "valid", 1)
    path.parent.mkdir()
    encoded = (tf.io.encode_png(image).numpy() for image in pictures(labels))
    wrong = np.where(np.arange(23) % 3, labels, 9 - labels)
    records.write_shard(
        path, (records.serialize_example(*row, "") for row in zip(encoded, map(str, wrong), strict=True))
    )
    return make_info({"valid": 23}), Split([path], [23], [path.stat().st_size])


def test_it_is_small_and_every_file_is_there(trained: Path) -> None:
    folder = give_away(trained, "--checkpoint=80")
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(BUNDLED))
    assert names == ["best.json", "ckpt-80.npz", "config.json", "history.json"]
    info, valid = opened(trained, "valid")
    options = Config(**stored.read_config(folder)["config"])
    model = load.load_trained_model(Run(folder, options, info), 80)
    assert (folder / "ckpt-80.npz").stat().st_size < 2.2 * model.count_params() + 5000
    scores = evaluate.make_scorer(load.freeze_model(model), Run(Path(), options, info), valid)("")
    assert read_best(folder) == {
        "step": 80,
        **{name: pytest.approx(score) for name, score in scores.items()},
    }
    assert stored.read_history(folder) == stored.read_history(trained / "checkpoints/demo")


def test_options_that_were_not_trained_with_are_not_recorded(trained: Path) -> None:
    content = stored.read_config(trained / "checkpoints/demo")
    folder = give_away(trained, "--batch_size=7", "--views=2")
    options = stored.read_config(folder)["config"]
    assert options == {**content["config"], "views": 2, "temperature": options["temperature"]}


def test_what_it_was_read_from_is_not_recorded(trained: Path) -> None:
    path = trained / "checkpoints/demo/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sources": {"train": "ab"}}))
    assert stored.read_config(give_away(trained))["sources"] == {}


def test_without_valid_nothing_is_released(tmp_path: Path) -> None:
    info = write_digits(tmp_path)
    train_run(tmp_path, lambda _: None, model="shallow", batch_size=10, random_crop=False, num_steps=1)
    records.write_info(tmp_path / "records", dataclasses.replace(info, splits={"test": info.splits["test"]}))
    with pytest.raises(UserError, match="valid"):
        give_away(tmp_path)
    assert not (tmp_path / "results").exists()


def test_another_checkpoint_takes_the_place_of_the_first(trained: Path) -> None:
    for step in (80, 40):
        assert list_steps(give_away(trained, f"--checkpoint={step}")) == [step]
    assert read_best(trained / "results/demo/released")["step"] == 40


def test_it_is_scored_by_name_on_any_test_split(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    released, run = give_away(trained), tmp_path / "checkpoints/mine"
    run.parent.mkdir()
    released.rename(run)
    info = write_digits(tmp_path)
    records.write_info(tmp_path / "records", dataclasses.replace(info, sources={"train": "other", "test": "files"}))
    cli.main([*flags(tmp_path, "mine"), "--mode=test", "--checkpoint=best"])
    assert "sequence_accuracy" in (tmp_path / "results/mine/test-mine.csv").read_text()
    assert "Results saved" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["train", "lr"])
def test_it_is_not_trained_on(trained: Path, mode: str) -> None:
    folder = give_away(trained)
    weights = next(folder.glob("*.npz")).read_bytes()
    with pytest.raises(
        UserError, match="holds released weights, which can't be trained on: train under another --name"
    ):
        cli.main([*flags(trained, "released"), f"--checkpoints_dir={folder.parent}", f"--mode={mode}"])
    assert next(folder.glob("*.npz")).read_bytes() == weights


@pytest.mark.parametrize("keep", [0, 1000, -10])
def test_weights_cut_short_are_named(trained: Path, keep: int) -> None:
    folder = give_away(trained, "--checkpoint=80")
    path = folder / "ckpt-80.npz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"ckpt-80 can't be read"):
        read(folder, trained)


def test_damaged_weights_are_named_or_harmless(trained: Path) -> None:
    """A zip archive has bytes that nobody reads; whatever else is overwritten must not end in a stack trace."""
    folder = give_away(trained, "--checkpoint=80")
    path = folder / "ckpt-80.npz"
    whole, rng, named = path.read_bytes(), np.random.default_rng(0), 0
    info, _ = opened(trained, "test")
    model = load.load_trained_model(Run(folder, Config(**stored.read_config(folder)["config"]), info), 80)
    for start in rng.integers(0, len(whole) - 8, 300).tolist():
        path.write_bytes(whole[:start] + rng.bytes(8) + whole[start + 8 :])
        try:
            checkpoints.load_weights(folder, model, 80)
        except UserError:
            named += 1
    assert named > 250


def test_the_name_released_is_the_packages_unless_there_is_such_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = Paths("released", checkpoints_dir=str(tmp_path))
    assert Path(config.__file__).parent / "released" == config.RELEASED
    monkeypatch.setattr(config, "RELEASED", tmp_path / "package/released")
    assert paths.run_folder == tmp_path / "released"
    config.RELEASED.mkdir(parents=True)
    (config.RELEASED / "config.json").touch()
    assert paths.run_folder == config.RELEASED
    (tmp_path / "released").mkdir()
    assert paths.run_folder == tmp_path / "released"


def test_a_temperature_divides_the_logits() -> None:
    halved = views.apply_temperature({"digits": tf.constant([2.0, 4.0])}, 2.0)
    np.testing.assert_array_equal(halved["digits"], [1, 2])
    with pytest.raises(UserError, match=r"--temperature=0\.0: expected .*above 0"):
        Config(temperature=0.0)


@pytest.fixture(scope="module")
def trained_on(trained: Path) -> Path:
    """The folder, in which the run `further` began with the weights of `demo`."""
    options = {"model": "shallow", "batch_size": 10, "random_crop": False, "num_steps": 4, "warmup_steps": 0}
    train_run(trained, lambda _: None, name="further", **options, init_from="demo", checkpoint_every=4, lrate=0.05)
    return trained


def load_weights(run: Path, folder: Path) -> list[np.ndarray]:
    info, _ = opened(folder, "test")
    model = load.load_trained_model(Run(run, Config(**stored.read_config(run)["config"]), info), list_steps(run)[-1])
    return model.get_weights()


def test_the_weights_can_be_averaged_with_those_of_another_run(trained_on: Path) -> None:
    cli.main(
        [*flags(trained_on, "further"), "--mode=release", "--checkpoint=latest", "--blend=demo", "--blend_share=0.25"]
    )
    folders = "checkpoints/further", "checkpoints/demo", "results/further/released"
    later, first, found = (load_weights(trained_on / each, trained_on) for each in folders)
    assert max(np.abs(one - other).max() for one, other in zip(later, first, strict=True)) > 0.05
    best = read_best(trained_on / "checkpoints/demo")
    assert best is None or best["step"] == list_steps(trained_on / "checkpoints/demo")[-1]
    for one, other, weight in zip(later, first, found, strict=True):
        np.testing.assert_allclose(weight, 0.75 * one + 0.25 * other, atol=2e-3)  # kernels in float16


def test_weights_of_another_shape_stay() -> None:
    inputs = keras.Input((3,))
    model, other = (
        keras.Model(inputs, keras.layers.Dense(count)(keras.layers.Dense(4, name=f"hidden{count}")(inputs)))
        for count in (5, 6)
    )
    before, first = model.get_weights(), other.get_weights()
    release.average_weights(model, release.Blend(other, 0.5))
    hidden, _, head, _ = model.get_weights()
    np.testing.assert_allclose(hidden, (before[0] + first[0]) / 2, rtol=1e-6)
    np.testing.assert_array_equal(head, before[2])


def test_weights_of_another_model_are_not_averaged(trained_on: Path) -> None:
    info, _ = opened(trained_on, "test")
    run = Run(trained_on, Config(model="lenet5", dataset="mnist"), info)
    with pytest.raises(UserError, match="--blend=demo is a run of another model or reads numbers of other lengths"):
        release.load_blend(run, Paths(name="x", checkpoints_dir=str(trained_on / "checkpoints")), "demo", 0.5)


@pytest.mark.parametrize(
    ("options", "message"), [(["--blend_share=1"], "from 0 to below 1"), (["--blend=none"], "none")]
)
def test_a_blend_that_can_not_be_taken_is_refused(trained: Path, options: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        cli.main([*flags(trained), "--mode=release", *options])
