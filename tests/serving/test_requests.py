"""Requests to a server with a reader without networks: what is sent, what is answered, and what is refused."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jsonschema
import pytest
from PIL import Image
from python_multipart.multipart import File, FormParser
from support.serving import GatedReader, encode_picture, start_thread
from support.stub_reader import SEVERAL, SeeingReader

from svhn.errors import UserError
from svhn.labels import Reading
from svhn.reading.outputs import make_row
from svhn.serving.app import build_app
from svhn.serving.bodies import RefusedError, Upload
from svhn.serving.desk import Desk
from svhn.serving.limits import Limits

HEADER = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 25_000, 8, 2, 0, 0, 0)
GIGAPIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\r" + HEADER + struct.pack(">I", zlib.crc32(HEADER)) + b"\0\0\0\x08IDAT" + bytes(12)
)
PNG = {"content-type": "image/png"}


@pytest.fixture(scope="module")
def reader() -> SeeingReader:
    return SeeingReader()


@pytest.fixture(scope="module")
def client(reader: SeeingReader) -> Iterator[httpx.Client]:
    with start_thread(reader, Limits(megabytes=0.5, pictures=3)) as client:
        yield client


def send_form(client: httpx.Client, *contents: tuple[str, bytes], **options: Any) -> httpx.Response:
    return client.post("/v1/read", files=[("file", (name, content)) for name, content in contents], **options)


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "application/octet-stream", None])
def test_a_picture_may_be_the_whole_body(client: httpx.Client, kind: str | None) -> None:
    answer = client.post("/v1/read", content=encode_picture(), headers={"content-type": kind} if kind else {})
    assert answer.status_code == 200
    (row,) = answer.json()["pictures"]
    assert [number["text"] for number in row["numbers"]] == [number.text for number in SEVERAL]
    assert (row["file"], row["width"], row["height"]) == ("", 60, 40)


def test_pictures_of_a_form_are_answered_in_order(client: httpx.Client) -> None:
    answer = send_form(
        client, ("b.png", encode_picture(size=(30, 20))), ("a.png", b"none"), ("c.png", encode_picture())
    )
    assert answer.status_code == 200  # one bad picture does not end the others
    rows = answer.json()["pictures"]
    assert [(row["file"], row["width"], bool(row["error"])) for row in rows] == [
        ("b.png", 30, False),
        ("a.png", None, True),
        ("c.png", 60, False),
    ]


def test_the_surest_number_alone(client: httpx.Client) -> None:
    answer = client.post("/v1/read", params={"all": "false"}, content=encode_picture(), headers=PNG)
    (row,) = answer.json()["pictures"]
    assert row["numbers"] == [max(make_row("", Reading(SEVERAL))["numbers"], key=lambda each: each["confidence"])]


def test_files_stay_in_memory(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the parser's own, which keeps a million bytes in memory unless told otherwise; the limit here is lower."""
    monkeypatch.setattr(File, "flush_to_disk", pytest.fail)
    monkeypatch.setitem(FormParser.DEFAULT_CONFIG, "MAX_MEMORY_FILE_SIZE", 1000)
    assert send_form(client, ("large.bin", bytes(300_000))).status_code == 422


@pytest.mark.parametrize(
    ("content", "headers", "status", "reason"),
    [
        (b"", PNG, 400, "the body is empty"),
        (b"none", PNG, 422, "not a picture"),
        (encode_picture()[:60], PNG, 422, "truncated"),
        (GIGAPIXEL, PNG, 422, "1000000000 pixels"),
        (b"{}", {"content-type": "application/json"}, 415, "application/json: expected image/*"),
        (b"x", {"content-type": "multipart/form-data"}, 400, "boundary"),
        (b"x", {"content-type": "multipart/form-data; boundary=a"}, 400, "form"),
        (bytes(600_000), PNG, 413, "larger than 0.5 MB"),
    ],
)
def test_what_can_t_be_read_is_refused_with_the_reason(
    client: httpx.Client, content: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    answer = client.post("/v1/read", content=content, headers=headers)
    assert answer.status_code == status
    assert reason in answer.json()["error"]


def test_a_body_of_unknown_length_is_limited_too(client: httpx.Client) -> None:
    answer = client.post("/v1/read", content=(bytes(100_000) for _ in range(6)), headers=PNG)
    assert answer.status_code == 413


def test_half_a_form_is_refused(client: httpx.Client) -> None:
    whole = httpx.Request("POST", "http://x", files=[("file", ("a.png", encode_picture()))] * 2)
    content, kind = whole.read(), whole.headers["content-type"]
    for part in (content[: len(content) // 2], content[:-6]):
        answer = client.post("/v1/read", content=part, headers={"content-type": kind})
        assert (answer.status_code, "last boundary" in answer.json()["error"]) == (400, True)


def test_a_form_of_too_many_files_or_of_none_is_refused(client: httpx.Client) -> None:
    many = send_form(client, *[("a.png", encode_picture())] * 4)
    assert (many.status_code, "more than 3 files" in many.json()["error"]) == (400, True)
    none = client.post("/v1/read", files={"file": (None, b"text")})
    assert (none.status_code, "holds no file" in none.json()["error"]) == (400, True)


def test_a_form_of_many_fields_is_refused(client: httpx.Client) -> None:
    fields = {f"field{index}": "x" for index in range(20)}
    answer = client.post("/v1/read", data=fields, files={"file": ("a.png", encode_picture())})
    assert (answer.status_code, "more than 16 fields" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("threshold", ["2", "-1", "x"])
def test_an_option_out_of_range_is_named(client: httpx.Client, threshold: str) -> None:
    answer = client.post("/v1/read", params={"threshold": threshold}, content=encode_picture(), headers=PNG)
    assert answer.status_code == 422
    assert f"threshold={threshold}: " in answer.json()["error"]


def test_where_there_is_nothing_the_answer_is_404(client: httpx.Client) -> None:
    none, other = client.get("/v1/none"), client.get("/v1/read")
    assert (none.status_code, none.json()) == (404, {"error": "Not Found"})
    assert (other.status_code, other.json()) == (405, {"error": "Method Not Allowed"})
    assert client.head("/v1/health").status_code == 200


def test_too_many_requests_are_told_to_come_back() -> None:
    reader = GatedReader()
    with start_thread(reader, Limits(waiting=2)) as client, ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(client.post, "/v1/read", content=encode_picture(), headers=PNG) for _ in range(2)]
        while client.get("/v1/health").json() != {"status": "busy", "waiting": 2}:
            time.sleep(0.01)
        refused = client.post("/v1/read", content=encode_picture(), headers=PNG)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert "2 requests are waiting" in refused.json()["error"]
        reader.gate.set()
        assert [each.result().status_code for each in waiting] == [200, 200]
        assert client.get("/v1/health").json() == {"status": "ok", "waiting": 0}
        metrics = client.get("/metrics").text
    assert 'svhn_pictures_total{outcome="read"} 2.0' in metrics
    assert 'svhn_requests_total{status="429"} 1.0' in metrics
    assert "svhn_requests_waiting 0.0" in metrics


def test_body_and_reading_share_one_time() -> None:
    """The body comes after most of the time, and the gate never opens: the rest is not a whole time of its own."""
    desk = Desk(GatedReader(), Limits(seconds=50))

    async def read() -> None:
        with desk.take_request() as deadline:
            assert deadline - asyncio.get_running_loop().time() == pytest.approx(50, abs=5)
            await desk.read_pictures([Upload("", encode_picture())], None, deadline - 50)

    with pytest.raises(RefusedError, match="within 50 seconds"):
        asyncio.run(read())
    desk.reader.gate.set()  # type: ignore[attr-defined]


def test_a_fault_of_the_program_is_counted() -> None:
    class FaultyReader(SeeingReader):
        def _read_picture(self, image: Image.Image, each: Any, threshold: float | None = None) -> Any:
            raise RuntimeError(image, each, threshold)

    with start_thread(FaultyReader(), Limits()) as client:
        answer = client.post("/v1/read", content=encode_picture(), headers=PNG)
        assert (answer.status_code, answer.json()) == (500, {"error": "a fault of this program"})
        assert 'svhn_requests_total{status="500"} 1.0' in client.get("/metrics").text


def test_a_request_that_takes_too_long_is_answered() -> None:
    reader = GatedReader()
    with start_thread(reader, Limits(seconds=0.2)) as client:
        late = client.post("/v1/read", content=encode_picture(), headers=PNG)
        assert (late.status_code, "within 0.2 seconds" in late.json()["error"]) == (503, True)
        assert int(late.headers["retry-after"]) >= 1
        reader.gate.set()
        assert client.post("/v1/read", content=encode_picture(), headers=PNG).status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with start_thread(SeeingReader(), Limits(seconds=0.2)) as client:
        host, port = client.base_url.host, client.base_url.port or 0
        with socket.create_connection((host, port), timeout=10) as connection:
            head = f"POST /v1/read HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\nhalf"
            connection.sendall(head.encode())
            answer = connection.recv(10_000).decode()
        assert answer.startswith("HTTP/1.1 408 ")
        assert client.get("/v1/health").json()["waiting"] == 0


def test_no_page_asks_another_server_for_anything() -> None:
    with start_thread(SeeingReader(), Limits()) as client:
        assert client.get("/docs").status_code == client.get("/redoc").status_code == 404
        assert client.get("/openapi.json").json()["info"]["title"].startswith("svhn")


def test_a_server_that_ends_answers_what_it_took() -> None:
    reader, answers = GatedReader(), []
    with start_thread(reader, Limits()) as client:
        sender = threading.Thread(
            target=lambda: answers.append(client.post("/v1/read", content=encode_picture(), headers=PNG))
        )
        sender.start()
        while not client.get("/v1/health").json()["waiting"]:
            time.sleep(0.01)
        threading.Timer(0.3, reader.gate.set).start()
    sender.join()
    assert [answer.status_code for answer in answers] == [200]


def test_the_description_has_all_addresses_and_answers() -> None:
    described = build_app(Desk(SeeingReader(), Limits())).openapi()
    assert described["paths"].keys() == {"/v1/read", "/v1/health", "/v1/models", "/metrics"}
    operation = described["paths"]["/v1/read"]["post"]
    assert {*operation["responses"]} == {"200", "400", "401", "408", "413", "415", "422", "429", "503"}
    assert {*operation["requestBody"]["content"]} == {"image/*", "application/octet-stream", "multipart/form-data"}
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    schemas = {"components": described["components"]}
    jsonschema.validate(example, {"$ref": "#/components/schemas/Document", **schemas})


@pytest.mark.parametrize("name", ["megabytes", "pictures", "seconds", "waiting"])
@pytest.mark.parametrize("value", [0, math.inf, math.nan])
def test_a_limit_is_above_0(name: str, value: float) -> None:
    with pytest.raises(UserError, match=f"--max_{name}={value}: expected a number above 0"):
        Limits(**{name: value})  # pyright: ignore[reportArgumentType]
