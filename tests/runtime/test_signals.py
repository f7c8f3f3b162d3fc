"""The ways in which a process is asked to end."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from svhn.runtime import shell
from svhn.runtime.signals import catch_signals

ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The handlers that a process begins with."""
    before = {number: signal.getsignal(number) for number in ENDING}
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_clears_up_and_then_the_old_handler_is_back(
    number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before, cleared = signal.getsignal(number), []

    def main(argv: list[str]) -> None:
        try:
            signal.raise_signal(number)
        finally:
            cleared.append(argv)

    assert shell.run_main(main, ["x"]) == code
    assert cleared == [["x"]]
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.endswith(": run the same command again\n")
    assert signal.getsignal(number) == before


def test_a_loop_can_collect_them_all() -> None:
    with catch_signals() as caught:
        for number in ENDING:
            signal.raise_signal(number)
    assert caught == ENDING
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """As under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert shell.run_main(lambda _: signal.raise_signal(signal.SIGHUP), ["x"]) == 0
    with catch_signals() as caught:
        signal.raise_signal(signal.SIGHUP)
    assert caught == []
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
