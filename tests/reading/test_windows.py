"""The windows in which a picture is searched, and what they show."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from svhn.reading import windows
from svhn.spec import Box

SIZE = (16, 32)
GRAY = (90, 90, 90)


def photo(width: int, height: int, box: tuple[int, int, int, int]) -> Image.Image:
    """White within the box, gray elsewhere."""
    image = Image.new("RGB", (width, height), GRAY)
    image.paste("white", box)
    return image


def list_windows(width: int, height: int) -> list[Box]:
    """The windows of all sizes."""
    return [window for level in windows.list_levels(width, height) for window in level]


def measure_ratio(window: Box) -> float:
    left, top, right, bottom = window
    return (right - left) / (bottom - top)


@pytest.mark.parametrize("size", [(100, 45), (640, 480), (480, 640), (4000, 3000), (3000, 200), (1, 1), (1, 5000)])
def test_windows_cover_the_picture(size: tuple[int, int]) -> None:
    """And reach out of it to both sides alone, where they would be too narrow otherwise."""
    found = list_windows(*size)
    assert len(found) < 500
    left, top, right, bottom = found[0]
    assert (top, bottom) == (0, size[1])
    assert (left + right) / 2 == pytest.approx(size[0] / 2)
    assert right - left == pytest.approx(max(size[0], windows.LEAST_RATIO * size[1]))
    lefts, tops, rights, bottoms = np.array(found).T
    assert tops.min() >= 0
    assert bottoms.max() <= size[1] + 1e-6
    widths = np.unique(np.round(rights - lefts, 3))
    for width in widths[widths < size[0] + 1e-6]:
        level = np.isclose(rights - lefts, width)
        assert (lefts[level].min(), tops[level].min()) == (0, 0)
        assert (rights[level].max(), bottoms[level].max()) == pytest.approx(size)
        for starts, part in ((lefts[level], width), (tops[level], width / windows.ASPECT_RATIO)):
            assert np.diff(np.unique(starts)).max(initial=0) <= part * 2 / 3 + 1e-6  # a third of each is in the next
    wide = rights - lefts > size[0] + 1e-6
    assert wide.any() == (size[0] < windows.LEAST_RATIO * size[1])
    assert np.allclose((lefts + rights)[wide], size[0])


@pytest.mark.parametrize("size", [(300, 900), (900, 1200), (3000, 4000)])
def test_a_high_picture_is_searched_in_windows_that_are_wider(size: tuple[int, int]) -> None:
    """So a column of digits, which takes a quarter of the height, lies whole in one that is not much larger."""
    found = list_windows(*size)
    assert all(measure_ratio(window) >= windows.LEAST_RATIO - 1e-9 for window in found)
    for top in np.linspace(0, 3 / 4, 20) * size[1]:
        holding = [
            bottom - upper for _, upper, _, bottom in found if upper <= top and bottom >= top + size[1] / 4 - 1e-6
        ]
        assert min(holding) <= 0.51 * size[1]


def test_a_strip_of_too_many_windows_is_refused_with_its_size() -> None:
    assert len(list_windows(20_000, 30)) == 455 + 1
    with pytest.raises(ValueError, match=r"30000 x 30 pixels .* at most 500: cut"):
        list_windows(30_000, 30)


@pytest.mark.parametrize("size", [(9, 300), (300, 9), (23, 5000)])
def test_a_strip_too_thin_for_a_number_is_searched_as_a_whole(size: tuple[int, int]) -> None:
    assert list_windows(*size) == [windows.widen_window((0, 0, *size))]


def test_the_second_look_is_centered_on_the_box_and_within_the_picture() -> None:
    window = windows.center_window((400, 300, 500, 340), (1000, 800))
    assert ((window[0] + window[2]) / 2, (window[1] + window[3]) / 2) == pytest.approx((450, 320))
    assert window[2] - window[0] == pytest.approx(300)
    assert windows.center_window((0, 0, 100, 40), (1000, 800))[:2] == (0, 0)
    assert windows.center_window((990, 790, 1000, 800), (1000, 800))[2:] == (1000, 800)
    left, top, right, bottom = windows.center_window((50, 50, 50, 50), (1000, 800))
    assert right > left
    assert bottom > top


def test_a_window_is_cut_out_at_the_size_the_network_sees() -> None:
    image = photo(64, 32, (32, 0, 64, 32))
    assert (windows.crop_window(image, (32, 0, 64, 32), SIZE)[:, 2:] == 255).all()
    assert windows.crop_window(image, (0.5, 0.5, 1.0, 1.0), SIZE).shape == (*SIZE, 3)


def test_a_closer_window_is_never_too_narrow() -> None:
    """Digits above one another keep their proportions in a picture that is hardly wider."""
    left, top, right, bottom = window = windows.center_window((10, 40, 30, 160), (40, 200))
    assert measure_ratio(window) == pytest.approx(windows.LEAST_RATIO)
    assert (left + right) / 2 == pytest.approx(20)
    assert 0 <= top < 40
    assert 160 < bottom <= 200


def test_beside_a_picture_a_window_shows_the_mean_color_of_what_it_shows_of_it() -> None:
    image = photo(40, 40, (0, 20, 40, 40))
    pixels = windows.crop_window(image, (-20, 0, 60, 40), SIZE)
    assert (pixels[:5, 8:24] == GRAY).all()
    assert (pixels[11:, 8:24] == 255).all()
    mean = np.floor(pixels[:, 8:24].mean(axis=(0, 1)) + 0.5)
    assert (pixels[:, :8] == mean).all()
    assert (pixels[:, 24:] == mean).all()


def test_a_window_that_shows_hardly_any_of_a_picture_shows_a_pixel_of_it() -> None:
    pixels = windows.crop_window(photo(1, 300, (0, 0, 1, 300)), (-200, 0, 201, 300), SIZE)
    assert pixels.shape == (*SIZE, 3)
    assert (pixels == 255).all()


def test_closer_windows_have_one_middle_and_the_factors_as_sizes_unless_an_edge_cuts_them() -> None:
    around = windows.list_closer_windows((480, 380, 520, 400), (1000, 800))
    assert around[1] == windows.center_window((480, 380, 520, 400), (1000, 800))
    for window, factor in zip(around, windows.CLOSER_SIZES, strict=True):
        assert (window[0] + window[2]) / 2 == pytest.approx(500)
        assert window[2] - window[0] == pytest.approx(factor * (around[1][2] - around[1][0]))
    assert all(window[:2] == (0, 0) for window in windows.list_closer_windows((0, 0, 100, 40), (1000, 800)))
