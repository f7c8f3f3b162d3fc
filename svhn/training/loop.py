"""The training loop, for one device, several devices and several machines alike."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from svhn.config import Paths
from svhn.datasets import DATASETS
from svhn.errors import Say
from svhn.evaluation import metrics
from svhn.evaluation.metrics import Counts
from svhn.evaluation.score import make_scorer
from svhn.models import MODELS
from svhn.pipeline import integrity, splits
from svhn.pipeline.batches import Batch, load_arrays, make_training_batches
from svhn.records import Split
from svhn.run import Run
from svhn.runs import checkpoints, load
from svhn.runtime import cluster
from svhn.runtime.waiting import WAIT_MINUTES
from svhn.training import distribute, initial_weights
from svhn.training.ledger import Ledger, Scores
from svhn.training.optimizers import PLATEAU_FACTOR, count_since_best, should_reduce_rate
from svhn.training.progress import (
    choose_interval,
    count_steps,
    format_checkpoint,
    format_progress,
    make_divergence_error,
)
from svhn.training.step import build_state, make_step
from svhn.training.stops import Stops, catch_stops
from svhn.training.teacher import load_teacher
from svhn.training.tensorboard import Summaries

ZERO_COUNTS = Counts(*(0.0 for _ in Counts._fields))


def train_model(run: Run, paths: Paths, say: Say, wait_minutes: float = WAIT_MINUTES) -> None:
    """Train a run from its newest checkpoint, or from the beginning, to its last step.

    Args:
        run: the run.
        paths: where its records and logs lie.
        say: prints a line.
        wait_minutes: how long to wait for the other machines of `TF_CONFIG`.

    Raises:
        UserError: a record is corrupt, the loss or a weight is not finite, or a checkpoint can't be written.
        Interrupted: a signal came, or what is printed has no reader any more. A checkpoint of the step that was
            reached is written first.
        OSError: lines can't be printed for another reason, a full disk for example. The same holds.
    """
    strategy = distribute.choose_strategy(wait_minutes, say)
    distribute.check_batch_size(run.config.batch_size, strategy.num_replicas_in_sync)
    split = splits.open_run_split(run, paths, "train")
    valid = splits.open_run_split(run, paths, "valid") if run.records.has_split("valid") else None
    loop = Loop(run, paths, split, valid, strategy, say)
    with integrity.explain_corruption(split):
        fit = MODELS[run.config.model].fit
        loop.fit_model(fit) if fit else loop.run_training()


class Loop:
    """A run in training: its state, the steps, and what happens between steps."""

    def __init__(
        self,
        run: Run,
        paths: Paths,
        split: Split,
        valid: Split | None,
        strategy: tf.distribute.Strategy,
        say: Say,
    ) -> None:
        self.run, self.config, self.paths, self.split = run, run.config, paths, split
        self.strategy, self.say = strategy, say
        self.teacher = load_teacher(run, paths)
        self.steps = count_steps(run.config, split.examples)
        self.chief = cluster.is_chief()  # only the chief scores, and writes into the run's folder
        self.agree = distribute.make_any_reduce(strategy)  # all workers have to stop at the same step
        with strategy.scope():
            self.state = build_state(run, self.steps, strategy.num_replicas_in_sync)
            self.checkpoint = self.state.make_checkpoint()
        self.summaries = Summaries(paths.logs, enabled=self.chief)
        self.scored_model = load.build_model(run)  # outside the strategy's scope: only this device scores valid
        read = partial(self.scored_model, training=False)
        self.score_valid = make_scorer(read, run, valid) if valid and self.chief else None
        self.ledger = Ledger(run.folder, say)

    def run_training(self) -> None:
        """Train to the last step, or until early stopping. Raises the errors of `train_model`."""
        start = self._restore_state()
        if start >= self.steps:
            self.say(f"Already trained to step {start}: a larger --num_epochs or --num_steps goes on from there.")
        self.say("Training...")
        with catch_stops(self.say) as stops:
            self.say = stops.say
            last = self._run_steps(start, self._make_batches(start), stops)
        self.say(f"Done training for {last * self.config.batch_size / self.split.examples:.4g} epochs, {last} steps.")
        if self.agree(bool(stops)):  # in the last step, or while its checkpoint was scored
            raise stops.make_error(f"Stopped at step {last}, the last one: nothing is left to do.")

    def fit_model(self, fit: Callable[[keras.Model, np.ndarray, np.ndarray, int], str]) -> None:
        """Compute the model's weights by its function `fit`, and save them as the checkpoint of step 1."""
        if self._restore_state():
            self.say("Already fitted: another --name fits anew.")
            return
        self.say("Fitting...")
        images, digits = load_arrays(self.run, self.split)
        self.say(fit(self.state.model, images, digits, self.config.seed))
        self.state.average.set_weights(self.state.model.get_weights())
        self.state.step.assign(1)
        self._record_checkpoint(1, None, self._score_on_valid(1))

    def _restore_state(self) -> int:
        """Restore the newest checkpoint, or begin a new state; returns the step to go on from."""
        start = checkpoints.restore_latest(self.run.folder, self.checkpoint, self.say)
        if not start:
            self._begin_state()
        self.summaries.write_options(start, self.config)
        if self.chief:
            self.ledger.recover(start, self._score_checkpoint if self.score_valid else None)
        else:
            self.ledger.read(start)
        return start

    def _begin_state(self) -> None:
        self.say("Starting new train session")
        initial_weights.initialize_weights(self.state, self.run, self.paths, self.say)
        self.summaries.write_graph(self.state.average)

    def _make_batches(self, start: int) -> Iterator[Batch]:
        augmentation = DATASETS[self.config.dataset].augmentation

        def batches(context: tf.distribute.InputContext) -> tf.data.Dataset:
            return make_training_batches(self.run, self.split, augmentation, start, context)

        return iter(self.strategy.distribute_datasets_from_function(batches))

    def _run_steps(self, start: int, batches: Iterator[Batch], stops: Stops) -> int:
        """Train from step `start`, and return the step at which training ended. Raises `Interrupted` after a signal."""
        take_step = make_step(self.state, self.config, self.strategy, self.teacher)
        recent, since_checkpoint = ZERO_COUNTS, ZERO_COUNTS
        seconds = 0.0  # of training since the last progress line, without scoring and saving
        every = choose_interval(self.config, start, self.steps)
        if self.agree(self._should_stop_early()):
            return start
        for step in range(start + 1, self.steps + 1):
            began = time.monotonic()
            batch = next(batches)
            counts = metrics.sum_counts([take_step(batch)])
            seconds += time.monotonic() - began
            self.check_finite(step, counts.loss)
            recent = metrics.sum_counts([recent, counts])
            since_checkpoint = metrics.sum_counts([since_checkpoint, counts])
            if step % every == 0 or step == self.steps:
                self._log_progress(step, recent, seconds)
                recent, seconds = ZERO_COUNTS, 0.0
            stopping = self.agree(bool(stops)) and step < self.steps
            if stopping or step % self.config.checkpoint_every == 0 or step == self.steps:
                self._write_summaries(step, batch)
                # A process that was told to stop may be killed soon.
                due = not stopping or step % self.config.checkpoint_every == 0
                scores = self._score_on_valid(step) if due else None
                self._record_checkpoint(step, metrics.compute_scores(since_checkpoint), scores)
                since_checkpoint = ZERO_COUNTS
            if stopping:
                raise stops.make_error(f"Stopped at step {step}: the same command goes on from there.")
            if step % self.config.checkpoint_every == 0 and self.agree(self._should_stop_early()):
                return step
        return max(start, self.steps)

    def _record_checkpoint(self, step: int, train: Scores | None, valid: Scores | None) -> None:
        """Add the scores to the history, lower the learning rate if valid's have stalled, and save a checkpoint."""
        self.ledger.add(step, train, valid)
        accuracies, patience = self.ledger.list_valid_scores(), self.config.reduce_on_plateau
        if self.agree(valid is not None and should_reduce_rate(accuracies, patience)):
            self.state.factor.assign(PLATEAU_FACTOR * self.state.factor)
            factor = float(tf.convert_to_tensor(self.state.factor))  # the variable is mirrored on each replica
            self.say(f"No better on valid: the learning rate is now {factor:g} of the schedule's.")
        self._save_checkpoint(step, valid)

    def _should_stop_early(self) -> bool:
        stalled, patience = count_since_best(self.ledger.list_valid_scores()), self.config.early_stopping
        if 0 < patience <= stalled:
            self.say(f"Stopping early: {stalled} checkpoints were no better on valid than the one before them.")
            return True
        return False

    def check_finite(self, step: int, loss: float) -> None:
        """Raises `UserError` if the loss is infinite or not a number, before anything of the step is saved."""
        if not math.isfinite(loss):
            raise make_divergence_error(self.run, f"the loss at step {step} is {loss}")

    def _log_progress(self, step: int, counts: Counts, seconds: float) -> None:
        """Print and write the scores since the last progress line, whose steps took so many seconds of training."""
        scores = metrics.compute_scores(counts)
        rate = counts.examples / seconds
        self.summaries.write_scores("train", step, scores, float(self.state.optimizer.learning_rate))
        if self.config.verbose:
            images_left = (self.steps - step) * self.config.batch_size
            self.say(format_progress(step, scores, rate, images_left))

    def _write_summaries(self, step: int, batch: Batch) -> None:
        first = self.strategy.experimental_local_results(batch["image"])[0]
        self.summaries.write_images(step, first)
        self.summaries.write_weights(step, self.state.model)

    def _score_on_valid(self, step: int) -> dict[str, float] | None:
        """The averaged weights' scores on valid; None without this split, or on a worker that isn't the chief."""
        if not self.score_valid:
            return None
        self.scored_model.set_weights(self.state.average.get_weights())
        scores = self.score_valid("")
        self.check_finite(step, scores["loss"])
        return scores

    def _score_checkpoint(self, step: int) -> dict[str, float]:
        """An earlier checkpoint's scores on valid. Raises `UserError` if it can't be read."""
        checkpoints.load_weights(self.run.folder, self.scored_model, step)
        return self.score_valid("") if self.score_valid else {}

    def _save_checkpoint(self, step: int, scores: Scores | None) -> None:
        """Write a checkpoint and the history, and mark the checkpoint if it is the best so far.

        Raises:
            UserError: the weights have diverged, or the files can't be written. The checkpoint before stays.
        """
        if not self.state.is_finite():  # the loss, computed before the update, can't show it
            raise make_divergence_error(self.run, f"the weights after step {step} are not finite")
        if not self.chief:  # all workers have to save, since reading mirrored variables is a collective operation
            with tempfile.TemporaryDirectory() as folder:
                checkpoints.save_checkpoint(Path(folder), self.checkpoint, step)
            return
        is_best = self.ledger.save(self.checkpoint, step, self.config.max_to_keep)
        if scores:
            self.summaries.write_scores("valid", step, scores)
            self.say(format_checkpoint(step, scores, is_best))
        self.summaries.flush()
