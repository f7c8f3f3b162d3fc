"""Tables of readings, written row by row: CSV, JSON, JSON Lines and Parquet. See docs/output.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from svhn.errors import UserError, shorten, suggest_extra
from svhn.reading.outputs import CSV_COLUMNS, SCHEMA, Row, format_csv_row, format_json_row
from svhn.runtime.files import atomic_write, make_ending

ROWS_PER_GROUP = 1000  # of a Parquet file; as many are in memory


class TextFormat(NamedTuple):
    """A text file of rows: how it starts, how a row is written, what stands between two rows, and how it ends."""

    start: str
    format_row: Callable[[Row], str]
    separator: str
    end: str


TEXT_FORMATS = {
    ".csv": TextFormat(",".join(CSV_COLUMNS) + "\n", format_csv_row, "", ""),
    ".json": TextFormat(f'{{"schema": {SCHEMA}, "pictures": [\n', format_json_row, ",\n", "\n]}\n"),
    ".jsonl": TextFormat("", format_json_row, "\n", "\n"),
}
PARQUET = ".parquet"
ENDINGS = (*TEXT_FORMATS, PARQUET)


def check_output(output: str) -> None:
    """Check the name of a table before any picture is read; "" stands for no table.

    Raises:
        UserError: no format has the name's ending, or a package for the format is missing.
    """
    path = Path(output)
    if not output:
        return
    if path.suffix.lower() not in ENDINGS:
        raise UserError(
            f"--output={shorten(output)}: expected a name that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, "
            f"or a folder, as {output}/"
        )
    if path.suffix.lower() == PARQUET and not find_spec("pyarrow"):
        raise UserError(f"--output={output}: Parquet needs the package pyarrow: {suggest_extra('parquet')}")


class Table(Protocol):
    """A table that is being written. `rows` counts the rows that it would hold if it were finished now."""

    rows: int

    def write(self, row: Row) -> None: ...

    def finish(self) -> None: ...


@contextmanager
def open_table(path: Path) -> Iterator[Callable[[Row], None]]:
    """A function that adds a row to a table. The table takes its name at the end, and its folder is made.

    If an exception ends the work, Ctrl-C for example, the table holds the rows so far. Without any row, and on an error
    in writing, an earlier table stays.

    Args:
        path: a name with one of `ENDINGS`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stopped: BaseException | None = None
    with atomic_write(path, ending=make_ending()) as file:  # two processes may write one table
        table = _make_table(path, file)
        try:
            yield table.write
        except BaseException as error:
            if not table.rows:
                raise
            stopped = error
        table.finish()
    if stopped:
        raise stopped


def _make_table(path: Path, file: IO[bytes]) -> Table:
    ending = path.suffix.lower()
    return _ParquetTable(file) if ending == PARQUET else _TextTable(file, TEXT_FORMATS[ending])


class _TextTable:
    def __init__(self, file: IO[bytes], form: TextFormat) -> None:
        self.rows, self._file, self._form, self._size = 0, file, form, 0
        self._append(form.start)

    def write(self, row: Row) -> None:
        text = self._form.format_row(row)
        self._append(self._form.separator + text if self.rows else text)
        self.rows += 1

    def _append(self, text: str) -> None:
        data = text.encode()
        self._file.write(data)
        self._size += len(data)

    def finish(self) -> None:
        self._file.seek(self._size)  # an exception may have cut the last row in two
        self._file.truncate()
        self._append(self._form.end)


class _ParquetTable:
    def __init__(self, file: IO[bytes]) -> None:
        self.rows, self._file, self._waiting, self._writer = 0, file, list[Row](), None

    def write(self, row: Row) -> None:
        self._waiting.append(row)
        self.rows += 1
        if len(self._waiting) == ROWS_PER_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        schema = _make_arrow_schema()
        rows, self.rows = self.rows, 0  # after an error in writing, the file can't be finished
        self._writer = self._writer or parquet.ParquetWriter(self._file, schema)
        self._writer.write_batch(pa.RecordBatch.from_pylist(self._waiting, schema))
        self._waiting.clear()
        self.rows = rows

    def finish(self) -> None:
        if self._waiting:
            self._write_group()
        if self._writer:
            self._writer.close()


def _make_arrow_schema() -> Any:
    import pyarrow as pa

    digit = pa.struct({"text": pa.string(), "confidence": pa.float64()})
    point = pa.list_(pa.float64())
    times, places = ("first", "last", "best"), ("order", "frames", "first_frame", "last_frame", "best_frame")
    seen = pa.struct(dict.fromkeys(places, pa.int64()) | dict.fromkeys(times, pa.float64()))
    place = {"box": pa.list_(pa.float64()), "corners": pa.list_(point)}
    answer = {"text": pa.string(), "truncated": pa.bool_(), "confidence": pa.float64()}
    number = {**answer, **place, "digits": pa.list_(digit), "seen": seen}
    refusal = {"text": pa.string(), "confidence": pa.float64(), "needed": pa.float64()}
    columns = {"schema": pa.int32(), "file": pa.string(), "width": pa.int32(), "height": pa.int32()}
    nested = {"numbers": pa.list_(pa.struct(number)), "refused": pa.struct(refusal), "error": pa.string()}
    return pa.schema(columns | nested)
