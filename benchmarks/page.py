"""What the page of `make web` costs in headless Chromium, and how far it reads as `svhn.Reader` does.

    python -m benchmarks.page --pictures=data/train [--page=build/web] [--count=50]

The pictures are `--count` files of the folder, evenly spread over its names: as PNG, again as JPEG of the quality 90,
and one photo of 12 megapixels that is put together from the first of them. All are read by the page's own functions and
by Python on this machine, one at a time. The page comes from `python -m http.server` on loopback, so its start holds no
time for a network.
"""

from __future__ import annotations

import argparse
import base64
import io
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Page, sync_playwright

import svhn
from benchmarks.reading import PHOTO_SIZE, list_pictures
from svhn.images import open_picture
from svhn.labels import Reading

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUALITY = 90  # of the JPEG files
WARM_UP = 3  # pictures that are read before anything is measured
READ = """async (text) => {
  const { Reader } = await import("./reader.js"), { openPicture } = await import("./picture.js");
  const reader = await (window.reader ??= Reader.load());
  const file = new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
  const began = performance.now();
  const reading = await reader.read(await openPicture(file, 100));
  const texts = reading.numbers.map(({ text }) => text), read = reading.refused ? [reading.refused] : reading.numbers;
  return [texts.join(" "), read.map(({ confidence }) => confidence), performance.now() - began];
}"""


class Answer(NamedTuple):
    """The numbers in a picture, "" for none; their confidences, or that of what was nearly read; and milliseconds."""

    text: str
    confidences: list[float]
    milliseconds: float


@contextmanager
def serve_page(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind=127.0.0.1", f"--directory={folder}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        try:
            yield next(word.strip("()") for word in server.stdout.readline().split() if word.startswith("(http"))
        finally:
            server.terminate()


@contextmanager
def open_browser() -> Iterator[Any]:
    """Headless Chromium, of the system or of Playwright."""
    with sync_playwright() as playwright:
        executable = next(filter(None, map(which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def measure_start(browser: Any, address: str) -> tuple[float, int]:
    """Seconds until the page is ready, and the bytes of the files that it fetched."""
    page, sizes = browser.new_page(), list[int]()
    page.on("response", lambda response: sizes.append(int(response.headers.get("content-length", 0))))
    began = time.perf_counter()
    page.goto(address)
    page.get_by_text("Ready").wait_for()
    seconds = time.perf_counter() - began
    page.close()
    return seconds, sum(sizes)


def read_in_page(page: Page, files: Sequence[bytes]) -> list[Answer]:
    answers = []
    for file in files:
        answers.append(Answer(*page.evaluate(READ, base64.b64encode(file).decode())))
    return answers


def read_in_python(reader: svhn.Reader, files: Sequence[bytes]) -> list[Answer]:
    answers = []
    for file in files:
        began = time.perf_counter()
        found: Reading = reader.read_one(open_picture(file))
        milliseconds = 1000 * (time.perf_counter() - began)
        confidences = [each.confidence for each in ([found.refused] if found.refused else found.numbers)]
        answers.append(Answer(" ".join(each.text for each in found.numbers), confidences, milliseconds))
    return answers


def encode(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, quality=QUALITY)
    return file.getvalue()


def make_photo(image: Image.Image) -> Image.Image:
    """A photo with one picture in its middle, 800 pixels wide, on a plain wall."""
    photo = Image.new("RGB", PHOTO_SIZE, (125, 120, 110))
    number = image.resize((800, round(800 * image.height / image.width)))
    photo.paste(number, ((photo.width - number.width) // 2, (photo.height - number.height) // 2))
    return photo


def compare_confidences(one: Answer, other: Answer) -> float:
    """The largest difference between confidences of two answers; 1 if they have different numbers of numbers."""
    if len(one.confidences) != len(other.confidences):
        return 1.0
    return max(abs(first - second) for first, second in zip(one.confidences, other.confidences, strict=True))


def describe(kind: str, found: Sequence[Answer], expected: Sequence[Answer]) -> str:
    pairs = list(zip(found, expected, strict=True))
    same = sum(one.text == other.text for one, other in pairs)
    apart = [compare_confidences(*pair) for pair in pairs]
    near = sum(each < 1e-4 for each in apart)
    here, there = (statistics.median(answer.milliseconds for answer in each) for each in (found, expected))
    return f"{kind:12} {same:>4} of {len(pairs):<4} {near:>10} {max(apart):14.1e} {here:12.1f} {there:12.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--page", type=Path, default=Path("build/web"))
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args()
    paths = list_pictures(options.pictures)
    images = [open_picture(path) for path in paths[:: max(1, len(paths) // options.count)][: options.count]]
    kinds = {
        "PNG": [encode(image, "PNG") for image in images],
        "JPEG": [encode(image, "JPEG") for image in images],
        "12 MP, JPEG": [encode(make_photo(images[0]), "JPEG")],
    }
    reader = svhn.Reader.load(threads=1)
    with serve_page(options.page) as address, open_browser() as browser:
        starts = [measure_start(browser, address) for _ in range(3)]
        print(f"start {statistics.median(seconds for seconds, _ in starts):.2f} s, {starts[0][1] / 1e6:.1f} MB fetched")
        page = browser.new_page()
        page.goto(f"{address}settings.json")
        read_in_page(page, kinds["PNG"][:WARM_UP])
        print("files        same text   within 1e-4   most apart   ms in page   ms in Python")
        for kind, files in kinds.items():
            print(describe(kind, read_in_page(page, files), read_in_python(reader, files)), flush=True)


if __name__ == "__main__":
    main()
