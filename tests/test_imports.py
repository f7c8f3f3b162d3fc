"""What may import what: rooms stand in rows, and a file imports only from rooms in rows above its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [  # a folder is one room; what its files import from one another is its own affair
    ["errors", "spec", "threads"],
    ["config", "confidence", "labels", "images", "runtime"],
    ["records", "datasets", "run"],
    ["download", "wrangle", "pipeline"],
    ["models"],
    ["runs"],
    ["evaluation"],
    ["training", "reading", "reporting", "publishing"],
    ["serving"],
    ["cli"],
    ["__init__", "__main__"],
]
COMMANDS = [  # which read flags
    "cli",
    "download/__main__.py",
    "wrangle/__main__.py",
    "runtime/command_line.py",
    "runtime/help_page.py",
]
HEAVY_ROOMS = ["datasets", "evaluation", "models", "pipeline", "runs"]  # that reading imports in functions alone
READING = [  # the files of reading a photo; svhn.cli is the program
    "svhn.cli.flags",
    "svhn.cli.reading_commands",
    *(f"svhn.reading.{path.stem}" for path in sorted((ROOT / "svhn/reading").glob("*.py"))),
]
LIGHT = "import svhn.datasets, svhn.download.__main__, svhn.images, svhn.wrangle.__main__, svhn.wrangle.crop"
FILES = sorted((ROOT / "svhn").rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT / "svhn").with_suffix("").parts[0]


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those of imports for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")):
            yield node
            yield from nodes(node)


def imports(path: Path) -> set[str]:
    """Dotted names of all that a file imports: of `from a import b`, `a.b`."""
    names: set[str] = set()
    for node in nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def top_level_imports(path: Path) -> set[str]:
    """Dotted names of what is imported when the file is."""
    statements = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return {
        f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        for node in statements
        for alias in node.names
    }


def test_every_room_stands_in_one_row() -> None:
    assert sorted(name for row in ROWS for name in row) == sorted({room(path) for path in FILES})


def test_imports_only_point_to_rows_above() -> None:
    row_of = {name: index for index, row in enumerate(ROWS) for name in row}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in FILES
        for name in sorted(imports(path))
        if name.startswith("svhn.")
        for imported in [name.split(".")[1] if name.split(".")[1] in row_of else "__init__"]
        if imported != room(path) and row_of[imported] >= row_of[room(path)]
    ]
    assert wrong == []


def test_reading_imports_heavy_rooms_in_functions_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "svhn/reading").glob("*.py"))
        for name in sorted(top_level_imports(path))
        if name.split(".")[0] in ("tensorflow", "keras") or name.startswith(tuple(f"svhn.{r}" for r in HEAVY_ROOMS))
    ]
    assert wrong == []


def test_reading_needs_nothing_that_is_linuxs_alone() -> None:
    check = f"""import os, sys
sys.modules.update(fcntl=None, resource=None)
del os.fork, os.sched_getaffinity
import importlib
for name in {READING}:
    importlib.import_module(name)
assert not {{"tensorflow", "keras", "h5py"}} & sys.modules.keys()"""
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)


def test_only_commands_read_flags() -> None:
    commands = [ROOT / "svhn" / name for name in COMMANDS]
    reading = [path for path in FILES if any(name.split(".")[0] == "absl" for name in imports(path))]
    assert [path for path in reading if not any(path.is_relative_to(command) for command in commands)] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["guess"],
        ["train", "--learning_rate=1"],
        ["train", "--records_dir=nowhere"],
        ["valid", "--name=nothing"],
        ["read", "nowhere.jpg"],
        ["read", "nowhere.csv"],
        ["read", "test.csv", "--name=nothing"],
        ["export", "--name=nothing"],
    ],
)
def test_help_and_mistakes_load_no_tensorflow(arguments: list[str]) -> None:
    check = f"""import sys
from svhn.cli import flags
from svhn.runtime import shell
code = shell.run_main(flags.main, ["svhn", *{arguments}])
assert not {{"tensorflow", "keras"}} & sys.modules.keys(), code"""
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT, capture_output=True)


def test_downloading_and_wrangling_load_no_tensorflow() -> None:
    check = f"""{LIGHT}, sys
specs = list(svhn.datasets.DATASETS.values())
assert specs and not {{"tensorflow", "keras"}} & sys.modules.keys()"""
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)


def test_reading_a_picture_imports_no_data_set() -> None:
    """Importing the data sets takes longer than reading a picture."""
    check = """import sys, svhn
assert svhn.Reader.load().read("svhn/examples/208.jpg")[0].text == "208"
assert not [name for name in sys.modules if name.startswith("svhn.datasets.")]"""
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)
