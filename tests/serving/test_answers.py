"""The server's models against the one description of what `svhn read` writes."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
from support.stub_reader import SEVERAL

from svhn.labels import Reading, Refusal
from svhn.reading.outputs import make_row
from svhn.serving.answers import Document
from svhn.serving.app import EXAMPLE

SCHEMA = json.loads((Path(__file__).parents[2] / "svhn/reading/output.schema.json").read_text(encoding="utf-8"))
WORDS = ("title", "description", "default", "$defs")  # which change no answer


def resolve(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema without references, words and the order of its lists; a type or null is written as one list of types."""
    if isinstance(schema, list):
        return sorted((resolve(each, definitions) for each in schema), key=partial(json.dumps, sort_keys=True))
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return resolve({**definitions[schema["$ref"].rpartition("/")[2]], **rest}, definitions)
    schema = {key: value for key, value in schema.items() if key not in WORDS}
    if "properties" in schema:
        fields = {name: resolve(each, definitions) for name, each in schema["properties"].items()}
        return {**schema, "required": sorted(schema["required"]), "properties": fields}
    found = {key: resolve(value, definitions) for key, value in schema.items()}
    options = found.get("anyOf", [])
    if {"type": "null"} in options and len(options) == 2 and "properties" not in str(options):
        (other,) = (each for each in options if each != {"type": "null"})
        found = {**{key: value for key, value in found.items() if key != "anyOf"}, **other}
        found["type"] = sorted([other["type"], "null"])
    return found


def test_the_models_are_the_described_schema() -> None:
    ours = Document.model_json_schema(by_alias=True)
    assert resolve(ours, ours["$defs"]) == resolve(SCHEMA["$defs"]["document"], SCHEMA["$defs"])


def test_rows_of_all_kinds_are_valid_answers() -> None:
    readings = [Reading(SEVERAL, size=(60, 40)), Reading(error="damaged")]
    readings.append(Reading(refused=Refusal("2", 0.3, 0.5), size=(60, 40)))
    document = {"schema": EXAMPLE["schema"], "pictures": [make_row("a.png", each) for each in readings]}
    Document.model_validate(document)
    jsonschema.validate(document, SCHEMA)


def test_the_example_of_the_description_is_a_valid_answer() -> None:
    Document.model_validate(EXAMPLE)
    jsonschema.validate(EXAMPLE, SCHEMA)
