"""Sheets of examples and of feature maps, by their pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svhn.labels import Number, Prediction
from svhn.reporting import sheets


def predicted(label: str, read: str, image: np.ndarray | None = None) -> Prediction:
    pixels = np.zeros((28, 28, 1), np.uint8) if image is None else image
    return Prediction(pixels, "a.png", label, Number(read, 0.87, (0.87,) * len(read)), 0.1)


@pytest.mark.parametrize("shape", [(48, 80, 3), (32, 32, 3), (28, 28, 1), (64, 208, 3), (256, 52, 1), (1, 9, 1)])
def test_a_picture_keeps_its_shape(shape: tuple[int, int, int]) -> None:
    boxed = sheets.letterbox_image(sheets.to_rgb_image(np.zeros(shape, np.uint8)))
    assert boxed.size == sheets.PICTURE_SIZE
    rows, columns = np.nonzero(np.asarray(boxed)[..., 0] < 100)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    scale = min(sheets.PICTURE_SIZE[1] / shape[0], sheets.PICTURE_SIZE[0] / shape[1])
    assert height == pytest.approx(scale * shape[0], abs=1)
    assert width == pytest.approx(scale * shape[1], abs=1)
    left, top = (sheets.PICTURE_SIZE[0] - width) // 2, (sheets.PICTURE_SIZE[1] - height) // 2
    assert (abs(columns.min() - left), abs(rows.min() - top)) <= (1, 1)


def test_a_sheet_frames_what_is_wrong(tmp_path: Path) -> None:
    readings = [predicted("12", "12"), predicted("12", "17"), *[predicted("1", "1")] * 9, predicted("1", "")]
    path = sheets.write_sheet(tmp_path / "sheet.png", readings)
    with Image.open(path) as sheet:
        assert sheet.size == (10 * sheets.CELL_SIZE[0], 2 * sheets.CELL_SIZE[1])
        corners = [sheet.getpixel((column * sheets.CELL_SIZE[0], 0)) for column in range(10)]
        second = sheet.getpixel((sheets.CELL_SIZE[0], sheets.CELL_SIZE[1]))
    assert corners == [(255, 255, 255), sheets.WRONG_COLOR, *[(255, 255, 255)] * 8]
    assert second == sheets.WRONG_COLOR


def test_feature_maps_each_span_black_to_white() -> None:
    maps = np.stack([np.array([[0.0, 1.0]]), np.array([[500.0, -500.0]]), np.array([[3.0, 3.0]])], axis=-1)
    sheet = np.asarray(sheets.draw_map_sheet(maps.astype(np.float32)))
    side, gap = sheets.MAP_SIDE // 2, sheets.GAP
    assert sheet.shape == (side, 3 * 2 * side + 2 * gap)
    halves = [sheet[0, start + half * side] for start in range(0, sheet.shape[1], 2 * side + gap) for half in (0, 1)]
    assert halves == [0, 255, 255, 0, 0, 0]
    assert (sheet[:, 2 * side : 2 * side + gap] == 255).all()


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((32, 32, 256), (8 * 66 - 2, 4 * 66 - 2)),  # enlarged twice; no more than 32 of them
        ((64, 208, 20), (4 * 210 - 2, 5 * 66 - 2)),  # fewer in a row, as they are wide
        ((54, 54, 3), (3 * 56 - 2, 54)),
        ((4, 3000, 2), (3000, 4 * 2 + 2)),
    ],
)
def test_a_sheet_of_feature_maps_is_no_wider_than_a_page(shape: tuple[int, int, int], size: tuple[int, int]) -> None:
    assert sheets.draw_map_sheet(np.zeros(shape, np.float32)).size == size


def test_a_picture_without_a_number_is_said_to_have_none() -> None:
    said, other = (np.asarray(sheets.draw_cell(predicted(label, "7"))) for label in ("", "none"))
    np.testing.assert_array_equal(said, other)
