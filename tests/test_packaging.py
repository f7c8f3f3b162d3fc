"""setup.py, environment.yml and the README say the same, and the entry points are one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import svhn

ROOT = Path(__file__).parents[1]
REQUIREMENT = re.compile(r'"([a-z0-9-]+[>=]=[0-9.]+)[";]')
CONDA_REQUIREMENT = re.compile(r"^      - ([a-z0-9-]+[>=]=[0-9.]+)(?:;.*)?$", re.MULTILINE)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_conda_installs_what_setup_requires() -> None:
    required = REQUIREMENT.findall(text("setup.py"))
    assert len(required) > 8
    assert sorted(CONDA_REQUIREMENT.findall(text("environment.yml"))) == sorted(required)


def test_conda_allows_the_python_that_setup_requires() -> None:
    lowest = re.findall(r'python_requires=">=([0-9.]+)"', text("setup.py"))
    assert re.findall(r"- python>=([0-9.]+)", text("environment.yml")) == lowest


def test_version_reaches_the_metadata() -> None:
    command = [sys.executable, "setup.py", "--quiet", "--version"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.split()[-1] == svhn.__version__


@pytest.mark.slow
def test_the_released_run_is_built_into_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "--quiet", "build_py", f"--build-lib={tmp_path}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for part in ("released", "examples"):
        built, source = (files_below(folder / "svhn" / part) for folder in (tmp_path, ROOT))
        assert built == source
    assert {"README.md", "config.json", "best.json", "finder/best.json"} < files_below(tmp_path / "svhn/released")


def test_the_type_marker_and_the_schema_are_built_into_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "--quiet", "build_py", f"--build-lib={tmp_path}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for name in ("py.typed", "reading/output.schema.json"):
        assert (tmp_path / "svhn" / name).exists()


def test_no_text_installs_a_package_of_the_same_name_from_a_registry() -> None:
    texts = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *(ROOT / "svhn").rglob("*.py"),
        *(ROOT / "svhn").rglob("*.md"),
    ]
    assert [str(path) for path in texts if re.search(r"pip install '?svhn\b", path.read_text(encoding="utf-8"))] == []


def test_what_the_package_exports_is_there_without_tensorflow() -> None:
    names = "import sys, svhn; svhn.Number, svhn.Reading; assert 'tensorflow' not in sys.modules"
    program = f"{names}; svhn.Reader; print(svhn.__all__)"
    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "['Number', 'Reader', 'Reading', '__version__']"


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_license_is_apache() -> None:
    assert "Apache License" in text("LICENSE")[:200]
    assert 'license="Apache-2.0"' in text("setup.py")


def test_readme_names_the_two_commands_early() -> None:
    first = text("README.md").splitlines()[:24]
    assert any(line.startswith("make demo") for line in first)
    assert any(line.startswith("make test") for line in first)


def test_all_three_entry_points_are_one_program() -> None:
    main, module = (
        subprocess.run([sys.executable, *words, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
        for words in (["main.py"], ["-m", "svhn"])
    )
    assert main.stdout == module.stdout
    assert "train" in main.stdout
    assert "svhn = svhn.__main__:main" in text("setup.py")
