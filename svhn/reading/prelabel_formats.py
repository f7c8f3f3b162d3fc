"""Pre-labels as the files that labeling tools import. docs/labeling.md describes them.

Sources: Label Studio's pages on pre-annotations and on its results in percent (labelstud.io/guide/predictions), the
COCO data format (cocodataset.org/#format-data), and Ultralytics' page on detection data sets.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import quote

from svhn.images import is_remote
from svhn.labels import Number
from svhn.spec import Box

CLASS = "number"  # the only one: the networks locate numbers, and no single digits
CSV_HEADER = ("filename", "label", "left", "top", "width", "height", "confidence")
DATA_YAML = f"train: images\nval: images\nnames:\n  0: {CLASS}\n"
LABEL_CONFIG = f"""<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="kind" toName="image">
    <Label value="{CLASS}"/>
  </RectangleLabels>
  <TextArea name="text" toName="image" perRegion="true" editable="true" required="true" maxSubmissions="1"
            displayMode="region-list"/>
</View>
"""
LABEL_STUDIO, YOLO = "label-studio", "yolo"  # names of formats

Files = dict[str, str]  # texts by their paths, which start at the folder of the output


class LabeledPicture(NamedTuple):
    """A picture with the numbers that were read in it.

    Args:
        name: its path from the folder of the pictures, with `/` between its parts; or its address.
        size: width and height of the upright picture, in pixels.
        numbers: its numbers, in reading order.
        sureness: probability from 0 to 1 that the answer is right, whether it is a number or none.
    """

    name: str
    size: tuple[int, int]
    numbers: tuple[Number, ...]
    sureness: float


class Origin(NamedTuple):
    """What pre-labels come from.

    Args:
        version: the program and the run that read.
        address: what stands before the name of a picture where a tool asks for its address.
    """

    version: str
    address: str


class PrelabelFormat(NamedTuple):
    """A kind of pre-labels.

    Args:
        ending: of the name of its file; "" if it is a folder.
        pictures: where the pictures lie below the folder of the output; "" for the folder itself.
        list_outputs: `(name)` to the names of all files and folders that it writes, if its own file has that name.
        make_files: `(pictures, name, origin)` to its files; the pictures come in the order of their correction.
    """

    ending: str
    pictures: str
    list_outputs: Callable[[str], Sequence[str]]
    make_files: Callable[[Sequence[LabeledPicture], str, Origin], Files]


def _cut_box(number: Number, size: tuple[int, int]) -> Box:
    """The upright box of a number, without what lies outside of the picture; the whole picture if it has no box."""
    left, top, right, bottom = number.box or (0, 0, *size)
    return max(0.0, left), max(0.0, top), min(size[0], right), min(size[1], bottom)


def _list_sides(box: Box) -> tuple[float, ...]:
    """Left, top, width and height of a box, rounded."""
    left, top, right, bottom = box
    return tuple(round(float(side), 1) for side in (left, top, right - left, bottom - top))


def _write_json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _make_csv(pictures: Sequence[LabeledPicture], name: str, _origin: Origin) -> Files:
    """The table of `--dataset=folder`, with a column `confidence`. A picture without a number has no row."""
    buffer = io.StringIO()
    rows = (
        (picture.name, number.text, *_list_sides(_cut_box(number, picture.size)), f"{number.confidence:.6f}")
        for picture in pictures
        for number in picture.numbers
    )
    csv.writer(buffer, lineterminator="\n").writerows([CSV_HEADER, *rows])
    return {name: buffer.getvalue()}


def _make_coco(pictures: Sequence[LabeledPicture], name: str, origin: Origin) -> Files:
    """COCO's instances, with upright boxes. CVAT writes attributes as the digits here; `score` is a result's."""
    found = [(index, picture, number) for index, picture in enumerate(pictures, 1) for number in picture.numbers]
    document = {
        "info": {"description": f"pre-labels by {origin.version}"},
        "licenses": [],
        "categories": [{"id": 1, "name": CLASS, "supercategory": ""}],
        "images": [
            {"id": index, "file_name": picture.name, "width": picture.size[0], "height": picture.size[1]}
            for index, picture in enumerate(pictures, 1)
        ],
        "annotations": [
            {"id": index, "image_id": image, **_describe_instance(number, picture.size)}
            for index, (image, picture, number) in enumerate(found, 1)
        ],
    }
    return {name: _write_json(document)}


def _describe_instance(number: Number, size: tuple[int, int]) -> dict[str, Any]:
    sides = _list_sides(_cut_box(number, size))
    return {
        "category_id": 1,
        "bbox": sides,
        "area": round(sides[2] * sides[3], 2),
        "segmentation": [],  # tools would make a polygon beside or in place of the box
        "iscrowd": 0,
        "score": round(number.confidence, 6),
        "attributes": {"text": number.text},
    }


def _make_yolo(pictures: Sequence[LabeledPicture], _name: str, _origin: Origin) -> Files:
    """A file of boxes per picture, empty without a number, and the names of the classes twice, for different tools."""
    labels = {f"labels/{name_label_file(picture.name)}": _format_boxes(picture) for picture in pictures}
    return {**labels, "data.yaml": DATA_YAML, "classes.txt": f"{CLASS}\n"}


def name_label_file(name: str) -> str:
    """The path of a picture's boxes in the folder `labels`, from that of the picture in the folder `images`."""
    return str(PurePosixPath(name).with_suffix(".txt"))


def _format_boxes(picture: LabeledPicture) -> str:
    """A line per number: its class, and the middle, width and height of its box in shares of the picture."""
    lines, (across, down) = [], picture.size
    for number in picture.numbers:
        left, top, right, bottom = _cut_box(number, picture.size)
        shares = (left + right) / 2 / across, (top + bottom) / 2 / down, (right - left) / across, (bottom - top) / down
        lines.append(f"0 {' '.join(f'{share:.6f}' for share in shares)}\n")
    return "".join(lines)


def _make_label_studio(pictures: Sequence[LabeledPicture], name: str, origin: Origin) -> Files:
    """Tasks with a prediction each, and the labeling interface that shows them."""
    tasks = [_describe_task(picture, origin) for picture in pictures]
    return {name: _write_json(tasks), _name_label_config(name): LABEL_CONFIG}


def _name_label_config(name: str) -> str:
    """The name of the labeling interface, which lies beside the tasks, as those of Label Studio's own converter."""
    return f"{Path(name).stem}.label_config.xml"


def _describe_task(picture: LabeledPicture, origin: Origin) -> dict[str, Any]:
    image = picture.name if is_remote(picture.name) else f"{origin.address}{quote(picture.name)}"
    results = [
        result for index, number in enumerate(picture.numbers, 1) for result in _list_results(index, number, picture)
    ]
    prediction = {"model_version": origin.version, "score": round(picture.sureness, 6), "result": results}
    return {"data": {"image": image}, "predictions": [prediction]}


def _list_results(index: int, number: Number, picture: LabeledPicture) -> Iterable[dict[str, Any]]:
    """The box and the text of a number: two results of one id, which the tool shows as one region.

    A number that is too long has no text.
    """
    place = _measure_percent(number, picture.size)
    values: dict[str, Mapping[str, Any]] = {
        "kind": {"type": "rectanglelabels", "value": {**place, "rectanglelabels": [CLASS]}}
    }
    if not number.truncated:
        values["text"] = {"type": "textarea", "value": {**place, "text": [number.text]}}
    for control, result in values.items():
        yield {
            "id": f"number-{index}",
            "from_name": control,
            "to_name": "image",
            "original_width": picture.size[0],
            "original_height": picture.size[1],
            "image_rotation": 0,
            "score": round(number.confidence, 6),
            **result,
        }


def _measure_percent(number: Number, size: tuple[int, int]) -> dict[str, float]:
    """A number's box in percent of the picture's width and height, and its turn about its own top left, clockwise.

    A turned box of which a side is longer than the picture's is replaced by the upright one around it: the tool refuses
    more than 100 percent.
    """
    turn = _find_turn(number)
    across, down = 100 / size[0], 100 / size[1]
    if turn and number.corners:
        first, second, _, fourth = number.corners
        width, height = math.dist(first, second) * across, math.dist(first, fourth) * down
        if max(width, height) <= 100:
            return _name_sides(first[0] * across, first[1] * down, width, height, turn)
    left, top, right, bottom = _cut_box(number, size)
    return _name_sides(left * across, top * down, (right - left) * across, (bottom - top) * down, 0.0)


def _name_sides(*sides: float) -> dict[str, float]:
    return dict(zip(("x", "y", "width", "height", "rotation"), (round(float(side), 4) for side in sides), strict=True))


def _find_turn(number: Number) -> float:
    """The angle by which a number's box is turned, clockwise in degrees from 0 to below 360, rounded to a tenth."""
    if number.corners is None:
        return 0.0
    (left, top), (right, end), *_ = number.corners
    return round(math.degrees(math.atan2(end - top, right - left)), 1) % 360


FORMATS = {
    LABEL_STUDIO: PrelabelFormat(".json", "", lambda name: (name, _name_label_config(name)), _make_label_studio),
    "coco": PrelabelFormat(".json", "", lambda name: (name,), _make_coco),
    YOLO: PrelabelFormat("", "images", lambda _: ("labels", "data.yaml", "classes.txt"), _make_yolo),
    "csv": PrelabelFormat(".csv", "", lambda name: (name,), _make_csv),
}
