"""Live streams: the newest frame whenever one is asked for, and a stream that broke opened again."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from svhn.errors import PassingError, Say, shorten
from svhn.reading.files import hide_password
from svhn.reading.frames import Damage, Frame, decode_frames, open_video

TIMEOUT = 10.0  # seconds that a stream may be silent
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, *(60.0,) * 5)  # seconds before each try to open a broken stream again


@dataclass
class _Connection:
    """A stream that a thread receives. Of the frames that nobody has taken, the newest is kept.

    Args:
        address: the stream's address.
        received: number of frames that came before.
        problem: why the connection ended.
    """

    address: str
    received: int = 0
    problem: str = ""
    _newest: deque[Frame] = field(default_factory=lambda: deque(maxlen=1))
    _news: threading.Event = field(default_factory=threading.Event)
    _ended: bool = False
    _left: bool = False

    def _receive(self) -> None:
        try:
            with open_video(self.address, TIMEOUT) as (container, stream):
                for frame in decode_frames(container, stream, Damage()):
                    if self._left:
                        break
                    self._newest.append(Frame(self.received, time.time(), frame.pixels))
                    self.received += 1
                    self._news.set()
            self.problem = "it ended"
        except Exception as error:  # whatever it is, the thread that reads must hear of it
            self.problem = shorten(error)
        finally:
            self._ended = True
            self._news.set()

    def take_frames(self) -> Iterator[Frame]:
        """The newest frame, each time one is asked for, until the connection ends."""
        threading.Thread(target=self._receive, daemon=True).start()  # it may be waiting when the program ends
        try:
            while True:
                ended = self._ended
                if self._newest:
                    yield self._newest.pop()
                elif ended:
                    return
                else:
                    self._news.wait()
                    self._news.clear()
        finally:
            self._left = True


def receive_frames(address: str, say: Say) -> Iterator[Frame]:
    """The newest frame of a live stream, each time one is asked for, and one without pixels where the stream broke.

    The times are in seconds since 1970. A stream that broke is opened again after a pause, which grows until a frame
    comes.

    Args:
        address: the stream's address.
        say: prints a line when the stream breaks.

    Raises:
        PassingError: the stream could not be opened, or not again in as many tries as there are `PAUSES`.
    """
    received, pauses = 0, iter(PAUSES)
    while True:
        connection = _Connection(address, received)
        yield from connection.take_frames()
        if connection.received > received:
            received, pauses = connection.received, iter(PAUSES)
            yield Frame(received, time.time(), None)
        pause = next(pauses, None) if received else None
        if pause is None:
            tried = f", and could not be opened again in {len(PAUSES)} tries" if received else ""
            raise PassingError(f"the stream can't be read ({connection.problem}){tried}")
        say(f"{hide_password(address)} broke ({connection.problem}); it is opened again in {pause:g} s")
        time.sleep(pause)
