"""A run's network as one function: from images to numbers with their confidences, in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from svhn.evaluation import decoding, views
from svhn.models.losses import Network
from svhn.run import Run

Answers = dict[str, tf.Tensor]


def make_answerer(network: Network, run: Run) -> Callable[[tf.Tensor], Answers]:
    """A function of images, uint8 (batch, height, width, channels) of a record's size, that returns:

    - the logits: the mean over the run's views, at the run's temperature;
    - `number`, int32 (batch, max_length): one digit per slot, -1 past the end; -2 in all slots of a
      longer number;
    - `confidence`, float32 (batch,): the probability of the number;
    - `digit_confidences`, float32 (batch, max_length): the probability of each digit;
    - of a finder also `box`, float32 (batch, 4): left, top, right and bottom as shares of the image's width and height;
    - of a finder also `probability`, float32 (batch,): that there is a number.

    Exported files hold this function, and `read` calls it where it reads with TensorFlow.

    Args:
        network: the run's network.
        run: the run.
    """
    predict = views.average_views(network, run)

    def answer(images: tf.Tensor) -> Answers:
        logits = predict(images)
        number, confidence, digit_confidences = decoding.decode_outputs(logits)
        presence = {"probability": decoding.compute_presence(logits)} if "box" in logits else {}
        decoded = {"number": number, "confidence": confidence, "digit_confidences": digit_confidences}
        return {**logits, **presence, **decoded}

    return answer
