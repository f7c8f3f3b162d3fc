"""The desk between requests and the reader: it takes so many requests at once, and measures what it does."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from svhn.labels import Reading
from svhn.reading.outputs import Row, make_row
from svhn.reading.reader import Reader
from svhn.reading.results import READ_ERRORS
from svhn.serving.bodies import RefusedError, Upload
from svhn.serving.limits import Limits

NEWEST_SHARE = 0.1  # of the newest request in the running mean of a picture's seconds
BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)  # seconds


class Desk:
    """Takes the pictures of requests to the reader, and their numbers back.

    >>> with desk.take_request() as deadline:
    ...     rows = await desk.read_pictures(uploads, None, deadline)
    """

    def __init__(self, reader: Reader, limits: Limits) -> None:
        self.reader, self.limits = reader, limits
        self.waiting = 0  # requests that were taken and not answered yet
        self.registry = CollectorRegistry()
        self._pictures_waiting, self._seconds = 0, 0.05  # the second: of a picture, in a thread
        self.requests = Counter("svhn_requests", "Requests by status", ["status"], registry=self.registry)
        self._pictures = Counter("svhn_pictures", "Pictures by outcome", ["outcome"], registry=self.registry)
        self._durations = Histogram(
            "svhn_request_seconds", "Seconds from a request to its answer", registry=self.registry, buckets=BUCKETS
        )
        gauge = Gauge("svhn_requests_waiting", "Requests taken and not answered yet", registry=self.registry)
        gauge.set_function(lambda: self.waiting)

    @contextmanager
    def take_request(self) -> Iterator[float]:
        """The time in which a request is answered; yields the latest moment to do so, on the event loop's clock.

        Raises `RefusedError` if too many others wait.
        """
        if self.waiting >= self.limits.waiting:
            raise RefusedError(
                429, f"{self.waiting} requests are waiting: try again", {"Retry-After": str(self._estimate_wait())}
            )
        self.waiting += 1
        began = time.perf_counter()
        try:
            yield asyncio.get_running_loop().time() + self.limits.seconds
        finally:
            self.waiting -= 1
            self._durations.observe(time.perf_counter() - began)

    def _estimate_wait(self) -> int:
        """Whole seconds until the pictures that wait now are read; 1 at least."""
        return max(1, math.ceil(self._pictures_waiting * self._seconds / self.reader.threads))

    async def read_pictures(self, uploads: Sequence[Upload], threshold: float | None, deadline: float) -> list[Row]:
        """The row of each picture, as output.schema.json describes it; a picture that can't be read has an `error`.

        Args:
            uploads: the pictures.
            threshold: least confidence of an answer, 0 to 1, in a small picture; None for the reader's own.
            deadline: the latest moment to answer, as `take_request` yields it.

        Raises:
            RefusedError: the time is over.
        """
        futures = [self.reader.submit(each.content, threshold) for each in uploads]
        self._pictures_waiting += len(futures)
        before, began = self._pictures_waiting, time.perf_counter()
        try:
            async with asyncio.timeout_at(deadline):
                readings = await asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)
        except TimeoutError as error:
            self._note_seconds(began, before)
            reason = f"no answer within {self.limits.seconds:g} seconds: try again, or send fewer pictures at once"
            raise RefusedError(503, reason, {"Retry-After": str(self._estimate_wait())}) from error
        finally:
            self._pictures_waiting -= len(futures)
            for future in futures:
                future.cancel()  # of those that no thread has begun
        self._note_seconds(began, before)
        return [self._describe(*pair) for pair in zip(uploads, readings, strict=True)]

    def _note_seconds(self, began: float, waiting: int) -> None:
        """Take the time since a moment, of so many pictures, into the mean of a picture's seconds."""
        own = (time.perf_counter() - began) * self.reader.threads / max(waiting, self.reader.threads)
        self._seconds += NEWEST_SHARE * (own - self._seconds)

    def _describe(self, upload: Upload, answer: Reading | BaseException) -> Row:
        if isinstance(answer, BaseException):
            if not isinstance(answer, READ_ERRORS):
                raise answer
            answer = Reading(error=str(answer))
        outcome = "unreadable" if answer.error else "read" if answer.numbers else "without_number"
        self._pictures.labels(outcome).inc()
        return make_row(upload.name, answer)
