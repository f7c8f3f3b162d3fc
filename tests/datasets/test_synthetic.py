"""The drawn data set: the publishers' layout, true boxes, the same bytes each time, and nothing overwritten."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svhn.datasets.synthetic import camera, dataset, fonts, wall
from svhn.datasets.synthetic.dataset import SYNTHETIC
from svhn.errors import UserError

COUNTS = {"train": 24, "test": 6}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib, whose fonts are drawn with, is not installed")
    monkeypatch.setattr(dataset, "PICTURES", COUNTS)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_draws_the_publishers_layout(tmp_path: Path) -> None:
    dataset.render_dataset(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(COUNTS)
    for source, count in COUNTS.items():
        names = {f"{index}.png" for index in range(1, count + 1)}
        assert {path.name for path in (tmp_path / source).iterdir()} == names | {"digitStruct.mat", "DRAWN.txt"}
        entries = list(SYNTHETIC.entries(tmp_path, source, 0))
        assert {entry.name for entry in entries} == {f"{source}/{name}" for name in names}
        assert not any(entry.problem for entry in entries)
        assert SYNTHETIC.present(tmp_path, source)
        assert "DejaVuSans.ttf" in (tmp_path / source / "DRAWN.txt").read_text().splitlines()  # which fonts were used
        for entry in entries:
            assert SYNTHETIC.load(entry, SYNTHETIC.size, SYNTHETIC.margin).shape == (57, 95, 3)


def test_the_same_bytes_each_time_and_other_pictures_for_each_split(tmp_path: Path) -> None:
    for name in ("one", "other"):
        dataset.render_dataset(tmp_path / name)
    drawn = contents(tmp_path / "one")
    assert drawn == contents(tmp_path / "other")
    assert len({content for path, content in drawn.items() if path.endswith(".png")}) == sum(COUNTS.values())


def test_the_same_bytes_from_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset.render_dataset(tmp_path / "one")
    monkeypatch.setattr(dataset, "WORTH_PROCESSES", 2)
    monkeypatch.setattr(dataset, "count_cores", lambda: 2)
    dataset.render_dataset(tmp_path / "two")
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_what_is_complete_is_left_alone_and_what_is_not_is_drawn(tmp_path: Path) -> None:
    dataset.render_dataset(tmp_path)
    (tmp_path / "train/1.png").write_bytes(b"kept")
    (tmp_path / "test").rename(tmp_path / "test.partial")
    (tmp_path / "test.partial/left over.png").touch()
    dataset.render_dataset(tmp_path)
    assert (tmp_path / "train/1.png").read_bytes() == b"kept"
    assert {path.name for path in tmp_path.iterdir()} == set(COUNTS)
    assert not (tmp_path / "test/left over.png").exists()


@pytest.mark.parametrize("marker", [None, "House numbers drawn by another version.\n24\n", dataset.MARK])
def test_what_was_not_drawn_here_is_never_overwritten(tmp_path: Path, marker: str | None) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test/digitStruct.mat").write_bytes(b"the publishers'")
    if marker:
        (tmp_path / "test/DRAWN.txt").write_text(marker)
    before = contents(tmp_path)
    assert not SYNTHETIC.present(tmp_path, "test")
    with pytest.raises(
        UserError, match=r"test was not drawn by this version and is left as it is: choose another --data_dir"
    ):
        dataset.render_dataset(tmp_path)
    assert contents(tmp_path) == before


def test_as_many_are_drawn_as_the_user_wants(tmp_path: Path) -> None:
    dataset.render_dataset(tmp_path, pictures=30)
    assert [dataset.count_drawn(tmp_path / split) for split in COUNTS] == [30, COUNTS["test"]]
    assert len(list(SYNTHETIC.entries(tmp_path, "train", 0))) == 30
    before = contents(tmp_path)
    dataset.render_dataset(tmp_path)  # any number will do
    with pytest.raises(UserError, match=r"train holds 30 pictures and is left as it is: choose another --data_dir"):
        dataset.render_dataset(tmp_path, pictures=31)
    assert contents(tmp_path) == before


def test_what_another_process_drew_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process ends between the first look and the lock."""

    @contextmanager
    def hold(path: Path, _: str) -> Iterator[None]:
        dataset.render_split(path, 3, seed=0)
        yield

    monkeypatch.setattr(dataset, "hold_file", hold)
    dataset.render_dataset(tmp_path)
    assert [dataset.count_drawn(tmp_path / split) for split in COUNTS] == [3, 3]


def test_a_split_that_fails_takes_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(rng: np.random.Generator) -> str:
        raise KeyboardInterrupt(rng)

    monkeypatch.setattr(dataset, "sample_number", fail)
    with pytest.raises(KeyboardInterrupt):
        dataset.render_dataset(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"train.partial"}


def test_boxes_are_where_the_digits_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def black_and_white(_rng: np.random.Generator, masks: list[Image.Image]) -> Image.Image:
        return Image.fromarray(np.max([np.asarray(mask) for mask in masks], axis=0)).convert("RGB")

    monkeypatch.setattr(wall, "draw_scene", black_and_white)
    monkeypatch.setattr(camera, "take_photo", lambda _, pixels: (wall.to_image(pixels), 1.0))
    for seed, text in enumerate(("7", "10", "358", "2469", "80241")):
        font = fonts.find_readable_fonts()[seed]
        picture, digits = dataset.draw_number(np.random.default_rng(seed), text, font)
        assert [str(int(label) % 10) for label in digits[:, 0]] == list(text)
        assert 0 not in digits[:, 0]
        ink = np.asarray(picture).max(axis=-1)
        strongest = ink.max()
        boxed = np.zeros(ink.shape, bool)
        for _, left, top, width, height in digits.astype(int):
            boxed[top : top + height, left : left + width] = True
            inside = ink[top : top + height, left : left + width] >= 0.3 * strongest
            assert all(side.any() for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))
        assert not (ink[~boxed] > 0.6 * strongest).any()


def test_boxes_shrink_with_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    font, drawn = fonts.find_readable_fonts()[0], []
    for factor in (1.0, 0.25):
        monkeypatch.setattr(camera, "take_photo", lambda _, pixels, f=factor: (wall.to_image(pixels), f))
        drawn.append(dataset.draw_number(np.random.default_rng(0), "358", font)[1])
    np.testing.assert_allclose(drawn[1][:, 1:], drawn[0][:, 1:] / 4)


def test_lengths_are_spread_as_in_svhn_and_none_begins_with_0() -> None:
    rng = np.random.default_rng(0)
    numbers = [dataset.sample_number(rng) for _ in range(20_000)]
    shares = Counter(len(number) for number in numbers)
    expected = np.array([5137, 18130, 8691, 1434, 9]) / 33401
    assert np.allclose([shares[length] / 20_000 for length in range(1, 6)], expected, atol=0.01)
    assert not any(number.startswith("0") for number in numbers)
    assert set("".join(numbers)) == set("0123456789")
    firsts = Counter(number[0] for number in numbers)
    assert firsts["1"] / 20_000 == pytest.approx(math.log10(2), abs=0.01)  # 0.31 in SVHN's train split


@pytest.fixture
def matplotlibs_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No others of the machine."""
    from matplotlib import font_manager

    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    fonts.find_readable_fonts.cache_clear()
    yield
    fonts.find_readable_fonts.cache_clear()


@pytest.mark.usefixtures("matplotlibs_fonts")
def test_only_readable_fonts_are_drawn_with() -> None:
    names = {Path(path).name for path in fonts.find_readable_fonts()}
    assert {"DejaVuSans.ttf", "DejaVuSerif-Bold.ttf", "cmr10.ttf", "STIXGeneral.ttf"} <= names
    assert not names & {"cmsy10.ttf", "cmex10.ttf", "cmmi10.ttf", "STIXSizOneSymReg.ttf", "DejaVuSansDisplay.ttf"}
    assert len(names) == len(fonts.find_readable_fonts()) <= fonts.MAX_FONTS


def test_a_font_whose_digits_look_like_other_digits_is_refused() -> None:
    path = fonts.find_readable_fonts()[0]
    reference = fonts.draw_glyphs(path)
    assert fonts.is_readable(path, [reference])
    assert not fonts.is_readable(path, [[reference[digit] for digit in (0, 1, 2, 3, 4, 5, 9, 7, 8, 6)]])


def test_a_font_whose_digits_look_like_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    path = fonts.find_readable_fonts()[0]
    monkeypatch.setattr(fonts, "LEEWAY", 2.0)
    assert not fonts.is_readable(path, [[255 - ink for ink in fonts.draw_glyphs(path)]])


def test_old_style_figures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = fonts.draw_glyphs(fonts.find_readable_fonts()[0])
    for share, readable in ((0.95, True), (0.75, False)):
        drawn = [shrunk(ink, share) if digit in (0, 1, 2) else ink for digit, ink in enumerate(reference)]
        monkeypatch.setattr(fonts, "draw_glyphs", lambda _, drawn=drawn: drawn)
        assert fonts.is_readable("", [reference]) == readable


def shrunk(ink: np.ndarray, share: float) -> np.ndarray:
    height, width = ink.shape
    return np.asarray(Image.fromarray(ink).resize((round(share * width), round(share * height))))


def test_a_file_that_is_no_font_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    assert not fonts.is_readable(str(tmp_path / "broken.ttf"), [fonts.draw_glyphs(fonts.find_readable_fonts()[0])])


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    fonts.find_readable_fonts.cache_clear()
    with pytest.raises(UserError, match=r"pip install -e '\.\[synthetic\]'"):
        fonts.find_readable_fonts()


def test_glyphs_are_cropped_to_their_ink() -> None:
    for ink in fonts.draw_glyphs(fonts.find_readable_fonts()[0]):
        assert all(side.any() for side in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))


def test_digits_stand_in_their_order() -> None:
    for seed in range(40):
        _, digits = dataset.draw_number(np.random.default_rng(seed), "90817", fonts.find_readable_fonts()[0])
        lefts, tops, widths, heights = digits[:, 1:].T
        assert (np.diff(lefts) > 0).all() or (np.diff(tops) > 0).all()
        assert min(widths.min(), heights.min()) >= 1
