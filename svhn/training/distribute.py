"""Training on one device, several devices or several machines, so that the replicas compute what one device would."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from svhn.errors import Say, UserError
from svhn.runtime.cluster import count_workers
from svhn.runtime.waiting import WAIT_MINUTES, wait_for_cluster


def choose_strategy(wait_minutes: float = WAIT_MINUTES, say: Say = print) -> tf.distribute.Strategy:
    """A strategy for the machines that `TF_CONFIG` names, else for all GPUs if there are several, else for one device.

    With several machines, this has to be the first use of TensorFlow's runtime in the process.

    Args:
        wait_minutes: how long to wait for the other machines.
        say: prints a line about machines that are missing.

    Raises:
        UserError: TensorFlow can't use `TF_CONFIG`, or another machine does not answer.
    """
    if count_workers() > 1:
        wait_for_cluster(wait_minutes, say)
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except ValueError as error:
            raise UserError(
                f"TF_CONFIG can't be used ({error}): mend it, or unset it to train on one machine"
            ) from error
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def make_any_reduce(strategy: tf.distribute.Strategy) -> Callable[[bool], bool]:
    """A function that returns True on all workers if its argument is True on any worker.

    All workers have to call it equally often, as each call waits for the others.
    """
    if count_workers() < 2:
        return lambda flag: flag

    @tf.function
    def count(flag: tf.Tensor) -> tf.Tensor:
        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(tf.identity, args=(flag,)), axis=None)

    return lambda flag: bool(count(tf.constant(float(flag))) > 0)


def check_batch_size(batch_size: int, replicas: int) -> None:
    """Raises `UserError` unless a batch divides equally among the replicas."""
    if batch_size % replicas:
        raise UserError(f"--batch_size={batch_size}: expected a multiple of {replicas}, the number of replicas")


def synchronize_batch_norm(model: keras.Model, replicas: int) -> None:
    """Make batch normalization compute its statistics over all replicas; otherwise their moving means drift apart."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = replicas > 1  # one replica uses the fused operation, which is faster


def clip_gradients(gradients: list[tf.Tensor], norm: float, replicas: int) -> list[tf.Tensor]:
    """Clip the sum of the replicas' gradients by its global norm, as one replica with the whole batch would.

    Keras would clip each replica's own gradient. Here each replica gets an equal share of the clipped sum, and the
    optimizer adds the shares up.

    Args:
        gradients: this replica's gradients.
        norm: largest global norm; 0 leaves the gradients as they are.
        replicas: number of replicas.
    """
    if not norm:
        return gradients
    if replicas > 1:
        context = tf.distribute.get_replica_context()
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    clipped, _ = tf.clip_by_global_norm(gradients, norm)
    return [gradient / replicas for gradient in clipped]
