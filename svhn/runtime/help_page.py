"""A page of `--help`: a command's flags under their headings, with their defaults."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from absl import flags

LINE_WIDTH = 118
LABEL_WIDTH = 22  # of the column of flag names


@dataclass(frozen=True)
class Page:
    """A page of `--help`.

    Args:
        usage: how the command is typed.
        summary: what the command does.
        groups: flags by heading, in the order of the page.
        rare: flags that only `--help=all` lists.
        note: lines below the flags.
        aliases: other names of flags, to the names in `groups`.
        list_choices: `(flag)` to what follows the flag's help; called only when the page is shown.
    """

    usage: str
    summary: str
    groups: Mapping[str, Sequence[str]]
    rare: Collection[str] = ()
    note: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    list_choices: Callable[[str], str] = lambda _: ""


def format_page(values: flags.FlagValues, page: Page, complete: bool) -> str:
    """The text of a help page; `complete` lists rare flags too."""
    parts = [page.usage, page.summary]
    for title, names in page.groups.items():
        shown = [name for name in names if complete or name not in page.rare]
        lines = [_format_flag(values, page, name) for name in shown]
        parts += ["\n".join([f"{title}:", *lines])] if lines else []
    if page.rare and not complete:
        parts.append(f"--help=all lists {len(page.rare)} rare flags more.")
    return "\n\n".join([*parts, *([page.note] if page.note else [])])


def _format_flag(values: flags.FlagValues, page: Page, name: str) -> str:
    flag = values[name]
    aliases = [alias for alias, stands_for in page.aliases.items() if stands_for == name]
    label = ", ".join(f"--{'[no]' if flag.boolean else ''}{each}" for each in (*aliases, name))
    default = f" ({_format_default(flag.default)})" if flag.default not in (None, "", []) else ""
    text = f"{flag.help}{page.list_choices(name)}{default}"
    start = f"  {label:<{LABEL_WIDTH}} "
    lines = textwrap.wrap(text, LINE_WIDTH - len(start), break_long_words=False, break_on_hyphens=False)
    return start + ("\n" + " " * len(start)).join(lines)


def _format_default(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
