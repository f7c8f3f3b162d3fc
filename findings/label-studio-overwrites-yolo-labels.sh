#!/usr/bin/env bash
# Label Studio's export to YOLO lets pictures of the same name in two folders share one file of labels.
#
# Expected: two files of labels, or an error.
# Seen: one file, named after the picture without its folder. It holds the labels of the last task, and nothing is said.
# Why it matters: labels are lost, and a picture gets the labels of another one.
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


def make_task(number: int, picture: str, label: str) -> dict:
    Path(picture).parent.mkdir(exist_ok=True)
    Image.new("RGB", (100, 50)).save(picture)
    box = {"x": 10, "y": 20, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [label]}
    names = {"id": "a", "type": "rectanglelabels", "from_name": "label", "to_name": "image"}
    result = [{**names, "original_width": 100, "original_height": 50, "image_rotation": 0, "value": box}]
    return {"id": number, "data": {"image": picture}, "annotations": [{"id": number, "result": result}]}


tasks = [make_task(1, "front/a.png", "7"), make_task(2, "back/a.png", "8")]
Path("tasks.json").write_text(json.dumps(tasks))
converter = Converter(f'<View><Image name="image" value="$image"/>{LABELS}</View>', ".", download_resources=False)
converter.convert_to_yolo("tasks.json", "yolo", is_dir=False)
for path in sorted(Path("yolo").rglob("*.txt")):
    print(path, path.read_text().splitlines())
END
venv/bin/python program.py | tee seen.txt

diff - seen.txt <<'END'
yolo/classes.txt ['7', '8']
yolo/labels/a.txt ['1 0.2 0.3 0.2 0.2']
END
