"""The files of a report: its page, and each picture of the page as a file of its own."""

from __future__ import annotations

from pathlib import Path

from svhn.reporting import sheets
from svhn.reporting.analysis import Findings
from svhn.reporting.html import Page, write_page
from svhn.runtime.files import atomic_write


def write_report_files(page: Page, findings: Findings, folder: Path, prefix: str, name: str) -> Path:
    """Write the page, which embeds all pictures, its charts, and two sheets of examples; returns the page's path.

    Args:
        page: the page.
        findings: what the sheets show: the samples and the worst errors.
        folder: folder of the files, which is made.
        prefix: how the names of all files start.
        name: how the page's name goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for chart in (chart for section in page.sections for chart in section.charts):
        with atomic_write(folder / f"{prefix}-{chart.name}.png") as file:
            file.write(chart.png)
    for sheet, shown in (("samples", findings.samples), ("errors", findings.worst)):
        if shown:
            sheets.write_sheet(folder / f"{prefix}-{sheet}.png", shown)
    return write_page(folder / f"{prefix}-{name}.html", page)
