"""What is printed about many pictures while they are read, and at their end."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from svhn.labels import Number, Reading
from svhn.reading import progress
from svhn.reading.progress import Progress

NUMBER, NOTHING, BAD = Reading((Number("27", 0.9, (0.9, 0.9)),)), Reading(), Reading(error="damaged")


class Clock:
    """`time.monotonic`, set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_without_a_terminal_there_is_a_line_every_half_minute(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(12_000) as shown:
        for _ in range(960):
            clock.now += 0.125
            shown.add(NUMBER)
    assert capsys.readouterr().err.splitlines() == [
        f"{done:,} of 12,000 pictures, 8.0 a second, about {left} left"
        for done, left in ((240, "0:24:30"), (480, "0:24:00"), (720, "0:23:30"), (960, "0:23:00"))
    ]


def test_one_picture_needs_no_progress(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(1) as shown:
        clock.now += 100
        shown.add(NUMBER)
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_a_bar_and_lines_above_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_count_columns", lambda: 80)
    with Progress(2) as shown:
        shown.add(NUMBER)
        shown.print_line("1.png  27  0.9")
        shown.add(NOTHING)
    out, err = capsys.readouterr()
    assert out == "1.png  27  0.9\n"
    assert re.search(r"0/2 .*pictures", err)


def test_the_summary_counts_what_became_of_the_pictures_and_what_was_no_picture(clock: Clock) -> None:
    shown = Progress(1005)
    for reading in (*[NUMBER] * 1002, NOTHING, BAD, BAD):
        shown.add(reading)
    clock.now += 12.34
    expected = "1,005 pictures in 12.3 s: 1,002 read, 1 without a number, 2 unreadable"
    assert shown.format_summary(Counter()) == expected
    others = Counter({".txt": 3, "sidecar files": 2})
    assert shown.format_summary(others) == f"{expected}; passed over: .txt 3, sidecar files 2"


def test_one_picture_is_no_pictures() -> None:
    counts = {"read": 1}
    assert (
        progress.format_summary(counts, 0.25, Counter())
        == "1 picture in 0.2 s: 1 read, 0 without a number, 0 unreadable"
    )
