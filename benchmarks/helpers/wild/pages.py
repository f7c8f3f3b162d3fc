"""Pages of text and screenshots without any digit."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.helpers.wild.signs import pick_font
from benchmarks.helpers.wild.sources import Sources, cut_part

PAGE_SIZE, SCREEN_SIZE = (1000, 1400), (1280, 800)  # width and height in pixels
_SIGNS_TEXT = (
    "OPEN CLOSED EXIT ENTRANCE PARKING OFFICE GARAGE PRIVATE PUSH PULL STOP HOTEL CAFE BAKERY SCHOOL LIBRARY BEWARE "
    "DOG SLOW GATE BELL MAIL DELIVERIES NO SMOKING THANKS WELCOME HOME VILLA ROSE Smith Jones Bloggs Miller Garden"
)
_WORDS_TEXT = (
    "a all also and any are as at be been but by can could did do each every for from had has have he her his how if "
    "in into is it its like long made many may more most no not of on one only or other our out over said she so some "
    "such than that the their them then there these they this time to under up was we were what when which who will "
    "with would you your house street door wall window garden number letter morning evening light river bridge city "
    "station letterbox neighbor question answer reader picture meadow village Bill Isabel Oslo Zoo Lisbon Illinois"
)
SIGNS, WORDS = _SIGNS_TEXT.split(), _WORDS_TEXT.split()
LETTERS = "AZaz"  # which a font of words must have
PAPERS = ((255, 255, 255), (250, 246, 235), (238, 238, 240), (225, 214, 190))
THEMES = (((250, 250, 250), (30, 30, 35)), ((32, 34, 40), (220, 222, 228)), ((255, 255, 255), (10, 60, 130)))

Color = tuple[int, int, int]


def draw_page(rng: np.random.Generator) -> Image.Image:
    """A page in one or two columns, photographed slightly turned, or scanned straight."""
    paper = PAPERS[rng.integers(len(PAPERS))]
    page = Image.new("RGB", PAGE_SIZE, paper)
    columns, font, size = int(rng.integers(1, 3)), pick_font(rng, LETTERS), int(rng.integers(16, 42))
    gray = int(rng.integers(0, 70))
    ink = gray, gray, gray
    _write_words(rng, page, (80, 60, 920, 60 + 3 * size), ImageFont.truetype(font, 2 * size), ink)
    width = (840 - 40 * (columns - 1)) // columns
    for column in range(columns):
        left = 80 + column * (width + 40)
        _write_words(rng, page, (left, 100 + 3 * size, left + width, 1340), ImageFont.truetype(font, size), ink)
    if rng.random() < 0.5:
        page = page.rotate(rng.uniform(-4, 4), Image.Resampling.BICUBIC, fillcolor=paper)
    return page.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1)))


def draw_screenshot(rng: np.random.Generator, sources: Sources) -> Image.Image:
    """A window with a menu, a list, paragraphs, buttons and a part of a photo."""
    ground, ink = THEMES[rng.integers(len(THEMES))]
    screen = Image.new("RGB", SCREEN_SIZE, ground)
    draw, face = ImageDraw.Draw(screen), ImageFont.truetype(pick_font(rng, LETTERS), int(rng.integers(13, 22)))
    shade = (ground[0] * 9 // 10, ground[1] * 9 // 10, ground[2] * 9 // 10)
    draw.rectangle((0, 0, 1280, 44), fill=shade)
    draw.rectangle((0, 44, 240, 800), fill=shade)
    for x in (1200, 1230, 1260):
        draw.ellipse((x - 8, 14, x + 8, 30), outline=ink, width=2)
    _write_words(rng, screen, (16, 12, 900, 40), face, ink)
    for y in range(70, 760, int(rng.integers(34, 60))):
        draw.rounded_rectangle((16, y, 36, y + 20), 4, outline=ink, width=2)
        draw.text((48, y), str(rng.choice(WORDS)), ink, face)
    _write_words(rng, screen, (280, 80, 820, 480), face, ink)
    photo = cut_part(rng, sources).resize((int(rng.integers(200, 380)), int(rng.integers(150, 300))))
    screen.paste(photo, (860, 80))
    for x in range(280, 1200, 180):
        draw.rounded_rectangle((x, 560, x + 150, 610), 10, fill=shade, outline=ink)
        draw.text((x + 75, 585), str(rng.choice(SIGNS)).title(), ink, face, "mm")
    return screen


def _write_words(
    rng: np.random.Generator,
    page: Image.Image,
    box: tuple[int, int, int, int],
    face: ImageFont.FreeTypeFont,
    ink: Color,
) -> None:
    """Fill a box with lines of random words, in place."""
    draw, y = ImageDraw.Draw(page), float(box[1])
    while y + face.size <= box[3]:
        line = ""
        while draw.textlength(longer := f"{line} {rng.choice(WORDS)}".strip(), face) <= box[2] - box[0]:
            line = longer
        draw.text((box[0], y), line, ink, face)
        y += 1.35 * face.size
        if rng.random() < 0.08:
            y += face.size
