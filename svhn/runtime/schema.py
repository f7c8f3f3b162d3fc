"""JSON files of this package, read through one checked schema: the types of dataclasses and named tuples.

A file may be damaged where its syntax still holds, and released runs are given away by strangers. So each value is
checked before it is used. A dataclass limits the numbers in a field by the field's metadata: `least`, `most` and
`choices`.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import sys
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from svhn.errors import quote

T = TypeVar("T")

NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "an object"}
LARGEST = {int: 2**63 - 1, float: sys.float_info.max}  # NumPy and TensorFlow take whole numbers as int64
NO_LIMITS: Mapping[str, Any] = MappingProxyType({})


def read_json(path: Path, kind: type[T], newest: int = 0, oldest: int = 1) -> T:
    """The content of a JSON file, checked.

    Args:
        path: the file.
        kind: as `check_value` takes it.
        newest, oldest: numbers of the layouts that this version reads, in the field `schema`; a file without the field
            is of layout 1. A `newest` of 0 stands for a file whose layout has no number.

    Raises:
        OSError: the file can't be read.
        ValueError: the file is not JSON in UTF-8, is of another layout, or as `check_value`.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("its brackets are nested too deeply") from error
    if newest:
        _check_schema(content, newest, oldest)
    return check_value(content, kind)


def _check_schema(content: object, newest: int, oldest: int) -> None:
    schema = check_value(content, dict[str, Any]).get("schema", 1)
    if type(schema) is not int or not oldest <= schema <= newest:
        readable = f"up to {newest}" if oldest < newest else str(newest)
        raise ValueError(f"its schema is {quote(schema)}, and this version reads {readable}")


def check_value(value: object, kind: type[T], place: str = "") -> T:
    """A value of a JSON file as a value of a type.

    Args:
        value: the value, as `json` returns it.
        kind: a dataclass, a named tuple, a type of JSON, or a list, mapping, tuple or optional of these.
        place: the value's place in the file, for the message; "" for the whole file.

    Raises:
        ValueError: the value has another type or is out of range, or a field is missing or unknown. The message names
            the place, the value and what was expected.
    """
    return _convert_value(value, kind, place, NO_LIMITS)


def _convert_value(value: Any, kind: Any, place: str, limits: Mapping[str, Any]) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        options = [each for each in inner if each is not NoneType]
        return None if value is None else _convert_value(value, options[0], place, limits)
    if origin in (dict, Mapping):
        fields = _check_plain(value, dict, place, NO_LIMITS)
        return {name: _convert_value(each, inner[1], _join(place, name), limits) for name, each in fields.items()}
    if origin in (list, tuple):
        return _convert_list(value, origin, inner, place, limits)
    if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
        return _make_record(value, kind, place)
    return _check_plain(value, kind, place, limits)


def _convert_list(value: Any, origin: type, kinds: tuple[Any, ...], place: str, limits: Mapping[str, Any]) -> Any:
    if not isinstance(value, list | tuple):
        raise _make_error(place, value, "a list")
    if origin is list or kinds[1:] == (...,):
        kinds = kinds[:1] * len(value)
    if len(value) != len(kinds):
        raise _make_error(place, value, f"{len(kinds)} values")
    pairs = enumerate(zip(value, kinds, strict=True))
    return origin(_convert_value(each, kind, f"{place}[{index}]", limits) for index, (each, kind) in pairs)


class _Form(NamedTuple):
    """The fields of a dataclass or a named tuple: their types, those without a default, and the limits of numbers."""

    types: Mapping[str, Any]
    required: Collection[str]
    limits: Mapping[str, Mapping[str, Any]]


@cache
def _describe_fields(kind: Any) -> _Form:
    types, parameters = get_type_hints(kind), inspect.signature(kind).parameters
    required = [name for name, parameter in parameters.items() if parameter.default is parameter.empty]
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return _Form({name: types[name] for name in parameters}, required, {field.name: field.metadata for field in fields})


def _make_record(value: Any, kind: Any, place: str) -> Any:
    """A dataclass or a named tuple from its fields."""
    fields, form = _check_plain(value, dict, place, NO_LIMITS), _describe_fields(kind)
    for name in form.required:
        if name not in fields:
            raise ValueError(f"{_join(place, name)} is missing")
    for name in fields:
        if name not in form.types:
            raise ValueError(f"{_join(place, name)} is unknown, expected {', '.join(form.types)}")
    return kind(
        **{
            name: _convert_value(each, form.types[name], _join(place, name), form.limits.get(name, NO_LIMITS))
            for name, each in fields.items()
        }
    )


def _check_plain(value: Any, kind: Any, place: str, limits: Mapping[str, Any]) -> Any:
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise _make_error(place, value, NAMES[kind])
    choices = limits.get("choices")
    if choices and value not in choices:
        raise _make_error(place, value, f"one of {', '.join(map(quote, choices))}")
    if kind in LARGEST:
        _check_range(value, kind, place, limits)
    return value


def _check_range(value: Any, kind: Any, place: str, limits: Mapping[str, Any]) -> None:
    least, most = limits.get("least", -math.inf), limits.get("most", math.inf)
    if not max(least, -LARGEST[kind]) <= value <= min(most, LARGEST[kind]):  # also False for "not a number"
        bounds = [f"at least {least}"] * math.isfinite(least) + [f"at most {most}"] * math.isfinite(most)
        raise _make_error(place, value, " of ".join([NAMES[kind], " and ".join(bounds) or "usual size"]))


def _make_error(place: str, value: object, expected: str) -> ValueError:
    return ValueError(f"{place or 'it'} is {quote(value)}, expected {expected}")


def _join(place: str, name: str) -> str:
    shown = name if name.isidentifier() and len(name) < 40 else quote(name)
    return f"{place}.{shown}" if place else shown
