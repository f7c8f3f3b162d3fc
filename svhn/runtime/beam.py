"""Parts made by Apache Beam, on this machine or on many: Beam decides where each part is made, and nothing else."""

from __future__ import annotations

import io
import logging
import pickle
import re
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from functools import partial
from importlib.util import find_spec
from typing import Any, NoReturn

from svhn.errors import UserError, shorten, suggest_extra
from svhn.runtime.command_line import suggest_name
from svhn.runtime.shell import UsageError, silence_native_code

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
        UserError: Beam is not installed, it has no such runner or option, or there are options for no runner.
    """
    if options and not runner:
        raise UsageError(f"--runner_options={','.join(options)} needs a runner: add --runner=DirectRunner, for example")
    if runner and find_spec("apache_beam") is None:
        raise UserError(f"--runner={runner} needs Apache Beam: {suggest_extra('beam')}")
    if runner:
        _check_options(_resolve_runner(runner), options)


def _check_options(runner: str, options: Sequence[str]) -> None:
    """Raises `UsageError` for a wrong value, or an option that the runner lacks: Beam would drop it in silence."""
    parsers: list[Any] = []
    _import_options().PipelineOptions([]).get_all_options(
        add_extra_args_fn=parsers.append
    )  # the one way to Beam's parser
    # argparse prints how the program is used before its line, and all of its help on stdout.
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as printed:
        try:
            known, unknown = parsers[0].parse_known_args(options)
        except SystemExit as error:
            lines = printed.getvalue().strip().splitlines() or ["error: expected options as --name=value"]  # for --help
            raise UsageError(f"--runner_options: {shorten(lines[-1].partition('error: ')[2])}") from error
    for option in unknown:
        _report_unknown(runner, option, vars(known))


def _report_unknown(runner: str, option: str, known: Collection[str]) -> None:
    """Raises `UsageError`, or prints a line where the runner's service may have options that Beam's Python lacks."""
    near = suggest_name(option.lstrip("-").partition("=")[0], known)
    hint = f"did you mean --{near}?" if near else "expected options as --name=value"
    if runner in OWN_OPTIONS:
        raise UsageError(f"--runner_options: {runner} has no option {shorten(option)}: {hint}")
    print(
        f"note: --runner_options: Beam passes {shorten(option)} on to {runner} unchecked; {hint}",
        file=sys.stderr,
    )


def _resolve_runner(runner: str) -> str:
    """The full name of a runner, such as `DirectRunner` for `direct`; a name with dots is that of a class elsewhere."""
    if "." in runner:
        return runner
    names = {_shorten(name): name for name in _import_options().StandardOptions.KNOWN_RUNNER_NAMES}
    if _shorten(runner) not in names:
        near = suggest_name(_shorten(runner), names)
        expected = f"did you mean {names[near]}?" if near else f"expected one of {', '.join(names.values())}"
        raise UsageError(f"--runner={runner}: Beam has no such runner; {expected}")
    return names[_shorten(runner)]


def _import_options() -> Any:
    """Beam's module of options. Its import warns about services whose packages are not installed."""
    logging.disable(logging.WARNING)
    try:
        from apache_beam.options import pipeline_options  # pyright: ignore[reportMissingImports]
    finally:
        logging.disable(logging.NOTSET)
    return pipeline_options


def _shorten(runner: str) -> str:
    return runner.lower().removesuffix("runner")


def run_parts(make_part: Callable[[Any], object], tasks: Iterable[object], runner: str, options: Sequence[str]) -> None:
    """Call a function for each task by a Beam pipeline, and wait for its end.

    Args:
        make_part: a function that makes one part. It and the tasks can be pickled; the workers can import it. A runner
            may call it twice for a task.
        tasks: what it is called with.
        runner: name of a runner, such as `DirectRunner`, `FlinkRunner` or `DataflowRunner`.
        options: the pipeline's options, each as `--name=value`, as `check_runner` accepts them.

    Raises:
        UserError: a worker raised a `UserError`, or the pipeline failed.
    """
    runner, make_options = _resolve_runner(runner), _import_options().PipelineOptions
    import apache_beam as beam  # pyright: ignore[reportMissingImports]

    if runner in OWN_OPTIONS:  # its log would print traces of what becomes one line below
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    pickled = [pickle.dumps((make_part, task)) for task in tasks]  # Beam's own coders turn named tuples into tuples
    if not pickled:
        return
    own = OWN_OPTIONS.get(runner, ())
    with _explain_failures(runner, SUBMIT_REMEDY):
        pipeline = beam.Pipeline(options=make_options([f"--runner={runner}", *own, *options]))
        _ = pipeline | beam.Create(pickled) | beam.Reshuffle() | beam.Map(_make_pickled_part)
    quiet = _silence_workers() if own else nullcontext()
    with quiet, _explain_failures(runner, REPEAT_REMEDY if own else SUBMIT_REMEDY), _stop_with_workers():
        result = pipeline.run()  # DirectRunner has then made the parts; the others have only begun
    with _explain_failures(runner, REPEAT_REMEDY), _stop_with_workers():
        result.wait_until_finish()


@contextmanager
def _explain_failures(runner: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each runner raises errors of its own
        raised = WORKER_ERROR.findall(f"{type(error).__name__}: {error}")
        if raised:
            raise UserError(f"--runner={runner}: {raised[-1]}") from error
        reason = shorten((str(error).strip().splitlines() or [type(error).__name__])[-1])
        raise UserError(f"--runner={runner} ended early ({reason}): {remedy}") from error


@contextmanager
def _silence_workers() -> Iterator[None]:
    """Hide what workers on this machine print on stderr: traces of what becomes one line here, also after Ctrl-C."""
    from apache_beam.runners.worker import sdk_worker  # pyright: ignore[reportMissingImports]

    sdk_worker.__dict__["print"] = lambda *_, **__: None  # for good: threads of this process print at its end
    with silence_native_code():
        yield


@contextmanager
def _stop_with_workers() -> Iterator[None]:
    """Raise the error of a thread of Beam's in this one. Beam itself waits forever for a worker that was killed.

    Ctrl-C reaches the workers, too, whose deaths are no failures then.
    """
    failures: list[BaseException | None] = []
    interrupts: list[int] = []
    own, main_thread = threading.excepthook, threading.main_thread().ident or 0

    def notice(arguments: threading.ExceptHookArgs) -> None:
        failures.append(arguments.exc_value)
        if len(failures) == 1:  # by a true signal: `interrupt_main` doesn't wake a main thread that waits for a lock
            signal.pthread_kill(main_thread, signal.SIGINT)

    threading.excepthook = notice
    try:
        with _note_interrupts(interrupts, failures):
            yield
    except KeyboardInterrupt as error:
        left = {*threading.enumerate()}  # threads of Beam's, which end after this
        own = partial(_report_others, left, own)
        if failures and not interrupts:
            raise RuntimeError(next(filter(None, map(str, failures)), "a worker ended")) from error
        raise
    finally:
        threading.excepthook = own


def _report_others(left: Collection[object], own: Callable[..., object], arguments: threading.ExceptHookArgs) -> None:
    if arguments.thread not in left:
        own(arguments)


@contextmanager
def _note_interrupts(interrupts: list[int], failures: Sequence[object]) -> Iterator[None]:
    """Add the number of Ctrl-C to a list. The interrupt that follows the first failure is not added."""

    def interrupt(number: int, _: object) -> NoReturn:
        if not failures:
            interrupts.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _make_pickled_part(pickled: bytes) -> None:
    make_part, task = pickle.loads(pickled)
    make_part(task)
