#!/usr/bin/env bash
# Label Studio's exports of one turned box give three different boxes, of which one lies where the box lies.
#
# A box of 20 x 10 pixels at (50, 10), turned by 90 degrees about its left upper corner, covers 40 to 50 pixels from the
# left and 10 to 30 from the top.
# Expected: each export gives this box, or refuses it.
# Seen: YOLO and VOC leave the rotation out, and COCO rotates shares of a picture that is not square. None of them
#   covers the box. Only YOLO_OBB does.
# Why it matters: crops of turned numbers show something else, and nothing warns.
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
import re
from pathlib import Path

from label_studio_sdk.converter import Converter
from PIL import Image

LABELS = '<RectangleLabels name="label" toName="image"><Label value="7"/></RectangleLabels>'
Image.new("RGB", (100, 50)).save("a.png")
box = {"x": 50, "y": 20, "width": 20, "height": 20, "rotation": 90, "rectanglelabels": ["7"]}
names = {"id": "a", "type": "rectanglelabels", "from_name": "label", "to_name": "image"}
region = {**names, "original_width": 100, "original_height": 50, "image_rotation": 0, "value": box}
task = {"id": 1, "data": {"image": "a.png"}, "annotations": [{"id": 1, "result": [region]}]}
Path("tasks.json").write_text(json.dumps([task]))
converter = Converter(f'<View><Image name="image" value="$image"/>{LABELS}</View>', ".", download_resources=False)
for form in ("yolo", "voc", "coco"):
    getattr(converter, f"convert_to_{form}")("tasks.json", form, is_dir=False)
converter.convert_to_yolo("tasks.json", "obb", is_dir=False, is_obb=True)

_, x, y, width, height = map(float, Path("yolo/labels/a.txt").read_text().split())
corners = [float(share) for share in Path("obb/labels/a.txt").read_text().split()[1:]]
left, top, across, down = json.loads(Path("coco/result.json").read_text())["annotations"][0]["bbox"]
voc = [int(edge) for edge in re.findall(r"<[xy]m\w+>(\d+)<", Path("voc/Annotations/a.xml").read_text())]
edges = {  # left, top, right, bottom in pixels
    "YOLO": [100 * (x - width / 2), 50 * (y - height / 2), 100 * (x + width / 2), 50 * (y + height / 2)],
    "VOC": voc,
    "COCO": [left, top, left + across, top + down],
    "YOLO_OBB": [100 * min(corners[::2]), 50 * min(corners[1::2]), 100 * max(corners[::2]), 50 * max(corners[1::2])],
}
for form, values in edges.items():
    print(form, [round(value) for value in values])
END
venv/bin/python program.py | tee seen.txt

diff - seen.txt <<'END'
YOLO [50, 10, 70, 20]
VOC [50, 10, 70, 20]
COCO [30, 10, 50, 20]
YOLO_OBB [40, 10, 50, 30]
END
