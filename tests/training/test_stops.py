"""What asks a training to stop."""

from __future__ import annotations

import errno
import signal

import pytest

from svhn.errors import Interrupted
from svhn.training.stops import Stops


def raise_error(error: OSError) -> Stops:
    """The stops of a training whose lines can't be printed."""

    def say(_: str) -> None:
        raise error

    stops = Stops([], say)
    stops.say("line")
    return stops


def test_what_can_be_printed_stops_nothing() -> None:
    lines: list[str] = []
    stops = Stops([], lines.append)
    stops.say("line")
    assert (bool(stops), lines) == (False, ["line"])


def test_a_pipe_that_nobody_reads_ends_as_by_its_signal() -> None:
    stops = raise_error(BrokenPipeError())
    error = stops.make_error("stopped")
    assert stops
    assert isinstance(error, Interrupted)
    assert (str(error), error.signum) == ("stopped", signal.SIGPIPE)


def test_another_reason_is_raised_at_the_end() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert raise_error(full).make_error("stopped") is full


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_named_even_if_the_terminal_is_gone(number: signal.Signals) -> None:
    stops = raise_error(OSError(errno.EIO, "Input/output error"))
    stops.signals.append(number)
    error = stops.make_error("stopped")
    assert isinstance(error, Interrupted)
    assert error.signum == number
