"""The page that reads without a server: what is written for it, and what it reads in a real browser."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from support.browser import CHROMIUM, DESKTOP, PATIENCE, PHONE, QUIET, in_browser, serve_folder
from support.numbered_wall import PLACES, make_wall
from support.program import ROOT, call, last_line

from svhn.config import READER, RELEASED
from svhn.datasets.synthetic import dataset, fonts
from svhn.images import sort_boxes, suppress_overlaps
from svhn.labels import Number, Reading
from svhn.reading import columns, crops, pieces, results, search, windows
from svhn.reading import page as static_page
from svhn.reading.columns import read_columns
from svhn.reading.pieces import read_runs
from svhn.reading.reader import Reader
from svhn.reading.web import EXAMPLES
from svhn.runtime.holding import hold_file
from svhn.spec import Box

WEB = ROOT / "web"
NPM = shutil.which("npm")
# Most by which a confidence differs from Python's, but for pictures with two windows of almost equal probability. The
# finder's box differs in its last bits, which changes some pixels of the reader's crop by a level.
CLOSE = 0.01
PIXELS_APART = 0.5  # at most: 8-bit weights make more of what differs in the last bits
LEAST_CONFIDENCE = 0.01  # of what was nearly read and has to be the same
READY = re.compile("^Ready")
# Functions of the page, called with pictures as Base64. The page itself computes nothing then: LiteRT is loaded once.
READ = """async ([pictures, threshold]) => {
  const { Reader } = await import("./reader.js"), { openPicture } = await import("./picture.js");
  const { settings, finder, network } = await (window.reader ??= Reader.load());
  const reader = new Reader({ ...settings, threshold: threshold ?? settings.threshold }, finder, network);
  const decode = (text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
  const readings = [];
  for (const text of pictures) readings.push(await reader.read(await openPicture(decode(text), 100)));
  return readings;
}"""
READ_PIECES = """async ([found]) => {
  const { readColumns } = await import("./columns.js"), { readRuns } = await import("./pieces.js");
  const settings = await (await fetch("./settings.json")).json();
  const read = async ([left, top, right, bottom]) => {
    const wide = right - left, high = bottom - top;
    const count = Math.max(1, Math.floor((1.6 * wide) / high + 0.5));
    const digits = Array.from({ length: count }, (_, index) =>
      Math.floor((left + ((index + 0.5) * wide) / count) / 40) % 10);
    const confidence = 0.75 + ((Math.floor(left) + Math.floor(top)) % 25) / 100;
    const text = count < 6 ? digits.join("") : "";
    return { text, truncated: count > 5, confidence, digitConfidences: [...text].map(() => confidence) };
  };
  const readRow = async (parts) => {
    const text = (await Promise.all(parts.map(read))).map((number) => number.text.slice(0, 1)).join("");
    const confidence = 0.85 + (Math.floor(parts[0][1] + 40) % 15) / 100;
    return { text, truncated: false, confidence, digitConfidences: [...text].map(() => confidence) };
  };
  const detections = found.map(([box, probability]) => ({ box, probability })), numbers = [];
  for (const { box } of detections) numbers.push(await read(box));
  const boxes = detections.map(({ box }) => box);
  const list = ({ text, truncated, confidence }) => [text, truncated, confidence];
  const columns = await readColumns(readRow, boxes, numbers, settings.columns);
  const runs = await readRuns(read, readRow, detections, numbers, settings);
  const flatten = ({ detection: { box, probability }, number }) => [box, probability, ...list(number)];
  return [columns.map(list), runs.map(flatten)];
}"""
CHOOSE_BOXES = """async ([boxes, scores, limits]) => {
  const { sortBoxes, suppressOverlaps } = await import("./boxes.js");
  return [suppressOverlaps(boxes, scores, limits), sortBoxes(boxes)];
}"""
RESIZE = """async (cases) => {
  const { cropWindow } = await import("./windows.js");
  return cases.map(({ data, width, height, box, size }) => {
    const picture = { data: Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), width, height };
    return btoa(Array.from(cropWindow(picture, box, ...size).data, (level) => String.fromCharCode(level)).join(""));
  });
}"""
CROP_ROW = """async ([data, width, height, parts]) => {
  const { cropRow } = await import("./crops.js"), settings = await (await fetch("./settings.json")).json();
  const picture = { data: Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), width, height };
  const { data: levels } = cropRow(picture, parts, settings.reader);
  return btoa(Array.from(levels, (level) => String.fromCharCode(level)).join(""));
}"""
FIND_NUMBERS = """async ([data, width, height, size]) => {
  const { findNumbers } = await import("./search.js");
  const { search } = await (await fetch("./settings.json")).json();
  const picture = { data: Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), width, height };
  const locate = async (window) => {
    const sum = window.data.reduce((total, level) => total + level, 0);
    const [sure, left, top, across, down] = [1, 2, 3, 4, 5].map((factor) => ((sum * factor * 7919) % 9973) / 9973);
    const [x, y] = [left / 2, top / 2];
    return { probability: [sure], box: [x, y, x + 0.1 + 0.4 * across, y + 0.1 + 0.4 * down] };
  };
  const { detections, windows } = await findNumbers(locate, picture, { ...search, size }, async () => {});
  return [detections.map(({ box, probability }) => [...box, probability]), windows];
}"""
LIST_LEVELS = """async (sizes) => {
  const { listLevels } = await import("./windows.js");
  const { search } = await (await fetch("./settings.json")).json();
  return sizes.map(([width, height]) => listLevels(width, height, search.windows));
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as `make web` writes it, in a folder below the one that is served."""
    if not static_page.PACKAGES.is_dir():
        if NPM is None:
            pytest.skip("needs npm: apt-get install npm")
        subprocess.run([NPM, "ci"], cwd=WEB, check=True)
    target = tmp_path_factory.mktemp("site") / "below/page"
    command = [sys.executable, "-m", "svhn", "page", f"--output={target}"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert f"written to {target}" in printed
    return target


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serve_folder(folder.parents[1]) as root:
        yield f"{root}/below/page/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, which never asks anybody else for anything, nor does what its own policy forbids."""
    page = browser.new_page(viewport=DESKTOP)
    page.set_default_timeout(PATIENCE)
    asked: list[str] = []
    logged: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: logged.append(message.text))
    page.goto(address)
    page.get_by_text(READY).wait_for()
    yield page
    page.close()
    assert [url for url in asked if not url.startswith((address, "blob:"))] == []
    assert [line for line in logged if "Content Security Policy" in line] == []


@pytest.fixture(scope="module")
def bare(browser: Browser, address: str) -> Iterator[Page]:
    """A page of the same server, on which tests call the page's functions."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}settings.json")
    yield page
    page.close()


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Fifty pictures: rendered numbers of many sizes, two of them in larger ones, the examples, and one of no number.

    In the larger pictures, the number is searched window by window.
    """
    drawn, names = (
        [Image.open(path).convert("RGB") for path in sorted(EXAMPLES.glob("*.jpg"))],
        fonts.find_readable_fonts(),
    )
    for index in range(50 - len(drawn)):
        rng = np.random.default_rng((7, index))
        number, _ = dataset.draw_number(rng, dataset.sample_number(rng), names[index % len(names)])
        drawn.append(enlarge_canvas(number, 2 + index % 2) if index < 2 else number)
    return drawn


def enlarge_canvas(picture: Image.Image, factor: int) -> Image.Image:
    """A plain picture, `factor` times as large, with a picture in it."""
    canvas = Image.new("RGB", (factor * max(picture.width, 400), factor * max(picture.height, 300)), (120, 130, 125))
    canvas.paste(picture, (canvas.width // 3, canvas.height // 4))
    return canvas


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def read_in_browser(page: Page, files: list[bytes], threshold: float | None = None) -> list[dict[str, Any]]:
    return page.evaluate(READ, [[base64.b64encode(file).decode() for file in files], threshold])


def summarize(found: dict[str, Any]) -> list[tuple[str, float]]:
    """The text of each number of a reading from the browser, and its confidence, or what was nearly read."""
    refused = found["refused"]
    read = [(f"read: {number['text']}", number["confidence"]) for number in found["numbers"]]
    return read or [(refused["text"], refused["confidence"])]


def summarize_python(found: Reading) -> list[tuple[str, float]]:
    if found.refused:
        return [(found.refused.text, found.refused.confidence)]
    return [(f"read: {number.text}", number.confidence) for number in found.numbers]


def list_texts(summary: list[tuple[str, float]]) -> list[str]:
    """The texts but for those that are so improbable that the networks' last bits decide them."""
    return [text for text, confidence in summary if confidence >= LEAST_CONFIDENCE]


def is_close(found: dict[str, Any], expected: Reading) -> bool:
    """Whether all probabilities and corners of two readings of the same texts are nearly the same."""
    one, other = ([confidence for _, confidence in each] for each in (summarize(found), summarize_python(expected)))
    pairs: list[tuple[Any, Any, float]] = [(one, other, CLOSE)]
    for number, same in zip(found["numbers"], expected.numbers, strict=True):
        pairs.append((number["digitConfidences"], same.digit_confidences, CLOSE))
        pairs.append((number["corners"], same.corners or (), PIXELS_APART))
    return all(np.allclose(one, another, rtol=0, atol=most) for one, another, most in pairs)


def choose_file(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)


@pytest.mark.slow
@in_browser
def test_scaling_gives_pillows_bytes(bare: Page) -> None:
    """Of windows that reach out of their picture, too."""
    cases, expected = [], []
    for index in range(200):
        rng = np.random.default_rng(index)
        width, height = (int(2 ** rng.uniform(0, 10)) for _ in range(2)) if index else (3, 900)
        pixels = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        size = [(128, 64), (95, 57), (int(rng.integers(1, 150)), int(rng.integers(1, 150)))][index % 3]
        (left, right), (top, bottom) = (np.sort(rng.uniform(0, side, 2)).tolist() for side in (width, height))
        box = (left, top, right, bottom) if index % 4 else (0.0, 0.0, float(width), float(height))
        box = windows.widen_window(box) if index % 5 == 0 else box
        expected.append(windows.crop_window(Image.fromarray(pixels), box, (size[1], size[0])))
        data = base64.b64encode(pixels.tobytes()).decode()
        cases.append({"data": data, "width": width, "height": height, "box": box, "size": size})
    for case, scaled, pixels in zip(cases, bare.evaluate(RESIZE, cases), expected, strict=True):
        assert base64.b64decode(scaled) == pixels.tobytes(), {**case, "data": ""}


@pytest.mark.slow
@in_browser
def test_parts_side_by_side_have_pythons_bytes(bare: Page) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 40, 3)).astype(np.uint8)
    data = base64.b64encode(pixels.tobytes()).decode()
    info = Reader.load(threads=1).network.records
    for way in columns.list_cuts((3.3, 2.1, 27.9, 88.2)):
        row = bare.evaluate(CROP_ROW, [data, 40, 90, [[*part] for part in way]])
        assert base64.b64decode(row) == crops.crop_row(Image.fromarray(pixels), way, info).tobytes()


@pytest.mark.slow
@in_browser
def test_gray_is_pillows(bare: Page) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    script = "async (data) => [...(await import('./network.js')).convertToGray(new Uint8Array(data))]"
    gray = bare.evaluate(script, pixels.ravel().tolist())
    assert gray == np.asarray(Image.fromarray(pixels).convert("L")).ravel().tolist()


@pytest.mark.slow
@in_browser
def test_the_windows_are_pythons(bare: Page) -> None:
    sizes = [(1, 1), (100, 40), (160, 73), (640, 480), (4000, 3000), (900, 5000), (9000, 300), (30, 4000), (23, 900)]
    sizes += [(2000, 500), (3000, 1000), (600, 120)]  # where a length of nothing is rounded to less than nothing
    for size, found in zip(sizes, bare.evaluate(LIST_LEVELS, sizes), strict=True):
        for level, expected in zip(found, windows.list_levels(*size), strict=True):
            assert np.allclose(level, expected, rtol=0, atol=1e-9), size


@pytest.mark.slow
@in_browser
def test_png_files_are_read_as_by_python(bare: Page, pictures: list[Image.Image]) -> None:
    files = [encode(picture, "PNG") for picture in pictures]
    expected = Reader.load().read(files)
    found = read_in_browser(bare, files)
    assert [list_texts(summarize(each)) for each in found] == [list_texts(summarize_python(each)) for each in expected]
    assert sum(map(is_close, found, expected)) >= 48
    assert sum(bool(each.numbers) for each in expected) > 30
    assert sum(bool(each.refused) for each in expected) > 0


@pytest.mark.slow
@in_browser
def test_jpeg_files_are_read_as_by_python(bare: Page, pictures: list[Image.Image]) -> None:
    files = [encode(picture, "JPEG", quality=60 + index % 36) for index, picture in enumerate(pictures)]
    pairs = zip(read_in_browser(bare, files), Reader.load().read(files), strict=True)
    same = (list_texts(summarize(found)) == list_texts(summarize_python(reading)) for found, reading in pairs)
    assert sum(same) >= 48


@pytest.mark.slow
@in_browser
def test_pictures_are_opened_as_by_python(bare: Page) -> None:
    """Turned as their tag asks, on white, without their color profile, and gray ones."""
    number = Image.open(EXAMPLES / "2507.jpg").convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    cut_out = number.copy()
    cut_out.putalpha(Image.fromarray(255 * (np.asarray(number.convert("L")) > 110).astype(np.uint8)))
    files = [
        encode(number.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif),
        encode(cut_out, "PNG"),
        encode(number.convert("L"), "PNG"),
        encode(number.quantize(64), "PNG"),
        encode(number, "WEBP", lossless=True),
        encode(number, "GIF"),
    ]
    for found, reading in zip(read_in_browser(bare, files), Reader.load().read(files), strict=True):
        assert (found["width"], found["height"]) == reading.size
        assert list_texts(summarize(found)) == list_texts(summarize_python(reading))
        assert is_close(found, reading)


@pytest.mark.slow
@in_browser
def test_all_numbers_of_a_picture_are_read_as_by_python(bare: Page) -> None:
    """Also what nearly was a number, with a threshold of nothing."""
    wall = encode(make_wall(), "PNG")
    for threshold in (None, 0.0):
        found = check_reading(bare, wall, threshold)
        assert (len(found["numbers"]) > 3) == (threshold == 0)


def check_reading(bare: Page, file: bytes, threshold: float | None = None) -> dict[str, Any]:
    """Assert that the page reads a picture as Python does, and return what it reads."""
    (expected,) = Reader.load(threshold=threshold).read(file)
    (found,) = read_in_browser(bare, [file], threshold)
    assert list_texts(summarize(found)) == list_texts(summarize_python(expected))
    assert is_close(found, expected)
    return found


def read_scripted(boxes: Sequence[Box]) -> list[Number]:
    """Digits by the places of boxes, as `READ_PIECES` has them: more in wide boxes, and surer ones in some."""
    numbers = []
    for left, top, right, bottom in boxes:
        wide, high = right - left, bottom - top
        count = max(1, math.floor(1.6 * wide / high + 0.5))
        digits = [math.floor((left + (index + 0.5) * wide / count) / 40) % 10 for index in range(count)]
        confidence = 0.75 + (math.floor(left) + math.floor(top)) % 25 / 100
        text = "".join(map(str, digits)) if count < 6 else ""
        numbers.append(Number(text, confidence, (confidence,) * len(text), truncated=count > 5))
    return numbers


def read_scripted_rows(rows: Sequence[Sequence[Box]]) -> list[Number]:
    numbers = []
    for parts in rows:
        text = "".join(number.text[:1] for number in read_scripted(parts))
        confidence = 0.85 + math.floor(parts[0][1] + 40) % 15 / 100
        numbers.append(Number(text, confidence, (confidence,) * len(text)))
    return numbers


@pytest.mark.slow
@in_browser
def test_columns_and_pieces_are_read_as_by_python(bare: Page) -> None:
    rng, wholes = np.random.default_rng(0), 0
    for _ in range(60):
        size = int(rng.integers(1, 9))
        corners = np.hstack([rng.integers(0, 160, (size, 2)), rng.integers(12, 60, (size, 2))])
        boxes = [(left, top, left + wide, top + high) for left, top, wide, high in corners.tolist()]
        detections = [search.Detection(box, 0.3 + 0.05 * place) for place, box in enumerate(boxes)]
        numbers = read_scripted(boxes)
        columns_found, runs_found = bare.evaluate(READ_PIECES, [[[*each] for each in detections]])
        assert columns_found == [summarize_number(each) for each in read_columns(read_scripted_rows, boxes, numbers)]
        expected = read_runs(read_scripted, read_scripted_rows, detections, numbers)
        assert runs_found == [[[*box], sure, *summarize_number(number)] for (box, sure), number in expected]
        wholes += len(expected)
    assert wholes > 20


def locate_scripted(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A box for each window by the sum of its levels, as `FIND_NUMBERS` has it."""
    sums = images.sum(axis=(1, 2, 3), dtype=np.int64)
    sure, left, top, across, down = ((sums * factor * 7919) % 9973 / 9973 for factor in range(1, 6))
    x, y = left / 2, top / 2
    return sure, np.stack([x, y, x + 0.1 + 0.4 * across, y + 0.1 + 0.4 * down], axis=1)


@pytest.mark.slow
@in_browser
def test_a_picture_is_searched_as_by_python(bare: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Window by window, with closer and wider ones, by a finder that finds something everywhere."""
    rng, wholes = np.random.default_rng(0), 0
    size = Reader.load(threads=1).finder.records.size
    for width, height in rng.integers(100, 700, (8, 2)).tolist():
        pixels = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
        found, windows_searched = bare.evaluate(
            FIND_NUMBERS, [base64.b64encode(pixels.tobytes()).decode(), width, height, [*size]]
        )
        expected = search.find_numbers(locate_scripted, Image.fromarray(pixels), size)
        rows = [[*box, sure] for box, sure in expected.detections]
        assert found == [pytest.approx(row, abs=1e-9) for row in rows]
        assert windows_searched == expected.windows
        with monkeypatch.context() as patch:
            patch.setattr(search, "LARGER", math.inf)
            wholes += rows != [
                [*box, sure]
                for box, sure in search.find_numbers(locate_scripted, Image.fromarray(pixels), size).detections
            ]
    assert wholes > 2


def summarize_number(number: Number) -> list[Any]:
    return [number.text, number.truncated, pytest.approx(number.confidence, rel=1e-12)]


@pytest.mark.slow
@in_browser
def test_a_large_picture_is_searched_in_as_many_windows_as_by_python(bare: Page) -> None:
    """What is needed depends on their number."""
    wall = make_wall().resize((2400, 1800))
    for picture in (wall, Image.new("RGB", (2400, 1800), (120, 130, 125))):
        file = encode(picture, "PNG")
        (expected,) = Reader.load(threshold=0.99999).read(file)
        (found,) = read_in_browser(bare, [file], 0.99999)
        assert expected.refused
        assert found["refused"]["needed"] == pytest.approx(expected.refused.needed, rel=1e-9)


@pytest.mark.slow
@in_browser
def test_boxes_are_chosen_and_sorted_as_by_python(bare: Page) -> None:
    rng = np.random.default_rng(0)
    for count in (0, 1, 5, 40):
        corners = np.hstack([rng.uniform(0, 300, (count, 2)), rng.uniform(0, 120, (count, 2))])
        boxes = [(left, top, left + width, top + height) for left, top, width, height in corners.tolist()]
        scores = rng.integers(0, 9, count).tolist()  # some are equal
        kept, order = bare.evaluate(CHOOSE_BOXES, [boxes, scores, [0.3, 0.6]])
        assert kept == list(suppress_overlaps(boxes, scores, 0.3, 0.6))
        assert order == sort_boxes(boxes)


@pytest.mark.slow
@in_browser
def test_a_picture_is_shown_with_its_numbers(page: Page, tmp_path: Path) -> None:
    for name in ("2507", "208"):
        choose_file(page, EXAMPLES / f"{name}.jpg")
        page.locator(".number", has_text=name).wait_for()
        assert page.locator("polygon").count() == 1
        assert re.fullmatch(r"(\d\n\d+%\n?)+", "\n".join(page.locator(".digits li").all_inner_texts()))
    make_wall().save(tmp_path / "three.png")
    choose_file(page, tmp_path / "three.png")
    page.locator(".number", has_text="171").wait_for()
    assert page.locator(".number").all_inner_texts() == list(PLACES)
    assert page.locator("polygon").count() == 3
    choose_file(page, EXAMPLES / "wall.jpg")
    page.locator(".number", has_text="no number").wait_for()
    assert page.locator("polygon").count() == 0


@pytest.mark.slow
@in_browser
def test_a_large_picture_is_searched_and_can_be_replaced(page: Page, tmp_path: Path) -> None:
    large = enlarge_canvas(Image.open(EXAMPLES / "2507.jpg").convert("RGB"), 8)
    large.save(tmp_path / "large.png", compress_level=1)
    choose_file(page, tmp_path / "large.png")
    page.locator("progress").wait_for()
    choose_file(page, EXAMPLES / "208.jpg")
    page.locator(".number", has_text="208").wait_for()
    assert page.locator("progress").is_hidden()
    assert page.locator(".number").count() == 1


@pytest.mark.slow
@in_browser
@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page: Page, event: str) -> None:
    content = base64.b64encode((EXAMPLES / "171.jpg").read_bytes()).decode()
    page.evaluate(
        """([event, text]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], "a.jpg"));
          const options = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
          const Kind = event === "drop" ? DragEvent : ClipboardEvent;
          document.body.dispatchEvent(new Kind(event, options));
        }""",
        [event, content],
    )
    page.locator(".number", has_text="171").wait_for()


@pytest.mark.slow
@in_browser
def test_an_example_is_read_by_keyboard(page: Page) -> None:
    button = page.get_by_role("button", name="read the example 28.jpg")
    button.focus()
    page.keyboard.press("Enter")
    page.locator(".number", has_text="28").wait_for()


@pytest.mark.slow
@in_browser
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no picture", "can't decode the file as a picture"),
        (b"", "the file is empty"),
        ((EXAMPLES / "208.jpg").read_bytes()[:40], "can't decode the file as a picture"),
        (encode(Image.new("L", (11000, 9999)), "PNG"), "11000 x 9999 pixels, expected at most 100 million"),
        (encode(Image.new("L", (25, 40000)), "PNG"), "windows, expected at most 500"),
    ],
    ids=["text", "empty", "cut", "large", "long"],
)
def test_a_file_that_can_not_be_read_is_explained(page: Page, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    choose_file(page, tmp_path / "broken.png")
    page.get_by_role("alert").filter(has_text=reason).wait_for()
    choose_file(page, EXAMPLES / "2507.jpg")  # and the page goes on
    page.locator(".number", has_text="2507").wait_for()
    assert page.get_by_role("alert").count() == 0


def hide_web_assembly(page: Page) -> None:
    page.add_init_script("delete globalThis.WebAssembly")


def lose_network(page: Page) -> None:
    page.route("**/reader.tflite", lambda route: route.fulfill(status=404))


@pytest.mark.slow
@in_browser
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(hide_web_assembly, "can't run WebAssembly"), (lose_network, "the server answers 404 for ./reader.tflite")],
)
def test_a_page_that_can_not_read_is_explained(
    browser: Browser, address: str, spoil: Callable[[Page], None], reason: str
) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    spoil(page)
    page.goto(address)
    page.get_by_role("alert").filter(has_text=reason).wait_for()
    choose_file(page, EXAMPLES / "208.jpg")
    page.get_by_role("alert").filter(has_text=reason).wait_for()
    page.close()


@pytest.mark.slow
@in_browser
def test_it_fits_a_phone(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=PHONE, has_touch=True)
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    choose_file(page, EXAMPLES / "2507.jpg")
    page.locator(".number", has_text="2507").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    image, frames = (page.locator(f".picture {name}").bounding_box() for name in ("img", "svg"))
    assert image == pytest.approx(frames, abs=0.1)
    page.close()


@pytest.mark.slow
@in_browser
def test_a_turned_box_is_drawn_turned(page: Page) -> None:
    points = page.evaluate(
        """async () => {
          const { renderReading } = await import("./answer.js");
          const corners = [[40, 20], [48, 26], [45, 30], [37, 24]];
          const number = { text: "8", truncated: false, confidence: 0.96, digitConfidences: [0.96], corners };
          const other = { ...number, text: "061", digitConfidences: [0.9, 0.8, 0.7] };
          const parts = renderReading({ numbers: [number, other], refused: null, width: 60, height: 40 }, "");
          document.querySelector("#answer").replaceChildren(...parts);
          return [...document.querySelectorAll("polygon")].map((frame) => frame.getAttribute("points"));
        }"""
    )
    assert points == ["40.0,20.0 48.0,26.0 45.0,30.0 37.0,24.0"] * 2
    assert page.locator(".number").all_inner_texts() == ["8", "061"]


@pytest.mark.slow
@in_browser
def test_a_number_that_is_too_long_is_an_answer(page: Page) -> None:
    """A function stands for a network that gives this answer."""
    page.evaluate(
        """async () => {
          const { Reader } = await import("./reader.js"), { renderReading } = await import("./answer.js");
          const settings = await (await fetch("./settings.json")).json();
          const finder = async () => ({ probability: [0.99], box: [0.2, 0.2, 0.8, 0.8] });
          const network = async () => ({
            number: new Int32Array(5).fill(-2), confidence: [0.97], digit_confidences: new Float32Array(5).fill(0.3),
          });
          const picture = { data: new Uint8Array(3 * 128 * 64), width: 128, height: 64 };
          const reading = await new Reader(settings, finder, network).read(picture);
          document.querySelector("#answer").replaceChildren(...renderReading(reading, ""));
        }"""
    )
    assert page.locator(".number").inner_text() == "too long"
    assert page.get_by_text("92% sure").count() == 1  # 0.97 x 0.99 = 0.96, whose odds count half
    assert page.locator("polygon").count() == 1
    assert page.locator(".digits li").count() == 0


@pytest.mark.slow
def test_a_page_is_written_again_in_place_of_an_earlier_one(folder: Path, tmp_path: Path) -> None:
    target = Path(shutil.copytree(folder, tmp_path / "page"))
    (target / "page.js").write_text("")
    assert call(tmp_path, "--mode=page", f"--output={target}", "--threshold=0.5") == 0
    assert (target / "page.js").read_bytes() == (WEB / "page.js").read_bytes()
    assert json.loads((target / "settings.json").read_text())["threshold"] == 0.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page"]


@pytest.mark.slow
def test_the_notice_of_the_weights_goes_where_they_go(folder: Path, tmp_path: Path) -> None:
    notice, target = RELEASED / READER / "NOTICE.txt", Path(shutil.copytree(folder, tmp_path / "page"))
    assert (target / "reader-NOTICE.txt").read_bytes() == notice.read_bytes()
    assert call(tmp_path, "--mode=page", "--name=released", f"--output={target}") == 0
    assert not list(target.glob("*NOTICE*"))


@pytest.mark.slow
def test_a_link_to_the_folder_stays_a_link(folder: Path, tmp_path: Path) -> None:
    target = Path(shutil.copytree(folder, tmp_path / "page"))
    (tmp_path / "link").symlink_to(target)
    (target / "page.js").write_text("")
    assert call(tmp_path, "--mode=page", f"--output={tmp_path / 'link'}") == 0
    assert (target / "page.js").read_bytes() == (WEB / "page.js").read_bytes()
    assert (tmp_path / "link").is_symlink()


def test_the_page_names_no_other_server() -> None:
    files = [path for path in WEB.iterdir() if path.suffix in static_page.ENDINGS]
    assert len(files) > 8
    named = {address for file in files for address in re.findall(r"\w+://[^\"'\s]+", file.read_text(encoding="utf-8"))}
    assert named == {"http://www.w3.org/2000/svg"}


def test_the_constants_are_not_written_twice() -> None:
    settings = static_page.make_settings(Reader.load())
    for file, module, constants in (
        ("search.js", search, {**settings["search"], "windows": {}}),
        ("windows.js", windows, settings["search"]["windows"]),
        ("reader.js", results, settings["results"]),
        ("columns.js", columns, settings["columns"]),
        ("pieces.js", pieces, settings["pieces"]),
    ):
        script = (WEB / file).read_text(encoding="utf-8")
        for name, value in constants.items():
            assert name in script
            assert value == ({} if name == "windows" else getattr(module, name.upper()))
    assert settings["threshold"] == Reader.load().finder.threshold
    assert (settings["reader"]["size"], settings["reader"]["margin"]) == ((57, 95), 0.15)


@pytest.mark.slow
def test_a_file_of_the_user_is_left_alone(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = Path(shutil.copytree(folder, tmp_path / "page"))
    (target / "CNAME").write_text("numbers.example")
    assert call(tmp_path, "--mode=page", f"--output={target}") == 1
    assert f"--output={target} holds 'CNAME'" in last_line(capsys)
    assert (target / "CNAME").read_text() == "numbers.example"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page"]


@pytest.mark.slow
@pytest.mark.usefixtures("folder")  # so that what the page is made from is there
def test_a_page_that_is_being_written_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with hold_file(tmp_path / "page", ""):
        assert call(tmp_path, "--mode=page", f"--output={tmp_path / 'page'}") == 1
    assert f"{tmp_path / 'page'} is in use by process" in last_line(capsys)


def test_a_page_is_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_page, "PACKAGES", tmp_path)
    (tmp_path / "site").write_text("mine")
    for name in (tmp_path / "site", "."):
        assert call(tmp_path, "--mode=page", f"--output={name}") == 1
        assert f"--output={name}: expected the name of a folder" in last_line(capsys)


@pytest.mark.parametrize(("name", "remedy"), [("SOURCES", "make web"), ("PACKAGES", "npm ci")])
def test_what_the_page_is_made_from_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, remedy: str
) -> None:
    monkeypatch.setattr(static_page, name, tmp_path / "none")
    assert call(tmp_path, "--mode=page", f"--output={tmp_path / 'site'}") == 1
    assert remedy in last_line(capsys)
    assert list(tmp_path.iterdir()) == []
