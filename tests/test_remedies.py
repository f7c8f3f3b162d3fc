"""What messages propose: no remedy removes or replaces what the user owns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SVHN = Path(__file__).parents[1] / "svhn"
FILES = sorted(SVHN.rglob("*.py"))
HARM = re.compile(r"\b(delete|remove|erase|overwrite|rm|unlink)\b|\breplace (it|them|the|this|that)\b", re.IGNORECASE)
OWN_WORK = "--restart to remove that work"  # what an interrupted call of the program left, beside two other ways


def read_messages(path: Path) -> Iterator[str]:
    """The sentences of a file that can be printed: its strings, joined as Python joins them, but for docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | inner:
            yield node.value


def find_harm(path: Path) -> list[str]:
    return [text for text in read_messages(path) if " " in text and HARM.search(text.replace(OWN_WORK, ""))]


def test_no_message_tells_to_remove_what_the_user_owns() -> None:
    assert {path.name: found for path in FILES if (found := find_harm(path))} == {}


def test_a_message_that_does_is_found(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(
        '"""Delete."""\ndef f(x: str) -> str:\n    """Delete."""\n    return f"{x} is damaged: remove {x} " "first"\n'
    )
    assert find_harm(path) == ["… is damaged: remove … first"]
