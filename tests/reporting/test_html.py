"""The page holds all that it shows, and shows texts as they are written."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svhn.reporting import sheets
from svhn.reporting.html import Card, Chart, Page, Section, Table, Tile, write_page

NASTY = "<script>alert('x')</script> & \"é\" <img src=http://a.b/c>"
PNG = sheets.encode_png(sheets.to_rgb_image(np.arange(60, dtype=np.uint8).reshape(4, 5, 3)))
VOID = {"meta", "link", "img", "br"}


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text; holds that elements are closed in their order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def images(self) -> list[bytes]:
        sources = [attributes["src"] or "" for tag, attributes in self.tags if tag == "img"]
        assert all(source.startswith("data:image/png;base64,") for source in sources)
        return [base64.b64decode(source.partition(",")[2], validate=True) for source in sources]


def nasty_page() -> Page:
    table = Table(NASTY, (NASTY, "b"), [(NASTY, "2"), ("3", "4")])
    section = Section(NASTY, NASTY, [Card(PNG, (NASTY,), NASTY, wrong=True)], [Chart("c", NASTY, PNG)], [table])
    return Page(NASTY, NASTY, [Tile(NASTY, NASTY)], [table], [section, Section("empty")])


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(write_page(tmp_path / "page.html", nasty_page()).read_text(encoding="utf-8"))


def test_the_page_asks_for_nothing(reader: Reader) -> None:
    assert {tag for tag, _ in reader.tags}.isdisjoint({"script", "iframe", "object", "base", "form"})
    addresses = [value for _, attributes in reader.tags for key in ("src", "href") if (value := attributes.get(key))]
    assert all(address.startswith("data:") for address in addresses)
    style = reader.text[: reader.text.index("empty")]
    assert not any(word in style for word in ("url(", "@import"))


def test_images_are_within_it(reader: Reader) -> None:
    images = reader.images()
    assert images == [PNG, PNG]
    with Image.open(io.BytesIO(images[0])) as image:
        assert (image.format, image.size) == ("PNG", (5, 4))


def test_texts_are_shown_as_they_are_written(reader: Reader) -> None:
    tags = [tag for tag, _ in reader.tags]
    assert tags.count("img") == 2
    assert reader.text.count(NASTY) == 16
    descriptions = [attributes["alt"] for tag, attributes in reader.tags if tag == "img"]
    assert descriptions == [f"picture, {NASTY}", NASTY]


def test_what_is_wrong_is_framed(tmp_path: Path) -> None:
    cards = [Card(PNG, ("1",)), Card(PNG, ("2",), wrong=True)]
    page = Page("a", "", [], [], [Section("b", cards=cards), Section("c", cards=cards, large=True)])
    reader = Reader(write_page(tmp_path / "page.html", page).read_text(encoding="utf-8"))
    kinds = [attributes["class"] for tag, attributes in reader.tags if tag == "figure"]
    assert kinds == ["card", "card wrong"] * 2
    assert ("div", {"class": "cards large"}) in reader.tags


def test_folded_charts_are_within_their_title(tmp_path: Path) -> None:
    charts = [Chart("c", "d", PNG)]
    page = Page("a", "", [], [], [Section("b", charts=charts, folded=NASTY), Section("e", charts=charts)])
    reader = Reader(write_page(tmp_path / "page.html", page).read_text(encoding="utf-8"))
    tags = [tag for tag, _ in reader.tags if tag in ("details", "summary", "img")]
    assert tags == ["details", "summary", "img", "img"]
    assert NASTY in reader.text
