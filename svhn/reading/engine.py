"""Networks as functions of images, whichever engine computes them: LiteRT, onnxruntime or TensorFlow.

Each engine is imported where it is used: no installation needs all of them, and TensorFlow's import takes seconds.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from svhn.config import Paths
from svhn.errors import Say, UserError, suggest_extra
from svhn.runtime.shell import silence_native_code
from svhn.spec import Info

if TYPE_CHECKING:
    from svhn.run import Run

PACKAGES = {"litert": "ai_edge_litert", "onnx": "onnxruntime", "tensorflow": "tensorflow"}  # that the engines are in
ENGINES = ("auto", *PACKAGES)
FORMATS = {"litert_int8": "litert", "litert": "litert", "onnx": "onnx"}  # engines by format of the exported file

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
        threshold: least probability, 0 to 1, at which a finder's picture has a number.
        locates: whether the network is a finder.
        engine: key of `PACKAGES`.
        stamp: what the answers depend on besides, in values that JSON can hold.
    """

    name: str
    compute: Compute
    records: Info
    threshold: float
    locates: bool
    engine: str
    stamp: Mapping[str, Any] = field(default_factory=dict)


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
    from svhn.runs.exported import find_exported
    from svhn.runs.steps import resolve_step
    from svhn.runs.stored import open_run, read_run_info

    run = open_run(paths.run_folder, given, read_run_info(paths.run_folder), "score")
    step = resolve_step(run.folder, checkpoint)
    for path, description in find_exported(run, step, paths.results) if engine != "tensorflow" else ():
        name = FORMATS[description.format]
        if engine in ("auto", name) and find_spec(PACKAGES[name]):
            compute = LOADERS[name](path)
            stamp = {**description.stamp, "file": description.sha256}
            return Network(paths.name, compute, run.records, run.config.threshold, description.locates, name, stamp)
    if engine not in ("auto", "tensorflow") or not find_spec("tensorflow"):
        raise _make_engine_error(paths, step, engine)
    if engine == "auto":
        say(f"{paths.name} is read with TensorFlow: for a faster start, {_suggest_export(paths)}")
    return _load_tensorflow(paths.name, run, step)


def _suggest_export(paths: Paths) -> str:
    options = "".join(
        f" --{name}={getattr(paths, name)}"
        for name in ("checkpoints_dir", "results_dir")
        if getattr(paths, name) != getattr(Paths, name)
    )
    return f"run `python main.py export --name={paths.name} --format=litert_int8{options}`"


def _make_engine_error(paths: Paths, step: int, engine: str) -> UserError:
    package = PACKAGES.get(engine, "tensorflow")
    if engine == "tensorflow" or (engine != "auto" and not find_spec(package)):
        extra = {"tensorflow": "train", "onnx": "export"}.get(engine, "")
        remedy = suggest_extra(extra) if extra else f"run pip install {package.replace('_', '-')}"
        return UserError(f"--engine={engine} needs {package}, which is not installed: {remedy}")
    return UserError(
        f"no exported file of {paths.name} at step {step} with these options is in {paths.results}, and "
        f"{'TensorFlow is not installed' if engine == 'auto' else f'--engine={engine} reads exported files alone'}: "
        f"{_suggest_export(paths)} where TensorFlow is installed, or {suggest_extra('train')}"
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
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise UserError(
            f"{path}: the engine can't load it ({reason}): export it again, or name another --engine"
        ) from error


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

    def compute(images: np.ndarray) -> Outputs:
        return {output: value.numpy() for output, value in answer(tf.constant(images)).items()}

    return Network(name, compute, run.records, run.config.threshold, locates, "tensorflow")
