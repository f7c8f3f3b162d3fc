"""The server's addresses: /v1/read, /v1/health, /v1/models and /metrics, and their description in OpenAPI."""

from __future__ import annotations

import asyncio
import hmac
import logging
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from svhn.reading.engine import Network
from svhn.reading.outputs import SCHEMA, Row
from svhn.serving.answers import Document, Health, Model, Models, Problem
from svhn.serving.bodies import FORM, RefusedError, take_pictures
from svhn.serving.desk import Desk

BINARY = {"type": "string", "format": "binary"}
FILES = {"type": "object", "properties": {"file": {"type": "array", "items": BINARY}}, "required": ["file"]}
BODY = {
    "required": True,
    "description": "One picture as the whole body, or a form with a file for each. Names of fields don't count.",
    "content": {"image/*": {"schema": BINARY}, "application/octet-stream": {"schema": BINARY}, FORM: {"schema": FILES}},
}
EXAMPLE = {
    "schema": SCHEMA,
    "pictures": [
        {
            "schema": SCHEMA,
            "file": "door.jpg",
            "width": 86,
            "height": 52,
            "numbers": [
                {
                    "text": "20",
                    "truncated": False,
                    "confidence": 0.985,
                    "box": [16.7, 8.2, 59.9, 41.9],
                    "corners": [[16.7, 8.2], [59.9, 8.2], [59.9, 41.9], [16.7, 41.9]],
                    "digits": [{"text": "2", "confidence": 0.999}, {"text": "0", "confidence": 0.991}],
                    "seen": None,
                }
            ],
            "refused": None,
            "error": None,
        }
    ],
}
REASONS = {
    400: "The body is empty, incomplete or no form, or holds no picture",
    401: "The token is missing or wrong",
    408: "The body took too long to come",
    413: "The body is too large",
    415: "The body is of another type",
    422: "No picture of the request can be read, or an option is out of range",
    429: "Too many requests wait: Retry-After names the seconds to wait",
    503: "The time is over, or the server ends: Retry-After names the seconds to wait",
}
LOG = logging.getLogger("uvicorn.error")  # which prints to stderr
OPEN = ("/v1/health",)  # addresses that need no token


class Guard:
    """Counts answers by status, and refuses requests without the token. Starlette's own base for it costs more."""

    def __init__(self, app: ASGIApp, requests: Counter, token: str) -> None:
        """Takes what it stands before, the counter, and the token; "" for none."""
        self.app, self.requests, self.token = app, requests, token.encode(errors="surrogateescape")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def count(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self.requests.labels(str(message["status"])).inc()
            await send(message)

        try:
            await (self.app if self._is_allowed(scope) else _refuse_stranger())(scope, receive, count)
        except (asyncio.CancelledError, Exception) as error:
            if begun:
                raise
            await _explain_end(error)(scope, receive, count)

    def _is_allowed(self, scope: Scope) -> bool:
        scheme, _, given = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
        known = scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), self.token)
        return not self.token or scope["path"] in OPEN or known


def _refuse_stranger() -> Response:
    reason = "the token is missing or wrong: send the header `Authorization: Bearer TOKEN`"
    return JSONResponse({"error": reason}, 401, {"WWW-Authenticate": "Bearer"})


def _explain_end(error: BaseException) -> Response:
    """The answer to a request whose work ended: the server is to end at once, or the program has a fault."""
    if isinstance(error, asyncio.CancelledError):  # uvicorn would print a trace
        return JSONResponse({"error": "the server ends"}, 503, {"Retry-After": "1"})
    LOG.error("a fault of this program", exc_info=error)
    return JSONResponse({"error": "a fault of this program"}, 500)


async def _answer_refusal(_: Request, error: Any) -> Response:
    return JSONResponse({"error": str(error)}, error.status, error.headers)


async def _answer_wrong_option(_: Request, error: Any) -> Response:
    reasons = [f"{each['loc'][-1]}={each['input']}: {each['msg']}" for each in error.errors()]
    return JSONResponse({"error": "; ".join(reasons)}, 422)


async def _answer_wrong_address(_: Request, error: Any) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def build_app(desk: Desk, token: str = "") -> FastAPI:
    """The server's app.

    Args:
        desk: takes pictures to the reader.
        token: what clients have to send as `Authorization: Bearer TOKEN`; "" for a server that is open to all.
    """
    # FastAPI's pages about the description load their scripts from another server.
    app = FastAPI(title="svhn: reads the numbers in pictures", version=str(SCHEMA), docs_url=None, redoc_url=None)
    problems: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": text} for status, text in REASONS.items()
    }

    app.add_middleware(Guard, requests=desk.requests, token=token)

    app.add_exception_handler(RefusedError, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_wrong_option)
    app.add_exception_handler(HTTPException, _answer_wrong_address)

    @app.post("/v1/read", responses={200: {"model": Document}, **problems}, openapi_extra={"requestBody": BODY})
    async def read(
        request: Request,
        threshold: Annotated[
            float | None,
            Query(ge=0, le=1, description="least confidence with which a number is answered in a small picture"),
        ] = None,
        all: Annotated[bool, Query(description="all numbers of a picture, or the surest alone")] = True,  # noqa: A002
    ) -> Response:
        """Read the numbers in one or more pictures."""
        with desk.take_request() as deadline:
            uploads = await take_pictures(request, desk.limits, deadline)
            rows = await desk.read_pictures(uploads, threshold, deadline)
        return _answer_rows(rows if all else [*map(_keep_surest, rows)])

    @app.head("/v1/health", include_in_schema=False)
    @app.get("/v1/health")
    async def tell_health() -> Health:
        """Whether the server can take pictures."""
        return Health(status="ok" if desk.waiting < desk.limits.waiting else "busy", waiting=desk.waiting)

    @app.get("/v1/models", responses={401: problems[401]})
    async def list_models() -> Models:
        """The networks that read."""
        reader, finder = desk.reader.network, desk.reader.finder
        described = _describe_network("reader", reader), _describe_network("finder", finder, desk.reader.threshold)
        return Models(models=list(described))

    @app.get("/metrics", response_class=PlainTextResponse, responses={401: problems[401]})
    async def tell_metrics() -> Response:
        """Counts and durations, for Prometheus."""
        return Response(generate_latest(desk.registry), media_type=CONTENT_TYPE_LATEST)

    _add_example(app)
    return app


def _add_example(app: FastAPI) -> None:
    """Add the example to the description that the app keeps: FastAPI 0.165 would leave its null values out."""
    answer = app.openapi()["paths"]["/v1/read"]["post"]["responses"]["200"]
    answer["content"]["application/json"]["example"] = EXAMPLE


def _answer_rows(rows: list[Row]) -> Response:
    """The document of the rows, or why none of the pictures could be read."""
    if any(row["error"] is None for row in rows):
        return JSONResponse({"schema": SCHEMA, "pictures": rows})
    reasons = [f"{row['file']}: {row['error']}" if row["file"] else row["error"] for row in rows]
    return JSONResponse({"error": "; ".join(reasons)}, 422)


def _keep_surest(row: Row) -> Row:
    """The row with its surest number alone."""
    return {**row, "numbers": sorted(row["numbers"], key=lambda number: -number["confidence"])[:1]}


def _describe_network(role: Any, network: Network, threshold: float | None = None) -> Model:
    step = network.stamp.get("step")
    return Model(role=role, name=network.name, engine=network.engine, step=step, threshold=threshold)
