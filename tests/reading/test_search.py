"""Windows of a picture, and the numbers that are found in them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat

import numpy as np
import pytest
from PIL import Image

from svhn.images import normalize_box
from svhn.reading import search, windows

SIZE = (16, 32)
CLOSER, WIDER = len(windows.CLOSER_SIZES), 1  # windows about each box
NOWHERE = (0.4, 0.4, 0.6, 0.6)  # the box of a window without a number


def photo(width: int, height: int, box: tuple[int, int, int, int]) -> Image.Image:
    """White within the box, black elsewhere."""
    image = Image.new("RGB", (width, height))
    image.paste("white", box)
    return image


def bright(seen: list[int] | None = None) -> search.Locate:
    """Finds what is bright in one of the colors; the surer, the larger it is, unless it is cut off by the window."""

    def locate(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if seen is not None:
            seen.append(len(images))
        found = [max(_find_color(image[..., color]) for color in range(3)) for image in images]
        return np.array([probability for probability, _ in found]), np.array([box for _, box in found])

    return locate


def _find_color(levels: np.ndarray) -> tuple[float, tuple[float, ...]]:
    """The probability and the box of what is bright in a window."""
    rows, columns = np.flatnonzero((levels > 127).any(1)), np.flatnonzero((levels > 127).any(0))
    if not len(rows):
        return 0.0, NOWHERE
    box = columns[0] / 32, rows[0] / 16, (columns[-1] + 1) / 32, (rows[-1] + 1) / 16
    cut = min(box) <= 0 or max(box) >= 1
    return 0.1 if cut else 0.5 + (box[2] - box[0]) / 2, box


def wall(**numbers: tuple[int, int, int, int]) -> Image.Image:
    """A black wall with a box in each of the colors that are named."""
    image = Image.new("RGB", (640, 320))
    for color, box in numbers.items():
        image.paste(color, box)
    return image


def follow(rows: Sequence[tuple[float, search.Box]], seen: list[np.ndarray] | None = None) -> search.Locate:
    """Finds in each window in turn the next row: a box in shares of the window, at its probability. Then nothing."""
    waiting = chain(rows, repeat((0.0, NOWHERE)))

    def locate(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if seen is not None:
            seen.append(images)
        probable, boxes = zip(*(next(waiting) for _ in images), strict=True)
        return np.array(probable), np.array(boxes)

    return locate


def find_first(locate: search.Locate, image: Image.Image) -> search.Detection:
    return search.find_numbers(locate, image, SIZE).detections[0]


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((100, 50), (30, 10, 70, 40)),
        ((100, 50), (60, 20, 95, 45)),
        ((640, 480), (400, 300, 500, 340)),
        ((480, 640), (40, 500, 110, 540)),
        ((2000, 1500), (1700, 60, 1780, 100)),
        ((1500, 400), (30, 200, 150, 270)),
        ((6000, 200), (4400, 60, 4540, 120)),  # a panorama
        ((3000, 60), (1210, 10, 1270, 45)),
        ((100, 1800), (20, 1500, 90, 1530)),
    ],
)
def test_a_number_is_found_wherever_it_is(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    found = find_first(bright(), photo(*size, box))
    assert found.probability > 0.6
    reach = 0.1 * (box[2] - box[0])
    assert found.box == pytest.approx(box, abs=max(reach, 2))


@pytest.mark.parametrize(
    ("size", "box"),
    [((300, 900), (120, 100, 180, 800)), ((300, 900), (120, 600, 160, 780)), ((900, 1200), (400, 90, 470, 600))],
)
def test_digits_above_one_another_are_found_in_a_high_picture(
    size: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    assert find_first(bright(), photo(*size, box)).box == pytest.approx(box, abs=0.1 * (box[3] - box[1]))


def test_without_a_number_nothing_is_probable() -> None:
    found = search.find_numbers(bright(), photo(640, 480, (0, 0, 0, 0)), SIZE)
    assert [each.probability for each in found.detections] == [0]


NUMBERS = {"red": (40, 40, 120, 70), "lime": (400, 60, 460, 90), "blue": (300, 230, 400, 270)}


def test_all_numbers_of_a_picture_are_found_each_once_the_most_probable_first() -> None:
    """Windows of several sizes show each of them whole."""
    found = search.find_numbers(bright(), wall(**NUMBERS), SIZE).detections
    assert [each.probability for each in found] == sorted((each.probability for each in found), reverse=True)
    boxes = sorted(each.box for each in found)
    assert len(boxes) == 3
    for box, expected in zip(boxes, sorted(NUMBERS.values()), strict=True):
        assert box == pytest.approx(expected, abs=6)


def test_no_more_than_the_most_numbers_are_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(search, "MOST_NUMBERS", 2)
    found = search.find_numbers(bright(seen), wall(**NUMBERS), SIZE)
    assert len(found.detections) == 2
    assert sum(seen) == found.windows + 2 * (CLOSER + WIDER)


def make_rows(wanted: dict[int, tuple[float, search.Box]], *closer: float) -> list[tuple[float, search.Box]]:
    """A row for each window of `wall`: a box in pixels at a probability, or nothing; then those of closer windows.

    Args:
        wanted: the boxes by the place of their window.
        closer: the probability that the closer windows of each box have.
    """
    listed = [window for level in windows.list_levels(640, 320) for window in level]
    rows = [(search.LEAST_HINT, NOWHERE)] * len(listed)
    for place, (probability, box) in wanted.items():
        rows[place] = probability, normalize_box(box, listed[place])
    return [*rows, *[(probability, (0.25, 0.25, 0.75, 0.75)) for probability in closer for _ in range(CLOSER)]]


def find_scripted(
    wanted: dict[int, tuple[float, search.Box]], *closer: float, seen: list[np.ndarray] | None = None
) -> list[float]:
    rows = follow(make_rows(wanted, *closer), seen)
    return [round(each.probability, 9) for each in search.find_numbers(rows, wall(), SIZE).detections]


def test_a_part_of_a_number_that_a_window_cuts_out_is_no_number() -> None:
    """The part is a quarter of the number, so their intersection is a small share of their union."""
    whole, part, beside = (40.0, 40.0, 120.0, 70.0), (44.0, 44.0, 64.0, 70.0), (140.0, 40.0, 160.0, 70.0)
    assert find_scripted({0: (0.9, whole), 1: (0.8, part)}, 0.6) == [0.6]
    assert find_scripted({0: (0.9, whole), 1: (0.8, beside)}, 0.6, 0.7) == [0.7, 0.6]


def test_only_probable_boxes_are_searched_again_or_else_the_best_one() -> None:
    number, other = (40.0, 40.0, 120.0, 70.0), (200.0, 40.0, 220.0, 50.0)
    seen: list[np.ndarray] = []
    assert find_scripted({0: (0.31, number), 1: (0.29, other)}, 0.25, seen=seen) == [0.25]
    assert find_scripted({0: (0.2, number), 1: (0.29, other)}, 0.25, seen=seen) == [0.25]
    assert sum(map(len, seen)) == 2 * (sum(map(len, windows.list_levels(640, 320))) + CLOSER)
    assert find_scripted({0: (0.3, number), 1: (0.3, other)}, 0.6, 0.7) == [0.7, 0.6]


def test_closer_windows_are_searched_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BATCH_SIZE", 2)
    seen: list[int] = []
    found = search.find_numbers(bright(seen), wall(**NUMBERS), SIZE)
    assert sum(seen) == found.windows + 3 * (CLOSER + WIDER)
    assert max(seen) == 2
    assert seen[-7:] == [2, 2, 2, 2, 1, 2, 1]  # nine closer windows and three wider ones


def test_a_small_picture_is_looked_at_as_a_whole_and_then_closer() -> None:
    seen: list[int] = []
    search.find_numbers(bright(seen), photo(100, 45, (20, 10, 50, 30)), SIZE)
    assert seen == [1, CLOSER]


def test_a_picture_hardly_larger_than_its_number_is_searched_once() -> None:
    seen: list[int] = []
    found = find_first(bright(seen), photo(100, 45, (10, 5, 90, 40)))
    assert seen == [1]
    assert found.box == pytest.approx((10, 5, 90, 40), abs=2)


def test_only_a_closer_window_that_differs_is_searched() -> None:
    """The closer windows of numbers 31 and 25 pixels high take 92 and 60 % of the picture."""
    for box, looks in (((45, 7, 55, 38), 1), ((45, 10, 55, 35), 2)):
        seen: list[int] = []
        search.find_numbers(bright(seen), photo(100, 45, box), SIZE)
        assert len(seen) == looks


def test_many_windows_are_searched_in_batches_by_threads_as_well() -> None:
    image, seen = photo(2000, 1500, (1700, 60, 1780, 100)), []
    expected = search.find_numbers(bright(seen), image, SIZE)
    assert max(seen) == search.BATCH_SIZE
    assert sum(seen) == expected.windows + CLOSER + WIDER
    with ThreadPoolExecutor(3) as pool:
        assert search.find_numbers(bright(), image, SIZE, pool.map) == expected


def test_what_is_found_says_of_how_many_windows() -> None:
    small, large = (photo(width, width // 2, (10, 10, 30, 20)) for width in (100, 400))
    assert search.find_numbers(bright(), small, SIZE).windows == 1
    assert search.find_numbers(bright(), large, SIZE).windows == sum(map(len, windows.list_levels(400, 200))) > 3


def test_smaller_windows_are_searched_only_where_a_larger_one_shows_that_there_may_be_a_number() -> None:
    """But for those that are large. All that were searched count."""
    levels = windows.list_levels(2000, 1500)
    first, others = sum(map(len, levels[: search.FIRST_LEVELS])), levels[search.FIRST_LEVELS :]
    assert [len(level) for level in others] == sorted(len(level) for level in others)
    for hint, levels in ((search.LEAST_HINT, others), (search.LEAST_HINT - 0.001, [])):
        seen: list[int] = []

        def locate(images: np.ndarray, hint: float = hint, seen: list[int] = seen) -> tuple[np.ndarray, np.ndarray]:
            seen.append(len(images))
            return np.full(len(images), hint), np.array([NOWHERE] * len(images))

        found = search.find_numbers(locate, photo(2000, 1500, (0, 0, 0, 0)), SIZE)
        assert found.windows == first + sum(map(len, levels)) == sum(seen) - CLOSER


def test_smaller_windows_lie_where_the_hint_is() -> None:
    image = photo(2000, 1500, (1700, 60, 1780, 100))
    searched: list[search.Box] = []
    crop = windows.crop_window

    def note(image: Image.Image, window: search.Box, size: tuple[int, int]) -> np.ndarray:
        searched.append(window)
        return crop(image, window, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "crop_window", note)
        assert find_first(bright(), image).box == pytest.approx((1700, 60, 1780, 100), abs=9)
    narrow = [window for window in searched if window[2] - window[0] < 300]
    assert len(narrow) > 5
    assert all(window[2] > 1400 and window[1] < 500 for window in narrow)


@pytest.mark.parametrize(
    "box", [(0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 1.0, 1.0), (0.05, 0.4, 0.1, 0.6), (0.0, 0.0, 1.0, 1.0)]
)
@pytest.mark.parametrize("size", [(30, 120), (1, 60), (1, 1), (60, 1)])
def test_a_box_beside_a_picture_becomes_one_at_its_edge(size: tuple[int, int], box: search.Box) -> None:
    """A window of a high picture shows more than the picture, and the finder may take that for a number."""
    found = search.find_numbers(
        lambda images: (np.full(len(images), 0.9), np.array([box] * len(images))), Image.new("RGB", size), SIZE
    )
    for (left, top, right, bottom), _ in found.detections:
        assert 0 <= left <= right <= size[0]
        assert 0 <= top <= bottom <= size[1]


def test_closer_windows_answer_with_their_mean_but_for_boxes_of_another_number() -> None:
    number, (width, height) = (200.0, 100.0, 260.0, 130.0), (640, 320)
    around = windows.list_closer_windows(number, (width, height))
    answers = [(210.0, 100.0, 270.0, 130.0), number, (300.0, 170.0, 330.0, 190.0)]
    closer = [
        (probability, normalize_box(box, window))
        for probability, box, window in zip((0.5, 0.9, 0.1), answers, around, strict=True)
    ]
    rows = make_rows({0: (0.8, number)})
    found = find_first(follow([*rows, *closer]), wall())
    assert found.box == pytest.approx((205, 100, 265, 130), abs=1e-6)
    assert found.probability == pytest.approx(0.5)


def test_a_box_without_an_area_is_its_own_mean() -> None:
    """It overlaps nothing, itself included."""
    rows = make_rows({0: (0.8, (200.0, 100.0, 260.0, 130.0))})
    found = find_first(follow([*rows, *[(0.4, (0.5, 0.5, 0.5, 0.5))] * CLOSER]), wall())
    assert found.box[:2] == found.box[2:]
    assert found.probability == pytest.approx(0.4)


PARTS = (280.0, 140.0, 300.0, 168.0), (310.0, 140.0, 330.0, 168.0)
WHOLE = (280.0, 140.0, 330.0, 168.0)


def look_wider(wider: tuple[float, search.Box], probability: float, count: int = 1) -> list[search.Box]:
    """The boxes found where parts of a number are sure, wider windows show a box each, and closer ones that box."""
    picture, parts = (640, 320), PARTS[:count]
    rows = make_rows({place: (0.8, part) for place, part in enumerate(parts)})
    answers = [
        *((0.9, part, windows.list_closer_windows(part, picture)) for part in parts),
        *((*wider, [windows.center_window(part, picture, search.WIDER_VIEW)]) for part in parts),
        *((probability, wider[1], windows.list_closer_windows(wider[1], picture)) for _ in parts),
    ]
    rows += [(sure, normalize_box(box, window)) for sure, box, around in answers for window in around]
    return [each.box for each in search.find_numbers(follow(rows), wall(), SIZE).detections]


@pytest.mark.parametrize("count", [1, 2])
def test_a_wider_window_shows_the_number_that_a_box_is_a_part_of(count: int) -> None:
    """All boxes are answered, the whole one once: what is read in them decides which is the number."""
    found = look_wider((0.3, WHOLE), 0.5, count)
    assert found == [pytest.approx(box, abs=1e-6) for box in (*PARTS[:count], WHOLE)]


@pytest.mark.parametrize(
    ("wider", "probability"),
    [
        ((0.29, WHOLE), 0.5),
        ((0.3, WHOLE), 0.29),
        ((0.3, (280.0, 140.0, 304.0, 168.0)), 0.5),  # not much larger
        ((0.3, (288.0, 140.0, 330.0, 168.0)), 0.5),  # without two fifths of the part
    ],
)
def test_no_other_box_of_a_wider_window_is_one_more(wider: tuple[float, search.Box], probability: float) -> None:
    assert look_wider(wider, probability) == [pytest.approx(PARTS[0], abs=1e-6)]


def test_wholes_count_among_the_most_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_NUMBERS", 1)
    assert look_wider((0.3, WHOLE), 0.95) == [pytest.approx(WHOLE, abs=1e-6)]
