"""A web page that reads numbers: in pictures that are dropped, pasted or taken, and in a camera's stream.

Gradio, an extra, is imported where the page is made. No picture is kept: an upload is deleted once it is read, what is
shown of it travels within the answer, and Gradio's own folder goes when the page does.
"""

from __future__ import annotations

import base64
import html
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from svhn import pictures
from svhn.config import UserError
from svhn.labels import Reading
from svhn.sources import Report

EXAMPLES = Path(__file__).parent / "examples"  # drawn by the data set `synthetic`
LARGEST = "25mb"  # of an upload
EVERY = 0.1  # seconds between pictures of a camera
SHOWN = 800  # pixels of the longer side of what is sent back
FONT = ["system-ui", "sans-serif"]  # of the reader's own machine: nothing is fetched from elsewhere
INVITATION = "# Which number is it?\nDrop, paste or take a picture of a house number, or point the camera at one."
STYLE = """
.gradio-container {max-width: 1000px !important; margin: 0 auto !important}
.answer svg {width: 100%; max-height: 60vh}
.number {font-size: 3rem; font-weight: 700; margin: 0}
.digits {display: flex; flex-wrap: wrap; gap: 1rem; margin: 0; padding: 0; list-style: none}
.digits b {display: block; font-size: 1.6rem}
"""

Read = Callable[[Image.Image], Reading]


def answer(image: Image.Image, reading: Reading) -> str:
    """The picture with its box, the number, and how sure each digit is, as HTML."""
    digits = zip(reading.text, reading.digit_confidences, strict=False)
    listed = "".join(f"<li><b>{digit}</b>{confidence:.0%}</li>" for digit, confidence in digits)
    number = reading.text or "no number"
    return (
        f'<div class="answer" role="status" aria-live="polite"><p class="number">{number}</p>'
        f"<p>{reading.confidence:.0%} sure</p>{drawing(image, reading)}"
        f'<ul class="digits" aria-label="each digit and how sure it is">{listed}</ul></div>'
    )


def drawing(image: Image.Image, reading: Reading) -> str:
    shown = image.copy()
    shown.thumbnail((SHOWN, SHOWN))
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=85)
    source = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
    left, top, right, bottom = reading.box or (0, 0, 0, 0)
    sides = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
    box = f'<rect {sides} fill="none" stroke="#e61e3c" stroke-width="3" vector-effect="non-scaling-stroke"/>'
    width, height = image.size
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="the picture, the number framed">'
        f'<image href="{source}" width="{width}" height="{height}"/>{box if reading.box else ""}</svg>'
    )


def complaint(reason: Exception) -> str:
    return f'<div class="answer" role="alert"><p><b>Not read:</b> {html.escape(str(reason))}</p></div>'


def respond(read: Read, source: Path | bytes | None) -> str:
    """What the page shows of a picture."""
    if source is None:
        return ""
    try:
        image = pictures.opened(source)
    except (OSError, ValueError) as error:
        return complaint(error)
    return answer(image, read(image))


def handed_on(payload: Any) -> Path | bytes | None:
    """What the browser sent: a file, or a camera's picture within an address."""
    if payload is None or payload.path:
        return payload and Path(payload.path)
    return base64.b64decode(payload.url.partition(",")[2])


def page(read: Read) -> Any:
    """Gradio's `Blocks`, to be launched."""
    gradio = installed()

    def seen(source: Path | bytes | None) -> str:
        return respond(read, source)

    def uploaded(file: Path) -> tuple[str, None]:
        try:
            return seen(file), None
        finally:
            file.unlink(missing_ok=True)

    def given(label: str, **options: Any) -> Any:
        webcam = gradio.WebcamOptions(mirror=False, constraints={"video": {"facingMode": "environment"}})
        image = gradio.Image(label=label, webcam_options=webcam, height=300, **options)
        image.preprocess = handed_on  # Gradio's own says nothing useful of a file that is no picture
        return image

    with gradio.Blocks(title="svhn: reads house numbers", analytics_enabled=False) as blocks:
        gradio.Markdown(INVITATION)
        with gradio.Row():
            with gradio.Column():
                with gradio.Tab("Picture"):
                    picture = given("Picture", sources=["upload", "clipboard", "webcam"])
                with gradio.Tab("Camera"):
                    camera = given("Camera", sources=["webcam"], streaming=True)
            shown = gradio.HTML(label="Answer", min_height=200)
        examples = [[str(file)] for file in sorted(EXAMPLES.glob("*.jpg"))]
        gradio.set_static_paths([EXAMPLES])  # or an upload of one, when it is deleted, would be the page's too
        gradio.Examples(examples, given("Example", visible=False), shown, seen, run_on_click=True, cache_examples=False)
        picture.input(uploaded, picture, [shown, picture], show_progress="hidden")
        camera.stream(seen, camera, shown, stream_every=EVERY, show_progress="hidden", concurrency_limit=1)
    return blocks


def installed() -> Any:
    try:
        import gradio
    except ImportError as error:
        raise UserError("the demo needs Gradio: pip install 'svhn[demo]'") from error
    return gradio


def serve(read: Read, host: str, port: int, report: Report) -> None:
    """Serve the page until the process is asked to end. Raises `UserError` as `served`."""
    for file in EXAMPLES.glob("*.jpg"):
        respond(read, file)  # the first pictures take longer, while TensorFlow compiles
    with served(read, host, port) as (blocks, address):
        report(f"Reading numbers at {address} until Ctrl-C")
        blocks.block_thread()


@contextmanager
def served(read: Read, host: str, port: int) -> Iterator[tuple[Any, str]]:
    """The running page and its address.

    Args:
        port: 0 for any that is free.

    Raises:
        UserError: the extra is missing, or the port is taken.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        blocks = page(read)
        theme = installed().themes.Default(font=FONT, font_mono=["monospace"])
        try:
            _, address, _ = blocks.launch(
                server_name=host,
                server_port=port or None,
                max_file_size=LARGEST,
                theme=theme,
                css=STYLE,
                footer_links=[],
                ssr_mode=False,
                quiet=True,
                prevent_thread_lock=True,
            )
        except OSError as error:
            raise UserError(f"--host={host} --port={port}: {error}") from error
        try:
            yield blocks, address
        finally:
            blocks.close(verbose=False)
