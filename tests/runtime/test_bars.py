from __future__ import annotations

import time

import pytest

from svhn.runtime.bars import make_bar


def test_a_file_gets_few_redraws(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in make_bar(range(40), desc="train"):
        time.sleep(0.01)
    drawn = capsys.readouterr().err
    assert drawn.count("\r") <= 3
    assert "40/40" in drawn


def test_without_stderr_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert list(make_bar(range(3))) == [0, 1, 2]
