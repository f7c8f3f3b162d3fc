"""The text tab of TensorBoard: a run's options, read back from the event files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from svhn.config import Config
from svhn.training.tensorboard import OPTIONS_FILE, Summaries


def read_options(folder: Path) -> list[tuple[int, str]]:
    """The step and the text of each table of options."""
    accumulator = EventAccumulator(str(folder / "train")).Reload()
    if "options" not in accumulator.Tags()["tensors"]:
        return []
    assert accumulator.SummaryMetadata("options").plugin_data.plugin_name == "text"
    found = accumulator.Tensors("options")
    return [(each.step, tf.make_ndarray(each.tensor_proto).item().decode()) for each in found]


def test_options_are_written_at_the_start_and_when_they_change(tmp_path: Path) -> None:
    for step, config in ((0, Config()), (8, Config()), (16, Config(lrate=0.5)), (24, Config(lrate=0.5))):
        Summaries(tmp_path).write_options(step, config)  # each training has writers of its own
    (first, default), (second, changed) = read_options(tmp_path)
    assert (first, second) == (0, 16)
    assert "| lrate | 0.002 |  |\n" in default
    assert "| lrate | 0.5 | 0.002 |\n" in changed


@pytest.mark.filterwarnings("ignore:html5lib's sanitizer is deprecated:DeprecationWarning")
def test_the_tab_shows_a_table(tmp_path: Path) -> None:
    from tensorboard.plugins.text.text_plugin import text_array_to_html

    Summaries(tmp_path).write_options(0, Config(init_from="a|b*c*"))
    ((_, text),) = read_options(tmp_path)
    html = str(text_array_to_html(np.array(text.encode()), enable_markdown=True))
    assert html.count("<tr>") == len(Config.__dataclass_fields__) + 1
    assert html.count("<td>") == 3 * len(Config.__dataclass_fields__)
    assert "<td>a|b*c*</td>" in html


@pytest.mark.parametrize("content", [b"", b"\xff"])
def test_a_damaged_copy_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / OPTIONS_FILE).write_bytes(content)
    Summaries(tmp_path).write_options(3, Config())
    assert [step for step, _ in read_options(tmp_path)] == [3]


def test_other_workers_write_nothing(tmp_path: Path) -> None:
    Summaries(tmp_path, enabled=False).write_options(0, Config())
    assert list(tmp_path.iterdir()) == []
