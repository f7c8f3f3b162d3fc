#!/usr/bin/env bash
# Label Studio's export to YOLO numbers classes by `category`, but lists their names in another order.
#
# Expected: line n of classes.txt names class n, as YOLO and Label Studio's own import take it.
# Seen: the lines have the order of the labels in the configuration. Where `category` gives another order, as for the
#   digits 1 to 9 and then 0, each name belongs to another class: an import turns 1 into 2, and 0 into 1.
# Why it matters: every digit comes back wrong, and nothing looks wrong. The names in notes.json are right.
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

DIGITS = "".join(f'<Label value="{digit}" category="{digit}"/>' for digit in "1234567890")
LABELS = f'<RectangleLabels name="label" toName="image">{DIGITS}</RectangleLabels>'


def make_region(left: int, label: str) -> dict:
    box = {"x": left, "y": 20, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [label]}
    names = {"id": label, "type": "rectanglelabels", "from_name": "label", "to_name": "image"}
    return {**names, "original_width": 100, "original_height": 50, "image_rotation": 0, "value": box}


Path("yolo/images").mkdir(parents=True)
Image.new("RGB", (100, 50)).save("yolo/images/a.png")
annotation = {"id": 1, "result": [make_region(10, "1"), make_region(40, "9"), make_region(70, "0")]}
task = {"id": 1, "data": {"image": "yolo/images/a.png"}, "annotations": [annotation]}
Path("tasks.json").write_text(json.dumps([task]))
converter = Converter(f'<View><Image name="image" value="$image"/>{LABELS}</View>', ".", download_resources=False)
converter.convert_to_yolo("tasks.json", "yolo", is_dir=False)
convert_yolo_to_ls("yolo", "again.json")
again = json.loads(Path("again.json").read_text())[0]["annotations"][0]["result"]
report = [
    f"digits exported: {[region['value']['rectanglelabels'][0] for region in annotation['result']]}",
    f"classes written: {[line.split()[0] for line in Path('yolo/labels/a.txt').read_text().splitlines()]}",
    f"classes.txt: {Path('yolo/classes.txt').read_text().split()}",
    f"digits imported: {[region['value']['rectanglelabels'][0] for region in again]}",
]
Path("seen.txt").write_text("\n".join([*report, ""]))
END
venv/bin/python program.py >log.txt
cat seen.txt

diff - seen.txt <<'END'
digits exported: ['1', '9', '0']
classes written: ['1', '9', '0']
classes.txt: ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0']
digits imported: ['2', '0', '1']
END
