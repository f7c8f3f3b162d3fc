"""One device, several, or several machines: which strategy, and what each replica has to do for all to agree."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from svhn.errors import UserError
from svhn.runtime.cluster import count_workers


def choose_strategy() -> tf.distribute.Strategy:
    """Several machines where `TF_CONFIG` names them, several GPUs where there are, else one device.

    Has to be called before anything else is asked of TensorFlow where there are several machines.
    """
    if count_workers() > 1:
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except ValueError as error:
            raise UserError(f"TF_CONFIG can't be used: {error}") from error
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def make_any_reduce(strategy: tf.distribute.Strategy) -> Callable[[bool], bool]:
    """A function that is true on all workers as soon as its argument is on one; each has to call it at each step."""
    if count_workers() < 2:
        return lambda flag: flag

    @tf.function
    def count(flag: tf.Tensor) -> tf.Tensor:
        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(tf.identity, args=(flag,)), axis=None)

    return lambda flag: bool(count(tf.constant(float(flag))) > 0)


def check_batch_size(batch_size: int, replicas: int) -> None:
    """Raises `UserError` unless each replica gets an equal part of a batch."""
    if batch_size % replicas:
        raise UserError(f"--batch_size={batch_size}: expected a multiple of {replicas}, the number of replicas")


def synchronize_batch_norm(model: keras.Model, replicas: int) -> None:
    """Let batch normalisation take its statistics over all replicas: their moving means drift apart otherwise."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = replicas > 1  # kept off for one: the fused kernel is faster


def clip_gradients(gradients: list[tf.Tensor], norm: float, replicas: int) -> list[tf.Tensor]:
    """Clip by the global norm of the sum over replicas, as one replica with the whole batch would.

    Keras clips each replica's own gradient. Each gets an equal share of the clipped sum, which the optimiser adds up.
    """
    if not norm:
        return gradients
    if replicas > 1:
        context = tf.distribute.get_replica_context()
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    clipped, _ = tf.clip_by_global_norm(gradients, norm)
    return [gradient / replicas for gradient in clipped]
