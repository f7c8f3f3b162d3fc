"""What more than one file of tests is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.wrangling import wrangled, write_sources


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """House numbers in Format 1, not to be changed."""
    return write_sources(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def undisturbed(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of all `sources`, made by one process, not to be changed."""
    folder = tmp_path_factory.mktemp("records")
    assert wrangled(sources, folder) == 0
    return folder
