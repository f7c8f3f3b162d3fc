"""Parts made by Apache Beam, on this machine or on many: Beam decides where each part is made, and nothing else."""

from __future__ import annotations

import _thread
import logging
import pickle
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from svhn.errors import UserError, suggest_extra
from svhn.runtime.command_line import suggest_name
from svhn.runtime.shell import UsageError

LONGEST_REASON = 300  # characters of a runner's message
QUIET = ("--default_sdk_harness_log_level=ERROR",)  # of the workers, which print to this process's stderr
# Without this option, which matters to no pipeline of ours, DirectRunner first tries to download the program Prism.
OWN_OPTIONS = {"DirectRunner": (*QUIET, "--allow_unsafe_triggers")}
SUBMIT_REMEDY = "check --runner_options, and whether the runner's service can be reached"
REPEAT_REMEDY = "finished parts are kept: run the same command again"
# How errors of a worker end in the text of a runner's error, which holds the worker's trace.
WORKER_ERROR = re.compile(r"\b(?:UserError|UsageError): (.+?)(?: \[while running .*)?$", re.MULTILINE)


def check_runner(runner: str, options: Sequence[str]) -> None:
    """Check the flags of a runner before any work.

    Args:
        runner: name of a runner; "" for none.
        options: options of the pipeline.

    Raises:
        UserError: Beam is not installed, Beam has no such runner, or there are options for no runner.
    """
    if options and not runner:
        raise UsageError(f"--runner_options={','.join(options)} needs a runner: add --runner=DirectRunner, for example")
    if runner and find_spec("apache_beam") is None:
        raise UserError(f"--runner={runner} needs Apache Beam: {suggest_extra('beam')}")
    if runner:
        _resolve_runner(runner)


def _resolve_runner(runner: str) -> str:
    """The full name of a runner, such as `DirectRunner` for `direct`; a name with dots is that of a class elsewhere."""
    from apache_beam.options.pipeline_options import StandardOptions  # pyright: ignore[reportMissingImports]

    if "." in runner:
        return runner
    names = {_shorten(name): name for name in StandardOptions.KNOWN_RUNNER_NAMES}
    if _shorten(runner) not in names:
        near = suggest_name(_shorten(runner), names)
        expected = f"did you mean {names[near]}?" if near else f"expected one of {', '.join(names.values())}"
        raise UsageError(f"--runner={runner}: Beam has no such runner; {expected}")
    return names[_shorten(runner)]


def _shorten(runner: str) -> str:
    return runner.lower().removesuffix("runner")


def run_parts(make_part: Callable[[Any], object], tasks: Iterable[object], runner: str, options: Sequence[str]) -> None:
    """Call a function for each task by a Beam pipeline, and wait for its end.

    Args:
        make_part: a function that makes one part. It and the tasks can be pickled; the workers can import it. A runner
            may call it twice for a task.
        tasks: what it is called with.
        runner: name of a runner, such as `DirectRunner`, `FlinkRunner` or `DataflowRunner`.
        options: the pipeline's options, each as `--name=value`.

    Raises:
        UserError: Beam refuses an option, a worker raised a `UserError`, or the pipeline failed.
    """
    import apache_beam as beam  # pyright: ignore[reportMissingImports]
    from apache_beam.options.pipeline_options import PipelineOptions  # pyright: ignore[reportMissingImports]

    runner = _resolve_runner(runner)
    if runner in OWN_OPTIONS:  # its log would print traces of what becomes one line below
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    encoded = [pickle.dumps((make_part, task)) for task in tasks]  # Beam's own coders turn named tuples into tuples
    if not encoded:
        return
    own = OWN_OPTIONS.get(runner, ())
    with _explain_failures(runner, SUBMIT_REMEDY):
        pipeline = beam.Pipeline(options=PipelineOptions([f"--runner={runner}", *own, *options]))
        _ = pipeline | beam.Create(encoded) | beam.Reshuffle() | beam.Map(_call_pickled)
    with _explain_failures(runner, REPEAT_REMEDY if own else SUBMIT_REMEDY), _stop_with_workers():
        result = pipeline.run()  # DirectRunner has then made the parts; the others have only begun
    with _explain_failures(runner, REPEAT_REMEDY), _stop_with_workers():
        result.wait_until_finish()


@contextmanager
def _explain_failures(runner: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except SystemExit as error:  # argparse has printed what it refuses
        raise UsageError(f"--runner_options: Beam refuses them: expected options of {runner}, --name=value") from error
    except Exception as error:  # each runner raises errors of its own
        raised = WORKER_ERROR.findall(f"{type(error).__name__}: {error}")
        if raised:
            raise UserError(f"--runner={runner}: {raised[-1]}") from error
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:LONGEST_REASON]
        raise UserError(f"--runner={runner} ended early ({reason}): {remedy}") from error


@contextmanager
def _stop_with_workers() -> Iterator[None]:
    """Raise the error of a thread of Beam's in this one. Beam itself waits forever for a worker that was killed."""
    failures: list[BaseException | None] = []
    own = threading.excepthook

    def notice(arguments: threading.ExceptHookArgs) -> None:
        failures.append(arguments.exc_value)
        _thread.interrupt_main()

    threading.excepthook = notice
    try:
        yield
    except KeyboardInterrupt as error:
        if failures:
            raise RuntimeError(next(filter(None, map(str, failures)), "a worker ended")) from error
        raise
    finally:
        threading.excepthook = own


def _call_pickled(task: bytes) -> None:
    make_part, argument = pickle.loads(task)
    make_part(argument)
