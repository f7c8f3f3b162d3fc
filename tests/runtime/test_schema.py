"""JSON files are checked value for value, and a message names the place of the first wrong one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from svhn.runtime.schema import check_value, read_json


@dataclass(frozen=True)
class Shelf:
    name: str
    size: tuple[int, int] = field(metadata={"least": 1, "most": 99})
    share: float = 0.5
    full: bool = False
    kind: str = field(default="oak", metadata={"choices": ("oak", "ash")})
    counts: Mapping[str, list[int]] = field(default_factory=dict, metadata={"least": 0})
    note: str | None = None


class Box(NamedTuple):
    rows: list[tuple[str, int]]
    schema: int = 1


GOOD: dict[str, Any] = {"name": "a", "size": [3, 4], "share": 1, "counts": {"x": [0, 2]}}


def test_a_whole_file_becomes_its_dataclass(tmp_path: Path) -> None:
    path = tmp_path / "shelf.json"
    path.write_text(json.dumps(GOOD))
    assert read_json(path, Shelf) == Shelf("a", (3, 4), 1, counts={"x": [0, 2]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 3}, "name is 3, expected a text"),
        ({"size": 3}, "size is 3, expected a list"),
        ({"size": [3]}, "size is [3], expected 2 values"),
        ({"size": [3, 4.0]}, "size[1] is 4.0, expected a whole number"),
        ({"size": [True, 4]}, "size[0] is True, expected a whole number"),
        ({"size": [0, 4]}, "size[0] is 0, expected a whole number of at least 1 and at most 99"),
        ({"share": "0.5"}, "share is '0.5', expected a number"),
        ({"share": float("nan")}, "share is nan, expected a number"),
        ({"full": 1}, "full is 1, expected true or false"),
        ({"kind": "elm"}, "kind is 'elm', expected one of 'oak', 'ash'"),
        ({"counts": []}, "counts is [], expected an object"),
        ({"counts": {"x": [-1]}}, "counts.x[0] is -1, expected a whole number of at least 0"),
        ({"counts": {"a b": None}}, "counts.'a b' is None, expected a list"),
        ({"note": 1}, "note is 1, expected a text"),
        ({"color": 1}, "color is unknown, expected name, size, "),
        ({"name": None}, "name is None, expected a text"),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match="expected") as error:
        check_value({**GOOD, **changes}, Shelf)
    assert str(error.value).startswith(message)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ValueError, match=r"^shelf\.size is missing$"):
        check_value({"name": "a"}, Shelf, "shelf")


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"rows": ' + "9" * 5000 + "}", "\ud800", "[]", "7", "null"])
def test_what_is_no_such_file_is_a_value_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "box.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=r".") as error:
        read_json(path, Box)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(("schema", "readable"), [(3, "up to 2"), (0, "up to 2"), (True, "up to 2"), ("1", "up to 2")])
def test_another_layout_is_named_before_its_fields(tmp_path: Path, schema: object, readable: str) -> None:
    path = tmp_path / "box.json"
    path.write_text(json.dumps({"schema": schema, "columns": []}))
    with pytest.raises(ValueError, match=f"its schema is {schema!r}, and this version reads {readable}"):
        read_json(path, Box, newest=2)
