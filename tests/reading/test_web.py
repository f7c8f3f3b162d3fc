"""The page in a real browser, served by a real process: what somebody sees who drops a picture or points a camera."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import ProxyHandler, build_opener

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from support.browser import CHROMIUM, DESKTOP, PATIENCE, PHONE, QUIET, in_browser
from support.program import call, last_line
from support.stub_reader import SEVERAL

from svhn.errors import UserError
from svhn.labels import Number, Reading, Refusal, list_corners
from svhn.reading import web
from svhn.reading.web import EXAMPLES

ROOT = Path(__file__).parents[2]
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server puts what it can't do without."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    command = [sys.executable, "main.py", "--mode=demo", f"--checkpoints_dir={folder / 'none'}"]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield server.stdout.readline().split()[3]
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 128 + signal.SIGTERM
    assert not [file for file in folder.rglob("*") if file.is_file()]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Whose camera sees one of the examples move."""
    video = tmp_path_factory.mktemp("camera") / "video.mjpeg"
    number = Image.open(EXAMPLES / "208.jpg")
    frames = bytearray()
    for place in range(60):
        frame, file = Image.new("RGB", (640, 480), (90, 100, 90)), io.BytesIO()
        frame.paste(number, (80 + place, 120 + place // 2))
        frame.save(file, "JPEG", quality=90)
        frames += file.getvalue()
    video.write_bytes(frames)
    with sync_playwright() as playwright:
        options = [*QUIET, *CAMERA, f"--use-file-for-fake-video-capture={video}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """That never asks anybody else for anything."""
    page = browser.new_page(viewport=DESKTOP)
    page.set_default_timeout(PATIENCE)
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    page.goto(address)
    page.get_by_role("tab", name="Camera").wait_for()
    yield page
    page.close()
    assert {url for url in foreign if not url.startswith((address, "data:", "blob:"))} == set()


def upload(page: Page, file: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(file)


@pytest.mark.slow
@in_browser
def test_a_picture_is_read_and_the_next_one_too(page: Page, tmp_path: Path) -> None:
    for name in ("2507", "208"):
        upload(page, EXAMPLES / f"{name}.jpg")
        page.locator(".number", has_text=name).wait_for()
        digits = page.locator(".digits li")
        assert re.fullmatch(r"(\d\n\d+%\n?)+", "\n".join(digits.all_inner_texts()))
        assert digits.count() == len(name)
        assert page.locator(".answer polygon").count() == 1
        page.screenshot(path=tmp_path / f"{name}.png")


@pytest.mark.slow
@in_browser
def test_the_same_picture_three_times_at_once(page: Page) -> None:
    for _ in range(3):
        upload(page, EXAMPLES / "208.jpg")
    page.locator(".number", has_text="208").wait_for()
    assert page.get_by_role("alert").count() == 0


@pytest.mark.slow
@in_browser
def test_nothing_of_it_is_kept(page: Page, folder: Path, tmp_path: Path) -> None:
    Image.open(EXAMPLES / "208.jpg").save(tmp_path / "door.png")
    upload(page, tmp_path / "door.png")
    page.locator(".number", has_text="208").wait_for()
    uploads = list(folder.rglob("door.png"))
    assert uploads
    for _ in range(60):
        page.wait_for_timeout(1000)
        if not any(file.exists() for file in uploads):
            return
    pytest.fail(f"kept: {uploads}")


@pytest.mark.slow
@in_browser
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\nno more than that", "begins as a PNG picture"),
        ((EXAMPLES / "208.jpg").read_bytes()[:4000], "truncated"),
    ],
)
def test_a_broken_file_gives_a_message(page: Page, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    upload(page, tmp_path / "broken.png")
    page.get_by_role("alert").filter(has_text=message).wait_for()
    upload(page, EXAMPLES / "2507.jpg")  # and the page goes on
    page.locator(".number", has_text="2507").wait_for()


@pytest.mark.slow
@in_browser
def test_a_file_that_is_too_large_is_refused(page: Page, tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(bytes(26 * 2**20))
    upload(page, tmp_path / "large.png")
    page.get_by_text(re.compile("maximum allowed size")).first.wait_for()


@pytest.mark.slow
@in_browser
def test_an_example_by_keyboard(page: Page) -> None:
    examples = page.locator("button.gallery-item")
    examples.last.focus()
    page.keyboard.press("Enter")
    page.locator(".number", has_text="no number").wait_for()
    assert page.locator(".answer polygon").count() == 0
    examples.first.focus()
    page.keyboard.press("Enter")
    page.locator(".number", has_text="171").wait_for()


@pytest.mark.slow
@in_browser
def test_a_cameras_stream_is_read(page: Page) -> None:
    page.get_by_role("tab", name="Camera").click()
    page.get_by_text("Click to Access Webcam").click()
    page.get_by_text("Record").click()
    page.locator(".number", has_text="208").wait_for()
    for _ in range(5):
        seen = page.locator(".answer image").get_attribute("href")
        page.wait_for_function(
            "seen => (document.querySelector('.answer image')?.getAttribute('href') ?? seen) !== seen", arg=seen
        )
    page.locator(".number", has_text="208").wait_for()


@pytest.mark.slow
@in_browser
def test_it_fits_a_phone(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=PHONE, has_touch=True)
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.get_by_role("tab", name="Camera").wait_for()
    upload(page, EXAMPLES / "2507.jpg")
    page.locator(".number", has_text="2507").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box: Any = page.locator(".answer svg").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    page.close()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="Linux tells who listens where")
def test_only_this_machine_sees_it(address: str) -> None:
    port = f"{int(address.rstrip('/').rpartition(':')[2]):04X}"
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if " 0A " in line]
    assert [place for place in listening if place.endswith(f":{port}")] == [f"0100007F:{port}"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "proxies",
    [{"http_proxy": "http://127.0.0.1:9", "no_proxy": "example.org"}, {"ALL_PROXY": "socks5://127.0.0.1:9"}],
    ids=["http", "socks"],
)
def test_a_proxy_is_no_obstacle(proxies: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "main.py", "--mode=demo", f"--checkpoints_dir={tmp_path}"]
    environment = {**os.environ, **proxies}
    direct = build_opener(ProxyHandler({}))
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        line = server.stdout.readline()
        try:
            assert line.startswith("Reading numbers at http://127.0.0.1:")
            with direct.open(line.split()[3]) as page:
                assert b"reads house numbers" in page.read()
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0


@pytest.mark.slow
def test_a_page_that_gradio_cannot_start_is_no_fault_of_the_port() -> None:
    def launch(**_: object) -> None:
        raise RuntimeError("no such thing")

    blocks = SimpleNamespace(launch=launch)
    with pytest.raises(UserError, match=r"--port=0 \(RuntimeError: no such thing\): .*`svhn read`$") as caught:
        web._launch_page(blocks, "127.0.0.1", 0)
    assert "free port" not in str(caught.value)


@pytest.mark.parametrize("place", ["--port={port}", "--port=99999", "--port=-5", "--host=no.such.host.invalid"])
def test_where_no_page_can_be(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        flag = place.format(port=taken.getsockname()[1])
        assert call(tmp_path, "--mode=demo", flag) == 1
    message = last_line(capsys)
    assert flag in message
    assert "--port=0" in message


def test_without_gradio(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert call(tmp_path, "--mode=demo") == 1
    assert "pip install -e '.[web]'" in last_line(capsys)


def test_what_is_said_of_a_file_is_no_markup() -> None:
    assert "<script>" not in web.render_error(ValueError("<script>"))


def test_what_the_page_shows_of_a_picture() -> None:
    reading = Reading((Number("20", 0.5, (0.75, 0.666), list_corners((10.0, 5.0, 30.0, 24.5))),))
    shown = web.render_response(lambda _: reading, EXAMPLES / "208.jpg")
    for part in ('class="number">20<', "50% sure", "<b>2</b>75%", "<b>0</b>67%", "data:image/jpeg;base64,"):
        assert part in shown
    assert '<polygon points="10.0,5.0 30.0,5.0 30.0,24.5 10.0,24.5"' in shown
    refused = Reading(refused=Refusal("61", 0.95, 0.98))
    without = web.render_response(lambda _: refused, EXAMPLES / "wall.jpg")
    assert "61 at 0.95, where 0.98 is needed" in without
    assert 'class="number">no number<' in without
    assert "<polygon" not in without
    assert 'role="alert"' in web.render_response(lambda _: reading, b"no picture")
    thin = io.BytesIO()
    Image.new("RGB", (1, 3000)).save(thin, "PNG")
    assert "data:image/jpeg;base64," in web.render_response(lambda _: reading, thin.getvalue())
    assert web.render_response(lambda _: reading, None) == ""


def test_the_page_shows_all_numbers_in_order() -> None:
    shown = web.render_response(lambda _: Reading(SEVERAL), EXAMPLES / "wall.jpg")
    assert re.findall(r'class="number">(\w+)<', shown) == ["27", "8", "061"]
    assert re.findall(r"(\d+)% sure", shown) == ["88", "96", "60"]
    assert shown.count("<polygon") == 3
    assert '<polygon points="40.0,20.0 48.0,26.0 45.0,30.0 37.0,24.0"' in shown


@pytest.mark.slow
@in_browser
def test_a_turned_box_is_drawn_turned(browser: Browser) -> None:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(file, "PNG")
    page = browser.new_page(viewport=DESKTOP)
    shown = web.render_response(lambda _: Reading(SEVERAL), file.getvalue())
    page.set_content(f"<style>{web.STYLE}</style>{shown}")
    image = Image.open(io.BytesIO(page.locator(".answer svg").screenshot())).convert("RGB")
    page.close()
    scale = image.height / 40  # the drawing fills the height, and lies in the middle of the width

    def is_red(x: float, y: float) -> bool:
        left, top = image.width / 2 + scale * (x - 30), scale * y
        part = image.crop((round(left) - 3, round(top) - 3, round(left) + 4, round(top) + 4))
        red, green, _ = np.moveaxis(np.asarray(part, int), -1, 0)
        return bool(((red > 200) & (green < 100)).any())

    for point in ((44, 23), (46.5, 28), (41, 27), (38.5, 22), (20, 5), (2, 34)):  # middles of edges
        assert is_red(*point), point
    for point in ((37.5, 29.5), (47.5, 20.5), (15, 20)):
        assert not is_red(*point), point
