"""Label Studio's JSON-MIN as tasks: a record for each annotation, with what each control of the page gave.

A record holds no ids, so a rectangle and its class are known as one region by their equal sides. Texts are those of the
control `transcription`, as the template for OCR calls it; they belong to the regions in order if there are as many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

TEXTS = "transcription"
PROBLEM = "problem of JSON-MIN"  # field of a task's annotation, which no export has
NOTES = ("ground_truth", "created_at", "updated_at")


def is_minimal(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an export is JSON-MIN."""
    return any("annotation_id" in record for record in records) and not any("annotations" in each for each in records)


def make_tasks(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The tasks of an export, each with the annotations of all who worked on it."""
    tasks: dict[str, dict[str, Any]] = {}
    for record in records:
        task = tasks.setdefault(repr(record.get("id")), {"id": record.get("id"), "data": record, "annotations": []})
        task["annotations"].append(_make_annotation(record))
    return list(tasks.values())


def _make_annotation(record: Mapping[str, Any]) -> dict[str, Any]:
    values = [
        value
        for field in record.values()
        if isinstance(field, list)
        for value in field
        if isinstance(value, dict) and ("x" in value or "points" in value)
    ]
    results = [_make_result(value) for value in values]
    keys = list(dict.fromkeys(result["id"] for result in results)) or ["picture"]
    texts = _list_texts(record.get(TEXTS))
    results += [{"id": key, "value": {"text": [text]}} for key, text in zip(keys, texts, strict=False)]
    found = f"{len(texts)} texts for {len(keys)} regions"
    unclear = f"{found}, and JSON-MIN does not tell which belong together: export as JSON"
    problem = unclear if texts and len(texts) != len(keys) else ""
    return {"result": results, PROBLEM: problem, **{name: record.get(name) for name in NOTES}}


def _make_result(value: Mapping[str, Any]) -> dict[str, Any]:
    sides = [value.get(name) for name in ("x", "y", "width", "height", "rotation", "points")]
    size = {name: value.get(name) for name in ("original_width", "original_height")}
    return {"id": repr(sides), "value": value, **size}


def _list_texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]
