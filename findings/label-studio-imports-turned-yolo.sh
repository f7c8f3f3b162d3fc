#!/usr/bin/env bash
# Label Studio's import of YOLO takes the corners of a turned box for its center and size.
#
# Expected: a file that the export as YOLO_OBB wrote (a class and four corners a line) is read as it was, or refused.
# Seen: the first corner is taken for the center, the second for width and height, and a coordinate for a score.
# Why it matters: pre-labels lie elsewhere. Polygons, which YOLO's data sets for segmentation hold, fare alike.
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
from label_studio_sdk.converter.imports.yolo import convert_yolo_to_ls
from PIL import Image

LABELS = '<RectangleLabels name="label" toName="image"><Label value="7"/></RectangleLabels>'
Path("yolo/images").mkdir(parents=True)
Image.new("RGB", (100, 100)).save("yolo/images/a.png")
box = {"x": 10, "y": 20, "width": 30, "height": 50, "rotation": 0, "rectanglelabels": ["7"]}
names = {"id": "a", "type": "rectanglelabels", "from_name": "label", "to_name": "image"}
region = {**names, "original_width": 100, "original_height": 100, "image_rotation": 0, "value": box}
task = {"id": 1, "data": {"image": "yolo/images/a.png"}, "annotations": [{"id": 1, "result": [region]}]}
Path("tasks.json").write_text(json.dumps([task]))
converter = Converter(f'<View><Image name="image" value="$image"/>{LABELS}</View>', ".", download_resources=False)
converter.convert_to_yolo("tasks.json", "yolo", is_dir=False, is_obb=True)
convert_yolo_to_ls("yolo", "again.json")
[again] = json.loads(Path("again.json").read_text())[0]["annotations"][0]["result"]
keys = ("x", "y", "width", "height")
report = [
    f"exported: {[box[key] for key in keys]}",
    f"labels: {Path('yolo/labels/a.txt').read_text().strip()}",
    f"imported: {[round(again['value'][key]) for key in keys]}, score {again.get('score')}",
]
Path("seen.txt").write_text("\n".join([*report, ""]))
END
venv/bin/python program.py >log.txt
cat seen.txt

diff - seen.txt <<'END'
exported: [10, 20, 30, 50]
labels: 0 0.1 0.2 0.4 0.2 0.4 0.7 0.1 0.7
imported: [-10, 10, 40, 20], score 0.4
END
