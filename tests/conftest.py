"""What more than one file of tests is given, and how the tests are shared out to the workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

# One thread a worker, also in the processes that tests start: set before TensorFlow is imported, which reads it once.
os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1", OMP_NUM_THREADS="1")

from support.shelf import make_once

# A worker gets whole files. Those that take longest go first, so that no worker is left alone with one at the end.
LONGEST_FILES = [
    "test_distribute.py",
    "test_beam.py",
    "test_resume.py",
    "test_export.py",
    "test_faults.py",
    "test_web.py",
    "test_page.py",
    "test_models.py",
    "test_main.py",
    "test_release.py",
    "test_initial_weights.py",
]
ALLOWED_SKIPS = "../shared/data"  # pictures that are too large for the repository


@pytest.fixture(scope="session", autouse=True)
def heeded_signals() -> Iterator[None]:
    """Let programs that tests start heed each signal, also where the tests run under nohup or in a script's background.

    A program inherits that a signal is ignored, and not a handler that does nothing.
    """
    handlers = {signal.SIGHUP: lambda *_: None, signal.SIGINT: signal.default_int_handler}
    ignored = [number for number in handlers if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, handlers[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """House numbers in Format 1, not to be changed."""
    from support.wrangling import write_sources  # needs TensorFlow, which the process that starts the workers does not

    return make_once(tmp_path_factory, "sources", write_sources)


@pytest.fixture(scope="session")
def undisturbed(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of all `sources`, made by one process, not to be changed."""
    from support.wrangling import wrangled

    def make(folder: Path) -> None:
        assert wrangled(sources, folder) == 0

    return make_once(tmp_path_factory, "undisturbed", make)


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of single digits and the run `demo`, which reads them all; not to be changed."""
    from support.digit_records import train_readable_digits

    return make_once(tmp_path_factory, "digits", train_readable_digits)


@pytest.fixture(scope="session")
def numbers_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of numbers, the run `demo` of `program.RECIPE` and what training it printed; not to be changed."""
    from support.program import train_numbers

    return make_once(tmp_path_factory, "numbers", train_numbers)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--forbid-skips", action="store_true", help=f"fail if a test is skipped but for {ALLOWED_SKIPS}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail on a test that CI should run and could not, such as those of the browser without one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--forbid-skips") and reporter is not None:
        reasons = {str(report.longrepr) for report in reporter.stats.get("skipped", [])}
        if unexpected := sorted(reason for reason in reasons if ALLOWED_SKIPS not in reason):
            print("\nerror: skipped, which --forbid-skips forbids:", *unexpected, sep="\n")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
