#!/usr/bin/env bash
# Label Studio's export to YOLO keeps the oldest annotation of a task.
#
# Expected: the newest annotation, as a comment in the code of the export says, or all of them.
# Seen: annotations are sorted with the newest first, and each overwrites the file of labels: the oldest stays.
# Why it matters: a correction that a second person adds is lost. With `split_labelers=True` each person has a folder.
# Versions: label-studio-sdk 2.1.2, Python 3.11.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --no-deps label-studio-sdk==2.1.2 \
    appdirs==1.4.4 certifi==2026.10.19.post1 charset-normalizer==3.5.3 defusedxml==0.7.1 idna==3.20 ijson==3.6.0 \
    lxml==6.1.3 nltk==3.10.4 numpy==2.2.6 pillow==12.3.0 PyJWT==2.13.0 regex==2026.11.19 requests==2.34.2 \
    ujson==6.1.0 urllib3==2.8.0

cat >program.py <<'END'
import json
from pathlib import Path

from label_studio_sdk.converter import Converter
from PIL import Image

LABELS = '<RectangleLabels name="label" toName="image"><Label value="7"/><Label value="8"/></RectangleLabels>'


def make_annotation(number: int, created: str, label: str) -> dict:
    box = {"x": 10, "y": 20, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [label]}
    names = {"id": "a", "type": "rectanglelabels", "from_name": "label", "to_name": "image"}
    result = [{**names, "original_width": 100, "original_height": 50, "image_rotation": 0, "value": box}]
    return {"id": number, "completed_by": number, "created_at": created, "result": result}


Image.new("RGB", (100, 50)).save("a.png")
old = make_annotation(1, "2024-01-01T00:00:00Z", "7")
new = make_annotation(2, "2024-02-01T00:00:00Z", "8")
converter = Converter(f'<View><Image name="image" value="$image"/>{LABELS}</View>', ".", download_resources=False)
for order, annotations in {"old, new": [old, new], "new, old": [new, old]}.items():
    Path("tasks.json").write_text(json.dumps([{"id": 1, "data": {"image": "a.png"}, "annotations": annotations}]))
    converter.convert_to_yolo("tasks.json", "yolo", is_dir=False)
    classes = Path("yolo/classes.txt").read_text().split()
    labels = [classes[int(line.split()[0])] for line in Path("yolo/labels/a.txt").read_text().splitlines()]
    print(f"7 in January, 8 in February, written as {order}: exported {labels}")
END
venv/bin/python program.py | tee seen.txt

diff - seen.txt <<'END'
7 in January, 8 in February, written as old, new: exported ['7']
7 in January, 8 in February, written as new, old: exported ['7']
END
