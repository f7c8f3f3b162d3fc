"""Networks as functions of images, whichever engine computes them: LiteRT, onnxruntime or TensorFlow.

Each engine is imported where it is used: no installation needs all of them, and TensorFlow's import takes seconds.
"""

from __future__ import annotations

import os
import queue
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from svhn.config import Paths
from svhn.errors import Say, UserError, shorten, suggest_extra
from svhn.runtime.shell import silence_native_code
from svhn.spec import Info

if TYPE_CHECKING:
    from svhn.run import Run

PACKAGES = {"litert": "ai_edge_litert", "onnx": "onnxruntime", "tensorflow": "tensorflow"}  # that the engines are in
ENGINES = ("auto", *PACKAGES)
# engines by format of the exported file
FORMATS = {"litert_int8": "litert", "litert_float16": "litert", "litert": "litert", "onnx": "onnx"}
SMALLEST = {"ppocr": "litert_float16"}  # formats of models whose confidences 8 bits change too much: docs/export.md
FORKED = "load a Reader in each process, start processes by spawn, or read with another engine than TensorFlow"

Outputs = dict[str, np.ndarray]
Compute = Callable[[np.ndarray], Outputs]


@dataclass(frozen=True)
class Network:
    """A run's network, ready to read.

    Args:
        name: the run's.
        compute: takes images of a record's size, uint8 (batch, height, width, channels); returns arrays by name, as
            `evaluation.answers.make_answerer` describes them. Threads may call it at once.
        records: the form of the run's records.
        threshold: least confidence, 0 to 1, with which a finder's number is answered in a small picture.
        locates: whether the network is a finder.
        engine: key of `PACKAGES`.
        stamp: what the answers depend on besides, in values that JSON can hold.
        file: the exported file that is computed; None for a network of TensorFlow.
    """

    name: str
    compute: Compute
    records: Info
    threshold: float
    locates: bool
    engine: str
    stamp: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None


def load_network(
    paths: Paths, given: Mapping[str, Any], checkpoint: str, engine: str, say: Say = lambda _: None
) -> Network:
    """A run's network, computed by an engine.

    `auto` takes a file that was exported from the same checkpoint with the same options, or else TensorFlow.

    Args:
        paths: folders of the run and of its results.
        given: options in place of the stored ones.
        checkpoint: as `steps.resolve_step` takes it; "" for the best.
        engine: one of `ENGINES`.
        say: prints a line where `auto` falls back to TensorFlow.

    Raises:
        UserError: the run, its checkpoint or an exported file can't be read, or no engine that is installed can read
            the run.
    """
    from svhn.runs.steps import resolve_step
    from svhn.runs.stored import open_run, read_run_info

    if engine not in ENGINES:
        raise UserError(f"--engine={shorten(engine)}: expected one of {', '.join(ENGINES)}")
    run = open_run(paths.run_folder, given, read_run_info(paths.run_folder), "score")
    step = resolve_step(run.folder, checkpoint)
    _check_installed(engine)
    problems: list[str] = []
    if engine != "tensorflow" and (network := _load_exported(paths, run, step, engine, problems.append)):
        return network
    remedy = _suggest_export(paths, run, given, checkpoint, engine)
    if engine not in ("auto", "tensorflow") or not find_spec("tensorflow"):
        raise UserError(_explain_lack(paths, step, engine, problems, remedy))
    if engine == "auto":
        reasons = "; ".join([*problems, f"{paths.name} is read with TensorFlow"])
        say(f"{reasons}: for a faster start, {remedy}")
    return _load_tensorflow(paths.name, run, step)


def _check_installed(engine: str) -> None:
    """Raises `UserError` if an engine that was named is missing."""
    if engine != "auto" and not find_spec(PACKAGES[engine]):
        raise UserError(
            f"--engine={engine} needs {PACKAGES[engine]}, which is not installed: {_suggest_package(engine)}"
        )


def _suggest_package(engine: str) -> str:
    extras = {"tensorflow": "train", "onnx": "export"}
    return suggest_extra(extras[engine]) if engine in extras else "run pip install ai-edge-litert"


def _load_exported(paths: Paths, run: Run, step: int, engine: str, say: Say) -> Network | None:
    """The network of the first exported file that fits and can be loaded; None if there is none.

    `say` takes a line for each file that fits and can't be loaded.
    """
    from svhn.runs.exported import check_exported, find_exported

    for path, description in find_exported(run, step, paths.results, say):
        name = FORMATS[description.format]
        if engine not in ("auto", name):
            continue
        try:
            _check_installed(name)
            check_exported(path, description)
            compute = LOADERS[name](path)
        except UserError as error:
            say(str(error))
            continue
        stamp = {**description.stamp, "file": description.sha256}
        return Network(paths.name, compute, run.records, run.config.threshold, description.locates, name, stamp, path)
    return None


def _suggest_export(paths: Paths, run: Run, given: Mapping[str, Any], checkpoint: str, engine: str) -> str:
    folders = ("checkpoints_dir", "results_dir")
    options = {
        "name": paths.name,
        "format": "onnx" if engine == "onnx" else SMALLEST.get(run.config.model, "litert_int8"),
        **({"checkpoint": checkpoint} if checkpoint else {}),
        **({"views": given["views"]} if "views" in given else {}),
        **{name: getattr(paths, name) for name in folders if getattr(paths, name) != getattr(Paths, name)},
    }
    return f"run `svhn export {shlex.join(f'--{name}={value}' for name, value in options.items())}`"


def _explain_lack(paths: Paths, step: int, engine: str, problems: list[str], remedy: str) -> str:
    if problems:
        return "; ".join(problems)
    other = "TensorFlow is not installed" if engine == "auto" else f"--engine={engine} reads exported files alone"
    return (
        f"no exported file of {paths.name} at step {step} with these options is in {paths.results}, and {other}: "
        f"{remedy} where TensorFlow is installed, or {suggest_extra('train')} and read with --engine=tensorflow"
    )


def _load_litert(path: Path) -> Compute:
    from ai_edge_litert.interpreter import Interpreter

    content = path.read_bytes()

    def make_interpreter() -> Compute:
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        runner = interpreter.get_signature_runner()
        return lambda images: runner(images=images)

    with silence_native_code(), _explain_load_errors(path):  # LiteRT prints which of its delegates computes
        return _share_among_threads(make_interpreter)


def _share_among_threads(make: Callable[[], Compute]) -> Compute:
    """A function that threads may call at once: each call takes an idle copy, which is made if there is none."""
    idle: queue.LifoQueue[Compute] = queue.LifoQueue()
    idle.put(make())

    def compute(images: np.ndarray) -> Outputs:
        try:
            copy = idle.get_nowait()
        except queue.Empty:
            copy = make()
        try:
            return copy(images)
        finally:
            idle.put(copy)

    return compute


def _load_onnx(path: Path) -> Compute:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # pictures are read side by side
    options.log_severity_level = 3  # errors
    with _explain_load_errors(path):
        session: Any = onnxruntime.InferenceSession(str(path), options)
    names = [output.name for output in session.get_outputs()]
    return lambda images: dict(zip(names, session.run(None, {"images": images}), strict=True))


@contextmanager
def _explain_load_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the engines' own types have no common base
        message = f"{path}: the engine can't load it ({shorten(error)}): export it again, or name another --engine"
        raise UserError(message) from error


LOADERS: dict[str, Callable[[Path], Compute]] = {"litert": _load_litert, "onnx": _load_onnx}


def _load_tensorflow(name: str, run: Run, step: int) -> Network:
    with silence_native_code():
        from svhn.runs.exported import make_stamp
        from svhn.runs.load import freeze_model, load_trained_model

    model = load_trained_model(run, step)
    network = wrap_tensorflow(name, run, freeze_model(model), "box" in model.output)
    return replace(network, stamp={**make_stamp(run, step), "mixed_precision": run.config.mixed_precision})


def wrap_tensorflow(name: str, run: Run, network: Any, locates: bool) -> Network:
    """A network that TensorFlow computes.

    Args:
        name: the run's.
        run: the run.
        network: the run's network, as `load.freeze_model` returns it.
        locates: whether the network is a finder.
    """
    import tensorflow as tf

    from svhn.evaluation.answers import make_answerer

    signature = tf.TensorSpec((None, *run.records.size, run.records.channels), tf.uint8)
    answer = tf.function(make_answerer(network, run), input_signature=[signature])
    process = os.getpid()

    def compute(images: np.ndarray) -> Outputs:
        if os.getpid() != process:  # TensorFlow would wait forever for its threads
            raise UserError(f"{name} was loaded before this process was forked: {FORKED}")
        return {output: value.numpy() for output, value in answer(tf.constant(images)).items()}

    return Network(name, compute, run.records, run.config.threshold, locates, "tensorflow")
