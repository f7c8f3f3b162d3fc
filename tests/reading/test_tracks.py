"""Numbers followed through frames: which readings are of one number, what they vote for, and how sure that is."""

from __future__ import annotations

import math
import pickle

import pytest

from svhn.labels import Number, list_corners
from svhn.reading.tracks import Tracker

LEFT, RIGHT = (10.0, 10.0, 50.0, 30.0), (150.0, 10.0, 190.0, 30.0)


def number(text: str, confidence: float = 0.9, box: tuple[float, float, float, float] = LEFT) -> Number:
    return Number(text, confidence, (confidence ** (1 / len(text)),) * len(text), list_corners(box))


def follow(frames: list[list[Number]], rate: float = 10, longest: float = math.inf) -> list[Number]:
    tracker = Tracker(longest)
    ended = [each for place, numbers in enumerate(frames) for each in tracker.add(place, place / rate, numbers)]
    return ended + tracker.finish()


def test_a_frame_that_is_far_surer_wins_over_some_that_agree() -> None:
    (voted,) = follow([[number("27", 0.4)], [number("21", 0.98)], [number("27", 0.4)], [number("27", 0.5)]])
    assert voted.text == "21"
    assert voted.confidence < 0.5


def test_frames_that_agree_win_over_a_surer_frame() -> None:
    (voted,) = follow([[number("27", 0.8)], [number("21", 0.9)], [number("27", 0.7)], [number("27", 0.85)]])
    assert voted.text == "27"
    assert voted.seen
    assert (voted.seen.frames, voted.seen.first_frame, voted.seen.last_frame, voted.seen.best_frame) == (4, 0, 3, 3)
    assert (voted.seen.first, voted.seen.last, voted.seen.best) == (0.0, 0.3, 0.3)


def test_frames_that_agree_are_surer_than_one_and_frames_that_do_not_are_less_sure() -> None:
    ((alone,), (agreeing,), (quarreling,)) = (
        follow([[number(text)] for text in texts]) for texts in (["27"], ["27"] * 9, ["27", "21", "27", "71", "27"])
    )
    assert alone.confidence == pytest.approx(0.9)
    assert 0.9 < agreeing.confidence < 1
    assert quarreling.confidence < 0.9
    for voted in (alone, agreeing, quarreling):
        assert math.prod(voted.digit_confidences) == pytest.approx(voted.confidence)


def test_a_frame_that_is_wholly_sure_gives_no_certainty() -> None:
    (voted,) = follow([[number("27", 1.0)]] * 50)
    assert 0.99 < voted.confidence < 1
    assert all(0 < each <= 1 for each in voted.digit_confidences)
    (doubted,) = follow([[number("27", 0.0)]] * 5)
    assert 0 < doubted.confidence < 0.01


def test_a_number_is_followed_through_gaps_and_leaves_after_a_second() -> None:
    seen, gone = [number("27")], list[Number]()
    assert len(follow([seen] * 3 + [gone] * 8 + [seen] * 3)) == 1
    first, second = follow([seen] * 3 + [gone] * 13 + [seen] * 3)
    assert first.seen
    assert second.seen
    assert (first.seen.order, second.seen.order, second.seen.first_frame) == (0, 1, 16)


def test_at_few_frames_a_second_a_number_leaves_after_three_of_them() -> None:
    seen, gone = [number("27")], list[Number]()
    assert len(follow([seen] * 3 + [gone] * 2 + [seen] * 3, rate=0.5)) == 1
    assert len(follow([seen] * 3 + [gone] * 3 + [seen] * 3, rate=0.5)) == 2


def test_two_numbers_at_once_are_two_and_keep_their_boxes() -> None:
    two = [number("27"), number("29", box=RIGHT)]
    first, second = follow([two, two[::-1]] * 3)
    assert {first.text: first.box, second.text: second.box} == {"27": LEFT, "29": RIGHT}


def test_a_number_that_comes_beside_another_one_is_a_new_one() -> None:
    """Its box, widened, overlaps with that of the number that was there before, which is read after it."""
    there, beside = number("27", box=(60.0, 10.0, 100.0, 30.0)), number("29")
    assert [each.text for each in follow([[there]] * 3 + [[beside, there]] * 3)] == ["27", "29"]
    misread = number("21", box=(61.0, 10.0, 101.0, 30.0))
    first, second = follow([[there]] * 3 + [[beside, misread]] + [[beside, there]] * 3)
    assert [(each.text, each.seen and each.seen.frames) for each in (first, second)] == [("27", 7), ("29", 4)]


def test_a_number_that_jumps_is_the_same_one_by_its_text() -> None:
    jumping = [[number("27")], [number("27", box=RIGHT)]] * 3
    assert [each.text for each in follow(jumping)] == ["27"]
    elsewhere = [[number("27")]] * 3 + [[number("81", box=RIGHT)]] * 3
    assert [each.text for each in follow(elsewhere)] == ["27", "81"]


def test_a_number_without_a_place_is_followed_by_its_text() -> None:
    assert [each.text for each in follow([[number("27")._replace(corners=None)]] * 3)] == ["27"]


def test_a_number_in_a_single_frame_counts_only_in_a_video_of_one() -> None:
    assert follow([[number("27")], [], []]) == []
    assert [each.text for each in follow([[number("27")]])] == ["27"]


def test_a_number_that_stays_is_answered_now_and_then() -> None:
    answers = follow([[number("27")]] * 100, longest=3)
    assert [each.text for each in answers] == ["27"] * 4


def test_a_number_is_the_same_where_the_times_begin_anew() -> None:
    tracker = Tracker()
    times = [50.0, 50.1, 50.2, 0.0, 0.1, 0.2]
    ended = [each for place, at in enumerate(times) for each in tracker.add(place, at, [number("27")])]
    assert ended == []
    assert [each.text for each in tracker.finish()] == ["27"]


def test_what_is_kept_does_not_grow_with_the_frames() -> None:
    def measure(frames: int) -> int:
        tracker = Tracker()
        for place in range(frames):
            tracker.add(place, place / 10, [number(["27", "21"][place % 2])])
        return len(pickle.dumps(tracker))

    assert abs(measure(2000) - measure(500)) < 20


def test_two_numbers_that_are_too_long_are_the_same_at_the_same_place_alone() -> None:
    """They have no digits that could be compared."""
    left, right = (Number("", 0.9, (), list_corners(box), truncated=True) for box in (LEFT, RIGHT))
    assert len(follow([[left], [left]])) == 1
    assert len(follow([[left], [left], [right], [right]])) == 2
