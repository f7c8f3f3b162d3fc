"""Damaged files, read through the program's own ways in by processes that may crash or hang."""

from __future__ import annotations

import multiprocessing
import random
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.helpers.damaged_formats import FORMATS, Format
from benchmarks.helpers.outcomes import CLEAR, DEATH, HANG, RIGHT, SILENT, SILENT_CUT, TRACE
from svhn.runtime.shell import silence_native_code

LIMIT = 60.0  # seconds for one file; more is a hang
START = 600.0  # seconds for a process to import, to write sound files and to read them
BEGUN = "begun"  # what a process sends first

Change = Callable[[bytearray, random.Random], None]


def _flip_bit(content: bytearray, rng: random.Random) -> None:
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _set_byte(content: bytearray, rng: random.Random) -> None:
    content[rng.randrange(len(content))] = rng.randrange(256)


def _clear_run(content: bytearray, rng: random.Random) -> None:
    start, end = _choose_run(content, rng)
    content[start:end] = bytes(end - start)


def _cut_end(content: bytearray, rng: random.Random) -> None:
    del content[rng.randrange(len(content)) :]


def _remove_run(content: bytearray, rng: random.Random) -> None:
    start, end = _choose_run(content, rng)
    del content[start:end]


def _repeat_run(content: bytearray, rng: random.Random) -> None:
    start, end = _choose_run(content, rng)
    content[start:start] = content[start:end]


def _choose_run(content: bytearray, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(content))
    return start, min(len(content), start + rng.choice((1, 4, 64, 512)))


CHANGES: tuple[Change, ...] = (_flip_bit, _set_byte, _clear_run, _cut_end, _remove_run, _repeat_run)


def damage_content(content: bytes, seed: str) -> bytes:
    """The content with one change, another one for each seed; the same for the same seed."""
    rng, changed = random.Random(seed), bytearray(content)
    while changed == content:
        rng.choice(CHANGES)(changed, rng)
    return bytes(changed)


def judge(kind: Format, paths: list[Path], index: int, expected: object) -> tuple[str, str]:
    """Damage a file, read it, and mend it. Returns one of `outcomes.OUTCOMES`, and what was raised."""
    path = paths[index % len(paths)]
    content = path.read_bytes()
    damaged = damage_content(content, f"{kind.name} {index}")
    path.write_bytes(damaged)
    try:
        found = kind.read(path)
    except kind.errors as error:
        return CLEAR, str(error)
    except Exception as error:  # what the program would end in
        return TRACE, f"{type(error).__name__}: {error}"
    finally:
        path.write_bytes(content)
    silent = SILENT if len(damaged) == len(content) else SILENT_CUT
    return (RIGHT if found == expected[path] else silent), ""  # type: ignore[index]


def _work(name: str, indices: range, sender: Connection) -> None:
    """Send the outcome of each index. A process of its own calls this."""
    warnings.simplefilter("ignore")
    kind = FORMATS[name]
    with tempfile.TemporaryDirectory() as folder, silence_native_code():  # decoders print to stderr
        try:
            paths = kind.write(Path(folder))
            expected = {path: kind.read(path) for path in paths}
        except BaseException as error:
            sender.send((TRACE, str(error)))
            raise
        sender.send((BEGUN, ""))
        for index in indices:
            sender.send(judge(kind, paths, index, expected))


def try_damage(name: str, count: int, limit: float = LIMIT) -> tuple[Counter[str], list[str]]:
    """Damage files of a format so many times.

    Args:
        name: key of `FORMATS`.
        count: number of files.
        limit: seconds for one file.

    Returns:
        How often each of `outcomes.OUTCOMES` came, and a line for each trace, death and hang.
    """
    counts, lines, done = Counter[str](), [], 0
    while done < count:
        for outcome, detail in _follow(name, range(done, count), limit):
            counts[outcome] += 1
            if outcome in (TRACE, DEATH, HANG):
                lines.append(f"{name} {done}: {outcome} {detail[:200]}")
            done += 1
    counts[SILENT] += counts[SILENT_CUT]
    return counts, lines


def _follow(name: str, indices: range, limit: float) -> Iterator[tuple[str, str]]:
    """Outcomes of one process, up to its death or hang."""
    receiver, sender = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(name, indices, sender), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(START):
            raise SystemExit(f"{name}: in {START:.0f} seconds, no process began")
        outcome, reason = receiver.recv()
        if outcome != BEGUN:
            raise SystemExit(f"{name}: sound files can't be read: {reason}")
        for _ in indices:
            if not receiver.poll(limit):
                yield HANG, ""
                return
            yield receiver.recv()
    except EOFError:
        process.join()
        yield DEATH, f"exit code {process.exitcode}"
    finally:
        process.kill()
        process.join()
