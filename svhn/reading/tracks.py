"""Numbers followed through the frames of a video: which boxes are of the same number, and what it is by all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from svhn.images import compute_overlap
from svhn.labels import Number, Seen
from svhn.spec import Box

REACH = 1.0  # heights of a box by which the number may have moved on each side since it was last read
LEAST_OVERLAP = 0.1  # intersection over union of two boxes, so widened, from which they are of the same number
PATIENCE, PATIENT_FRAMES = 1.0, 3  # seconds, and frames that were read in them, after which a number has left
LEAST_FRAMES = 2  # in which a number is read; fewer are a mistake of a moment, unless the video has no more
# The vote, fitted on clips of pictures that were held out from training: see docs/video.md.
SUREST = 0.999  # highest confidence that a frame's weight follows, so that no frame outvotes all others
SURE = 0.99  # highest mean that counts; among so few clips, surer ones can't be told apart
SHIFT, SLOPE = 1.0, 0.4  # what many frames add to the log odds of the mean, and to their factor


class Glimpse(NamedTuple):
    """A number as it was read in one frame, the frame's place in the video, and its time in seconds."""

    number: Number
    frame: int
    seconds: float


@dataclass
class _Candidate:
    """A text that was read: the surest frame with it, and sums over the frames with it."""

    best: Glimpse
    votes: float = 0.0
    confidence: float = 0.0

    def add(self, glimpse: Glimpse) -> None:
        confidence = glimpse.number.confidence
        self.best = max(self.best, glimpse, key=lambda each: each.number.confidence)
        self.votes += confidence / (1 - min(confidence, SUREST))
        self.confidence += confidence


class Track:
    """A number in the frames in which it was read. What is kept does not grow with the number of frames."""

    def __init__(self, glimpse: Glimpse) -> None:
        self.first = self.last = glimpse
        self.frames = self.missed = 0
        self._candidates: dict[str, _Candidate] = {}
        self.add(glimpse)

    def add(self, glimpse: Glimpse) -> None:
        """Count the next frame in which the number is read."""
        self.last, self.frames, self.missed = glimpse, self.frames + 1, 0
        self._candidates.setdefault(glimpse.number.text, _Candidate(glimpse)).add(glimpse)

    def answer(self, order: int) -> Number:
        """The text that most votes are for; each frame's weight is its odds. `order` is the answer's place."""
        winner = max(self._candidates.values(), key=lambda each: each.votes)
        number, frame, seconds = winner.best
        seen = Seen(
            *(order, self.frames, self.first.seconds, self.last.seconds, seconds),
            *(self.first.frame, self.last.frame, frame),
        )
        confidence = _compute_confidence(winner.confidence / self.frames, self.frames)
        digits = _fit_digits(number, confidence)
        return number._replace(confidence=confidence, digit_confidences=digits, seen=seen)


def _compute_confidence(mean: float, frames: int) -> float:
    """The probability that a vote is right.

    Args:
        mean: mean confidence of its text over the frames, 0 where another text was read.
        frames: number of frames. A single frame's confidence stays what it was.
    """
    mean, many = min(max(mean, 1e-6), SURE), 1 - 1 / frames
    odds = math.log(mean / (1 - mean))
    return 1 / (1 + math.exp(-many * SHIFT - (1 + many * SLOPE) * odds))


def _fit_digits(number: Number, confidence: float) -> tuple[float, ...]:
    """The digits' probabilities in the surest frame, raised or lowered as the number's was by the vote."""
    before, after = math.log(min(max(number.confidence, 1e-6), SURE)), math.log(confidence)
    return tuple(max(each, 1e-6) ** (after / before) for each in number.digit_confidences)


class Tracker:
    """Follows the numbers of a video, and answers each once it has left."""

    def __init__(self, longest: float = math.inf) -> None:
        """`longest`: seconds after which a number is answered even if it stays, and then followed anew."""
        self.answered = 0
        self._longest, self._frames, self._tracks = longest, 0, list[Track]()

    def add(self, frame: int, seconds: float, numbers: Sequence[Number]) -> list[Number]:
        """Take the numbers of the next frame that was read. Returns the numbers that have left, each with `seen`."""
        self._frames += 1
        ended = self._take_ended(seconds)
        glimpses = [Glimpse(number, frame, seconds) for number in numbers]
        for track in self._tracks:
            track.missed += 1
        for track, glimpse in _pair_numbers(self._tracks, glimpses):
            track.add(glimpse)
            glimpses.remove(glimpse)
        self._tracks += map(Track, glimpses)
        return self._answer(ended)

    def finish(self) -> list[Number]:
        """The numbers that are in view at the end."""
        ended, self._tracks = self._tracks, []
        return self._answer(ended)

    def _take_ended(self, seconds: float) -> list[Track]:
        ended = [track for track in self._tracks if self._has_ended(track, seconds)]
        self._tracks = [track for track in self._tracks if track not in ended]
        return ended

    def _has_ended(self, track: Track, seconds: float) -> bool:
        gone = abs(seconds - track.last.seconds) > PATIENCE and track.missed >= PATIENT_FRAMES
        return gone or seconds - track.first.seconds > self._longest

    def _answer(self, ended: list[Track]) -> list[Number]:
        kept = [track for track in ended if track.frames >= min(LEAST_FRAMES, self._frames)]
        numbers = [track.answer(self.answered + place) for place, track in enumerate(kept)]
        self.answered += len(numbers)
        return numbers


def _pair_numbers(tracks: Sequence[Track], glimpses: Sequence[Glimpse]) -> list[tuple[Track, Glimpse]]:
    """The numbers of a frame and the tracks that they belong to, the surest pair first; each is in one pair at most."""

    def rate(pair: tuple[Track, Glimpse]) -> float:
        return _compare(pair[0].last.number, pair[1].number)

    pairs: list[tuple[Track, Glimpse]] = []
    for pair in sorted(product(tracks, glimpses), key=rate, reverse=True):
        taken = any(pair[0] is track or pair[1] is glimpse for track, glimpse in pairs)
        if not taken and rate(pair) >= LEAST_OVERLAP:
            pairs.append(pair)
    return pairs


def _compare(one: Number, other: Number) -> float:
    """How surely two boxes of neighboring frames are of the same number: 0 to 1, and 1 more for the same text."""
    overlap = compute_overlap(_widen(one.box), _widen(other.box)) if one.box and other.box else 0.0
    return overlap + (one.text == other.text != "")  # numbers that are too long have no text


def _widen(box: Box) -> Box:
    left, top, right, bottom = box
    reach = REACH * (bottom - top)
    return left - reach, top - reach, right + reach, bottom + reach
