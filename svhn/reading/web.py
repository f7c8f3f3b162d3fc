"""A web page that reads numbers in pictures that are dropped, pasted or taken, and in a camera's stream.

Gradio is an optional package, so it is imported where the page is built. No picture is kept: an upload is deleted after
some seconds, the answer holds the picture that it shows, and Gradio's temporary folder is deleted with the server.
"""

from __future__ import annotations

import base64
import html
import io
import os
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from svhn import images
from svhn.errors import Say, UserError, shorten, suggest_extra
from svhn.labels import Number, Reading
from svhn.reading.outputs import explain_refusal
from svhn.spec import Corners

EXAMPLES = Path(__file__).parents[1] / "examples"  # pictures drawn by the data set `synthetic`
MAX_UPLOAD = "25mb"  # largest file that the page accepts, in Gradio's notation
UPLOAD_SECONDS = 10  # least age at which an upload is deleted, and time between deletions: it stays 10 to 20 seconds
CAMERA_INTERVAL = 0.1  # seconds between two pictures of a camera
LOCAL_HOSTS = ("127.0.0.1", "localhost")
MAX_SIDE = 800  # pixels of the longer side of the picture in the answer
FONT = ["system-ui", "sans-serif"]  # the visitor's own fonts; Gradio's default ones come from another server
INVITATION = "# Which number is it?\nDrop, paste or take a picture of a house number, or point the camera at one."
STYLE = """
.gradio-container {max-width: 1000px !important; margin: 0 auto !important}
.answer svg {width: 100%; max-height: 60vh}
.numbers {display: flex; flex-wrap: wrap; gap: 0 2.5rem}
.numbers > div {max-width: 100%}
.number {font-size: 3rem; font-weight: 700; margin: 0}
.digits {display: flex; overflow-x: auto; gap: 0.9rem; margin: 0; padding: 0; list-style: none}
.digits b {display: block; font-size: 1.6rem}
"""

Read = Callable[[Image.Image], Reading]


def _render_answer(image: Image.Image, reading: Reading) -> str:
    """HTML with the numbers, how sure each one and each of its digits is, and the picture with their boxes."""
    found = "".join(map(_render_number, reading.numbers)) or _render_refusal(reading)
    return (
        f'<div class="answer" role="status" aria-live="polite"><div class="numbers">{found}</div>'
        f"{_render_picture(image, reading)}</div>"
    )


def _render_number(number: Number) -> str:
    digits = zip(number.text, number.digit_confidences, strict=True)
    listed = "".join(f"<li><b>{digit}</b>{confidence:.0%}</li>" for digit, confidence in digits)
    return (
        f'<div><p class="number">{number.shown}</p><p>{number.confidence:.0%} sure</p>'
        f'<ul class="digits" aria-label="each digit and how sure it is">{listed}</ul></div>'
    )


def _render_refusal(reading: Reading) -> str:
    reason = explain_refusal(reading.refused) if reading.refused else ""
    return f'<div><p class="number">no number</p><p>{reason}</p></div>'


def _render_picture(image: Image.Image, reading: Reading) -> str:
    width, height = image.size
    scale = min(1.0, MAX_SIDE / max(width, height))
    shown = image.resize((max(1, round(scale * width)), max(1, round(scale * height))))
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=85)
    source = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
    frames = "".join(_render_frame(number.corners) for number in reading.numbers if number.corners)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="the picture, each number framed">'
        f'<image href="{source}" width="{width}" height="{height}"/>{frames}</svg>'
    )


def _render_frame(corners: Corners) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    style = 'fill="none" stroke="#e61e3c" stroke-width="3" vector-effect="non-scaling-stroke"'
    return f'<polygon points="{points}" {style}/>'


def render_error(reason: Exception) -> str:
    """HTML that shows why a picture could not be read."""
    return f'<div class="answer" role="alert"><p><b>Not read:</b> {html.escape(str(reason))}</p></div>'


def render_response(read: Read, source: Path | bytes | None) -> str:
    """HTML with the reading of a picture, or with the reason why the picture can't be read.

    Args:
        read: reads one RGB picture.
        source: path or content of a picture file; None, for an empty page, when the picture was removed.
    """
    if source is None:
        return ""
    try:
        image = images.open_picture(source)
        return _render_answer(image, read(image))
    except (OSError, ValueError) as error:
        return render_error(error)


def _decode_upload(payload: Any) -> Path | bytes | None:
    """The picture that the browser sent: the path of an uploaded file, or the bytes in a camera's data URL."""
    if payload is None or payload.path:
        return payload and Path(payload.path)
    return base64.b64decode(payload.url.partition(",")[2])


def _build_blocks(read: Read) -> Any:
    """The page as Gradio's `Blocks`, not yet launched."""
    import gradio

    def respond(source: Path | bytes | None) -> str:
        return render_response(read, source)

    def make_input(label: str, **options: Any) -> Any:
        webcam = gradio.WebcamOptions(mirror=False, constraints={"video": {"facingMode": "environment"}})
        image = gradio.Image(label=label, webcam_options=webcam, height=300, **options)
        # For a file that is not a picture, Gradio's own function shows a message that does not name the cause.
        image.preprocess = _decode_upload  # pyright: ignore[reportAttributeAccessIssue]
        return image

    with gradio.Blocks(
        title="svhn: reads house numbers", analytics_enabled=False, delete_cache=(UPLOAD_SECONDS, UPLOAD_SECONDS)
    ) as blocks:
        gradio.Markdown(INVITATION)
        with gradio.Row():
            with gradio.Column():
                with gradio.Tab("Picture"):
                    picture = make_input("Picture", sources=["upload", "clipboard", "webcam"])
                with gradio.Tab("Camera"):
                    camera = make_input("Camera", sources=["webcam"], streaming=True)
            answer = gradio.HTML(label="Answer", min_height=200)
        examples = [[str(file)] for file in sorted(EXAMPLES.glob("*.jpg"))]
        hidden = make_input("Example", visible=False)
        gradio.Examples(examples, hidden, answer, respond, run_on_click=True, cache_examples=False)
        picture.input(respond, picture, answer, show_progress="hidden")
        camera.stream(
            respond, camera, answer, stream_every=CAMERA_INTERVAL, show_progress="hidden", concurrency_limit=1
        )
    return blocks


def check_address(host: str, port: int) -> None:
    """Check that a page can be served at an address. The check runs before networks are loaded, which takes seconds.

    Raises:
        UserError: Gradio is not installed, the address is not one of this machine, or the port is taken.
    """
    if find_spec("gradio") is None:
        raise UserError(f"the web page needs Gradio: {suggest_extra('web')}")
    try:
        if port not in range(2**16):
            raise ValueError("ports are numbers from 0 to 65535")
        socket.create_server((host, port)).close()
    except (OSError, ValueError) as error:
        raise _make_address_error(host, port, error) from error


def _make_address_error(host: str, port: int, error: Exception) -> UserError:
    return UserError(
        f"cannot serve at --host={host} --port={port} ({type(error).__name__}: {shorten(error)}): "
        "name an address of this machine and a free port, or --port=0 for the first free one"
    )


def serve_page(read: Read, host: str, port: int, say: Say) -> None:
    """Serve the page until Ctrl-C, or until the process is asked to end otherwise.

    Args:
        read: reads one RGB picture.
        host: name or address of this machine; 0.0.0.0 for all of its addresses.
        port: 0 for the first free port from 7860.
        say: prints the page's address.

    Raises:
        UserError: the page can't be served at that address.
    """
    for file in EXAMPLES.glob("*.jpg"):
        render_response(read, file)  # networks are prepared at the first pictures, which no visitor should wait for
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # read by Gradio when it is imported
        os.environ["no_proxy"] = "*"  # Gradio fetches its own page when it starts, which no proxy can reach
        blocks = _build_blocks(read)
        try:
            address = _launch_page(blocks, host, port)
            audience = "" if host in LOCAL_HOSTS else f", for all machines that reach {host},"
            with suppress(KeyboardInterrupt):  # which is how it is meant to end
                say(f"Reading numbers at {address}{audience} until Ctrl-C")
                threading.Event().wait()
        finally:
            blocks.close(verbose=False)


def _launch_page(blocks: Any, host: str, port: int) -> str:
    """Start the server; returns the page's address. Raises `UserError` as `serve_page`."""
    from gradio.themes import Default

    try:
        _, address, _ = blocks.launch(
            server_name=host,
            server_port=port or None,
            max_file_size=MAX_UPLOAD,
            theme=Default(font=FONT, font_mono=["monospace"]),
            css=STYLE,
            footer_links=[],
            share=False,
            ssr_mode=False,
            quiet=True,
            prevent_thread_lock=True,
        )
    except OSError as error:
        raise _make_address_error(host, port, error) from error
    except Exception as error:  # Gradio, HTTP and proxies raise many types with no common base
        reason = f"{type(error).__name__}: {str(error)[:120]}"
        raise UserError(
            f"Gradio can't serve the page at --host={host} --port={port} ({reason}): name another --host or --port, "
            "or read pictures with `svhn read`"
        ) from error
    return address
