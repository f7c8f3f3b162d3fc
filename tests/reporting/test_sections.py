"""What the page says of a run: of many lengths and of one, without errors, without history, without convolutions."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from svhn.config import Config
from svhn.labels import Number, Prediction
from svhn.reporting import analysis
from svhn.reporting import sections as contents
from svhn.reporting.facts import Facts
from svhn.reporting.html import Section
from svhn.run import Run
from svhn.spec import Info

SCORES = {"digit_accuracy": 0.5, "sequence_accuracy": 0.25, "length_accuracy": 0.75, "slot_accuracy": 0.5, "loss": 3.0}
HISTORY: list[dict[str, Any]] = [
    {"step": 10, "seconds": 60.0, "train": SCORES, "valid": SCORES},
    {"step": 20, "seconds": 90.0, "train": SCORES, "valid": {**SCORES, "sequence_accuracy": 1.0}},
]
MAPS = {"first": np.zeros((4, 6, 3), np.float32), "second": np.ones((2, 3, 64), np.float32)}
READ = [("12", "12"), ("12", "17"), ("7", "1"), ("7", "1"), ("123", "12")]


def facts(
    read: Sequence[tuple[str, str]] = READ,
    maps: Mapping[str, np.ndarray] = MAPS,
    history: Sequence[Mapping[str, Any]] = tuple(HISTORY),
    max_length: int = 3,
    fixed_length: bool = False,
) -> Facts:
    image = np.zeros((4, 6, 1), np.uint8)
    readings = [
        Prediction(image, f"{index}.png", label, Number(text, 0.9, ()), 0.9 if label == text else 0.0001)
        for index, (label, text) in enumerate(read)
    ]
    info = Info("own", (4, 6), 0.0, 1, max_length, "png", {}, {}, {}, {}, 0, fixed_length)
    counts = analysis.count_labels((label for label, _ in read), max_length)
    return Facts(
        run=Run(Path("demo"), Config(lrate=0.5), info),
        split="test",
        step=20,
        best_step=20,
        parameters=1234567,
        scores=SCORES,
        findings=analysis.analyze_predictions(readings, max_length),
        labels={"train": counts, "test": counts},
        history=history,
        maps=maps,
    )


def sections(given: Facts) -> dict[str, Section]:
    return {section.title: section for section in contents.build_page(given).sections}


def charts(section: Section) -> list[str]:
    return [chart.name for chart in section.charts]


def test_the_headline() -> None:
    page = contents.build_page(facts())
    assert page.title == "demo: report on test"
    assert page.text == (
        "Model reader with 1,234,567 parameters, on the data set own: 6 x 4 pixels, numbers of up to 3 digits. "
        "Checkpoint 20, the best on valid. "
        "Split test: 5 examples, used neither to train nor to choose a checkpoint."
    )
    assert [tuple(tile) for tile in page.tiles] == [
        ("25.00%", "numbers right"),
        ("50.00%", "digits right"),
        ("75.00%", "lengths right"),
        ("3.0000", "loss"),
        ("1", "of 5 numbers read right"),
    ]
    (recipe,) = page.tables
    assert recipe.title == "Recipe: lrate=0.5"
    assert ("lrate", "0.5", "0.002") in recipe.rows
    assert ("seed", "0", "") in recipe.rows


def test_every_section() -> None:
    found = sections(facts())
    expected = ["Samples", "Worst errors", "Confusions", "Confidence", "Training", "Labels", "Feature maps"]
    assert list(found) == expected
    assert charts(found["Confusions"]) == ["confusion-digits", "confusion-lengths"]
    assert charts(found["Confidence"]) == ["reliability", "kept"]
    assert charts(found["Training"]) == ["learning-curves", "checkpoints"]
    assert charts(found["Labels"]) == ["labels-digits", "labels-lengths"]
    assert charts(found["Feature maps"]) == ["maps-01", "maps-02"]
    assert [chart.title for chart in found["Feature maps"].charts][1] == "second: 64 maps of 3 x 2"
    assert found["Confusions"].text.endswith(" Most often read wrong: 7 as 1 (2), 2 as 7 (1).")
    assert found["Training"].tables[0].rows[1] == ["20", "1.5", "100.00%", "50.00%", "75.00%", "3.0000"]


def test_how_long_numbers_fare() -> None:
    (table,) = sections(facts())["Confusions"].tables
    assert table.title == "Numbers right by length"
    assert table.rows == [("1", "2", "0", "0.00%"), ("2", "2", "1", "50.00%"), ("3", "1", "0", "0.00%")]


def test_what_confidence_is_worth() -> None:
    text = sections(facts())["Confidence"].text  # five as sure as 0.9, one of them right
    assert text.startswith("0.0% of the numbers can be read at 98% accuracy")
    assert "Expected calibration error: 0.7000. A reader whose confidences are exact would show 0." in text
    assert sections(facts([("1", "1")]))["Confidence"].text.startswith("100.0% of the numbers can be read")


def test_cards_say_what_was_read_and_what_is_there() -> None:
    found = sections(facts())
    assert [card.lines for card in found["Samples"].cards[:2]] == [("12 90%",), ("17 90%", "is 12")]
    assert [card.wrong for card in found["Samples"].cards] == [False, True, True, True, True]
    first = found["Worst errors"].cards[0]
    assert (first.lines, first.remark) == (("read 17 90.0%", "is 12 <0.1%"), "1.png")
    assert found["Worst errors"].text.startswith("4 of 4 errors, ")


def test_numbers_of_one_length_have_no_charts_of_lengths() -> None:
    digits = [("1", "1"), ("2", "7"), ("9", "9")]  # most classes are missing
    page = contents.build_page(facts(digits, max_length=1, fixed_length=True))
    found = {section.title: section for section in page.sections}
    assert "numbers of 1 digit." in page.text
    assert [tile.name for tile in page.tiles] == ["numbers right", "loss", "of 3 numbers read right"]
    assert charts(found["Confusions"]) == ["confusion-digits"]
    assert not found["Confusions"].tables
    assert charts(found["Labels"]) == ["labels-digits"]
    assert found["Training"].tables[0].header == ("step", "minutes", "numbers right", "loss")


def test_without_errors() -> None:
    found = sections(facts([("12", "12"), ("3", "3")]))
    assert found["Worst errors"] == Section("Worst errors", "None: all of 2 numbers were read right.")
    assert "Most often" not in found["Confusions"].text


def test_nothing_was_read() -> None:
    assert "Confidence" not in sections(facts([]))


def test_without_convolutions() -> None:
    assert "Feature maps" not in sections(facts(maps={}))


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ([], "No curves: the run has no history.json"),
        (HISTORY[:1], "No curves: the run has a single checkpoint"),
        ([{**HISTORY[0], "train": None}], "No curves: the run has a single checkpoint"),
    ],
)
def test_without_curves(history: list[dict[str, Any]], text: str) -> None:
    section = sections(facts(history=history))["Training"]
    assert section.text.startswith(text)
    assert (charts(section), len(section.tables)) == ([], len(history))


def test_valid_that_was_never_scored() -> None:
    section = sections(facts(history=[{**entry, "valid": None} for entry in HISTORY]))["Training"]
    assert (charts(section), section.tables) == (["learning-curves"], [])


def test_length_0_has_a_place_only_where_it_was_read() -> None:
    drawn = [sections(facts(read))["Confusions"].charts[1].png for read in ([("12", "")], [("12", "1")])]
    heights = [Image.open(io.BytesIO(png)).height for png in drawn]
    assert heights[0] > heights[1]


def test_a_checkpoint_that_is_not_the_best() -> None:
    assert "Checkpoint 10. Split test" in contents.build_page(replace(facts(), step=10)).text


def test_a_picture_without_a_number_is_said_to_have_none() -> None:
    said = sections(facts([("", "7"), ("7", "7")]))
    for title in ("Samples", "Worst errors"):
        card = said[title].cards[0]
        assert any(line.startswith("is none") for line in card.lines)
