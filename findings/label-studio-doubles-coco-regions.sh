#!/usr/bin/env bash
# Label Studio's import of COCO makes two regions of one object.
#
# Expected: an annotation of COCO with `bbox` and `segmentation`, as COCO's own data has them, becomes one region.
# Seen: it becomes two, a rectangle and a polygon, each with the label. No key ties them together.
# Why it matters: each digit of a number comes back twice when the task is exported.
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

from label_studio_sdk.converter.imports.coco import convert_coco_to_ls

outline = [10, 10, 30, 10, 30, 30, 10, 30]
annotation = {"id": 1, "image_id": 1, "category_id": 7, "iscrowd": 0, "area": 400}
content = {
    "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 50}],
    "categories": [{"id": 7, "name": "7"}],
    "annotations": [{**annotation, "bbox": [10, 10, 20, 20], "segmentation": [outline]}],
}
Path("coco.json").write_text(json.dumps(content))
convert_coco_to_ls("coco.json", "tasks.json")
regions = json.loads(Path("tasks.json").read_text())[0]["annotations"][0]["result"]
lines = [f"{region['type']}: {region['value'][region['type']]}" for region in regions]
Path("seen.txt").write_text("\n".join([f"regions: {len(regions)}", *lines, ""]))
END
venv/bin/python program.py >log.txt
cat seen.txt

diff - seen.txt <<'END'
regions: 2
rectanglelabels: ['7']
polygonlabels: ['7']
END
