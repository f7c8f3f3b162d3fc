"""The documents' links lead somewhere, the paths they name exist, and the architecture names every room in its row."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest
from test_imports import ROWS

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("svhn/released/**/*.md")]
)
LINK = re.compile(r"\]\((?!http)([^)#\s]*)(?:#([^)\s]+))?\)")
CODE_PATH = re.compile(r"`((?:svhn|tests|benchmarks|docs)/[\w./-]+)`")
ROOM_ROW = re.compile(r"^\| (\d+) \| (.+?) \|", re.MULTILINE)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def list_anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", read(page), flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(read(page)):
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in list_anchors(path)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_paths_of_the_code_exist(page: Path) -> None:
    assert [path for path in CODE_PATH.findall(read(page)) if not (ROOT / path).exists()] == []


def test_modules_that_are_run_exist() -> None:
    modules = {module for page in PAGES for module in re.findall(r"python -m ((?:svhn|benchmarks)[\w.]*)", read(page))}
    folders = [ROOT / module.rstrip(".").replace(".", "/") for module in modules]
    assert len(folders) > 8
    assert [folder for folder in folders if not folder.with_suffix(".py").exists() and not folder.is_dir()] == []


def test_the_architecture_names_every_room_in_its_row() -> None:
    named = [
        (int(row), re.findall(r"`svhn/(\w+)(?:\.py|/)`", rooms))
        for row, rooms in ROOM_ROW.findall(read(ROOT / "docs/architecture.md"))
    ]
    rows = [
        sorted(room for _, rooms in group for room in rooms) for _, group in groupby(named, key=lambda pair: pair[0])
    ]
    assert rows == [sorted(row) for row in ROWS]


def test_the_readme_is_short() -> None:
    assert len(read(ROOT / "README.md").splitlines()) <= 180


def test_the_contributors_page_names_each_contract() -> None:
    page = read(ROOT / "CONTRIBUTING.md")
    for name in ("DATASETS", "MODELS", "make test", "CHANGELOG.md"):
        assert name in page
