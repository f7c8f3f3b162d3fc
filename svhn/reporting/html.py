"""The report as one self-contained HTML file: pictures are embedded, nothing is loaded, and there are no scripts."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from svhn.runtime.files import atomic_write

STYLE = """
:root { color-scheme: light dark; --ground: #f5f6f8; --card: #fff; --ink: #1c2430; --pale: #5d6878; --line: #d9dee6;
  --right: #146e28; --wrong: #be1414; --bars: #ebebeb; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14181e; --card: #1e242c; --ink: #e4e8ee; --pale: #9aa5b4; --line: #343d49;
    --right: #63c67b; --wrong: #ff7b72; --bars: #2b323c; }
  .chart.drawn img { filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 1.25rem 1rem 3rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 0.4rem; font-size: 1.2rem; }
h3 { margin: 0 0 0.4rem; font-size: 0.95rem; }
p { margin: 0.3rem 0 0.8rem; max-width: 46rem; color: var(--pale); }
.tiles, .charts, .cards { display: grid; gap: 0.75rem; }
.tiles { margin: 1.25rem 0; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
.cards + .charts { margin-top: 0.75rem; }
.charts { grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
.cards { gap: 0.5rem; grid-template-columns: repeat(auto-fill, minmax(6.4rem, 1fr)); }
.cards.large { grid-template-columns: repeat(auto-fill, minmax(10.4rem, 1fr)); }
.tile, .chart, .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.tile { padding: 0.6rem 0.9rem; }
.tile b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile span { color: var(--pale); font-size: 0.85rem; }
.chart { margin: 0; padding: 0.75rem; }
.chart img { display: block; width: 100%; height: auto; }
.chart.pixels img { width: auto; max-width: 100%; }
.card { margin: 0; padding: 3px; font-size: 0.82rem; line-height: 1.3; color: var(--right);
  font-variant-numeric: tabular-nums; }
.card.wrong { border: 2px solid var(--wrong); padding: 2px; color: var(--wrong); }
.card img { display: block; width: 100%; height: 72px; object-fit: contain; background: var(--bars);
  border-radius: 4px; }
.large .card img { height: 112px; }
.card span { display: block; padding: 0 3px; }
.card small { display: block; padding: 0 3px; color: var(--pale); font-size: 0.7rem; }
details { margin: 0.75rem 0; }
summary { cursor: pointer; color: var(--pale); }
.scroll { overflow-x: auto; }
table { margin: 0.5rem 0; border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums;
  overflow-wrap: normal; }
th, td { padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid var(--line); text-align: left; }
"""


class Tile(NamedTuple):
    """A figure in large print above its name."""

    value: str
    name: str


class Chart(NamedTuple):
    """A picture as wide as its column, which also becomes a file of its own.

    Args:
        name: part of the file's name.
        title: heading of the picture.
        png: content of a PNG file.
        drawn: a chart, whose colors are inverted on a dark screen; False for photos and feature maps.
    """

    name: str
    title: str
    png: bytes
    drawn: bool = True


class Card(NamedTuple):
    """A small picture (the content of a PNG file), lines of text and a remark below it; framed in red if `wrong`."""

    png: bytes
    lines: tuple[str, ...]
    remark: str = ""
    wrong: bool = False


class Table(NamedTuple):
    """A table of text that is folded under its title until a reader opens it."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Section(NamedTuple):
    """A part of the page, in this order: title, text, cards, charts, tables.

    `large` enlarges the cards. `folded` is the title under which the charts are hidden until a reader opens it; ""
    shows them.
    """

    title: str
    text: str = ""
    cards: Sequence[Card] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    large: bool = False
    folded: str = ""


class Page(NamedTuple):
    """The page, in this order: title, text, tiles, tables, sections."""

    title: str
    text: str
    tiles: Sequence[Tile]
    tables: Sequence[Table]
    sections: Sequence[Section]


def write_page(path: Path, page: Page) -> Path:
    """Write the page and return its path. Texts are escaped, so that names of files and runs can't act as markup."""
    with atomic_write(path, "w") as file:
        file.write(_render_page(page))
    return path


def _render_page(page: Page) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(page.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(page.title)}</h1>
{_render_paragraph(page.text)}
<div class="tiles">{"".join(map(_render_tile, page.tiles))}</div>
{"".join(map(_render_table, page.tables))}
</header>
<main>
{"".join(map(_render_section, page.sections))}
</main>
</body>
</html>
"""


def _render_section(content: Section) -> str:
    parts = [f"<h2>{escape(content.title)}</h2>", _render_paragraph(content.text)]
    if content.cards:
        size = "cards large" if content.large else "cards"
        parts.append(f'<div class="{size}">{"".join(map(_render_card, content.cards))}</div>')
    if content.charts:
        charts = f'<div class="charts">{"".join(map(_render_chart, content.charts))}</div>'
        parts.append(_fold(content.folded, charts) if content.folded else charts)
    return f"<section>{''.join([*parts, *map(_render_table, content.tables)])}</section>\n"


def _fold(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>\n"


def _render_paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _render_tile(content: Tile) -> str:
    return f'<div class="tile"><b>{escape(content.value)}</b><span>{escape(content.name)}</span></div>\n'


def _render_chart(content: Chart) -> str:
    kind = "drawn" if content.drawn else "pixels"
    title = escape(content.title)
    return f'<figure class="chart {kind}"><h3>{title}</h3>{_render_image(content.png, content.title)}</figure>\n'


def _render_card(content: Card) -> str:
    lines = "".join(f"<span>{escape(line)}</span>" for line in content.lines)
    remark = f"<small>{escape(content.remark)}</small>" if content.remark else ""
    kind = "card wrong" if content.wrong else "card"
    image = _render_image(content.png, f"picture, {', '.join(content.lines)}")
    return f'<figure class="{kind}">{image}{lines}{remark}</figure>\n'


def _render_image(png: bytes, description: str) -> str:
    encoded = base64.b64encode(png).decode("ascii")
    return f'<img alt="{escape(description)}" src="data:image/png;base64,{encoded}">'


def _render_table(content: Table) -> str:
    rows = "".join(f"<tr>{_render_cells(row, 'td')}</tr>\n" for row in content.rows)
    head = f"<thead><tr>{_render_cells(content.header, 'th')}</tr></thead>"
    return _fold(content.title, f'<div class="scroll"><table>{head}<tbody>{rows}</tbody></table></div>')


def _render_cells(texts: Sequence[str], element: str) -> str:
    return "".join(f"<{element}>{escape(text)}</{element}>" for text in texts)
