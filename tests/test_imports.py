"""What may import what: a row imports only rows above it, nothing sideways."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [  # a package counts as one; what its files import from one another is its own affair
    ["__init__", "config", "spec", "calibration"],
    ["labels"],
    [
        "sources",
        "matfile",
        "boxes",
        "pictures",
        "distribute",
        "shell",
        "cropping",
        "processes",
        "summaries",
        "charts",
    ],
    ["placing", "cells", "segmentation"],
    ["files", "models", "optimizers", "pixelcsv", "precision", "metrics", "losses"],
    ["records", "report", "figures", "page", "datasets", "augment"],
    ["pipeline", "checkpoints", "conversion", "integrity", "analysis", "contents", "search", "check", "formats"],
    ["views", "runs"],
    ["evaluate"],
    ["state", "teacher", "predict", "photos", "release", "run_report", "demo"],
    ["transfer", "export"],
    ["train", "lr_finder", "download", "wrangle"],
    ["compare"],
    ["session"],
    ["modes"],
    ["cli"],
    ["__main__"],
]
LATE = {
    "wrangle",
    "__main__",
    "__init__",
}  # import within functions what other processes, or a mere --help, shouldn't wait for
COMMANDS = {"cli", "download", "wrangle", "shell"}
LIGHT = {
    "config",
    "spec",
    "labels",
    "files",
    "sources",
    "matfile",
    "pixelcsv",
    "cropping",
    "check",
    "pictures",
    "processes",
    "shell",
    "download",
    "datasets",
}

FILES = sorted((ROOT / "svhn").rglob("*.py"))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def part(path: Path) -> str:
    """The module that a file is, or the package that it belongs to."""
    return path.relative_to(ROOT / "svhn").with_suffix("").parts[0]


def nodes(tree: ast.AST, within_functions: bool) -> Iterator[ast.AST]:
    """All that is run; what is only there for type checkers left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not within_functions:
            continue
        yield node
        yield from nodes(node, within_functions)


def imports(path: Path, within_functions: bool = True) -> set[str]:
    """Dotted names of all that a file imports: of `from a import b`, `a.b`."""
    names: set[str] = set()
    for node in nodes(ast.parse(path.read_text(encoding="utf-8")), within_functions):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def test_every_file_is_in_one_row() -> None:
    listed = [module for row in ROWS for module in row]
    assert sorted(listed) == sorted({part(path) for path in FILES})


@every_file
def test_a_file_imports_only_from_rows_above(path: Path) -> None:
    own = part(path)
    row = next(index for index, modules in enumerate(ROWS) if own in modules)
    above = {module for modules in ROWS[:row] for module in modules}
    names = (name.split(".") for name in imports(path, within_functions=own not in LATE))
    imported = {words[1] if words[1:] else "__init__" for words in names if words[0] == "svhn"} - {own}
    assert imported <= above


@every_file
def test_only_commands_read_flags(path: Path) -> None:
    assert part(path) in COMMANDS or not any(name.split(".")[0] == "absl" for name in imports(path))


@every_file
def test_what_needs_no_tensorflow_does_not_wait_for_it(path: Path) -> None:
    heavy = {name for name in imports(path, within_functions=False) if name.split(".")[0] in ("tensorflow", "keras")}
    assert part(path) not in LIGHT or not heavy


@pytest.mark.parametrize("module", ["cropping", "datasets", "download", "wrangle"])
def test_importing_it_loads_no_tensorflow(module: str) -> None:
    check = f"import svhn.{module}, sys; assert not {{'tensorflow', 'keras'}} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)
