#!/usr/bin/env bash
# Label Studio's SDK can't validate a task that has annotations or predictions.
#
# Expected: `LabelInterface.validate_task` answers True for a task whose prediction `validate_prediction` takes.
# Seen: it raises TypeError, because it calls `validate_prediction` and `validate_annotation` without what to validate.
# Why it matters: a program that writes pre-labels can't check a whole task. It checks each prediction instead.
# Versions: label-studio-sdk 2.1.2, Python 3.11.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --no-deps label-studio-sdk==2.1.2 \
    annotated-types==0.8.0 appdirs==1.4.4 attrs==26.1.0 certifi==2026.10.19.post1 charset-normalizer==3.5.3 \
    Faker==40.63.0 idna==3.20 jsf==0.11.2 jsonschema==4.26.0 jsonschema-specifications==2025.9.1 lxml==6.1.3 \
    pydantic==2.14.4 pydantic_core==2.50.5 PyJWT==2.13.0 referencing==0.37.0 requests==2.34.2 rpds-py==2026.9.1 \
    rstr==3.2.2 smart_open==9.0.2 typing-inspection==0.4.5 typing_extensions==4.16.0 urllib3==2.8.0 wrapt==2.5.2 \
    xmljson==0.2.1

cat >program.py <<'END'
from label_studio_sdk.label_interface import LabelInterface

labels = '<RectangleLabels name="label" toName="image"><Label value="7"/></RectangleLabels>'
interface = LabelInterface(f'<View><Image name="image" value="$image"/>{labels}</View>')
box = {"x": 10, "y": 20, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["7"]}
names = {"id": "a", "type": "rectanglelabels", "from_name": "label", "to_name": "image"}
result = [{**names, "original_width": 100, "original_height": 50, "image_rotation": 0, "value": box}]
task = {"data": {"image": "a.png"}}
print("prediction:", interface.validate_prediction({"result": result}))
print("task without labels:", interface.validate_task(task))
for key in ("predictions", "annotations"):
    try:
        print(f"{key}:", interface.validate_task({**task, key: [{"result": result}]}))
    except TypeError as error:
        print(f"{key}: TypeError: {error}")
END
venv/bin/python program.py | tee seen.txt

diff - seen.txt <<'END'
prediction: True
task without labels: True
predictions: TypeError: LabelInterface.validate_prediction() missing 1 required positional argument: 'prediction'
annotations: TypeError: LabelInterface.validate_annotation() missing 1 required positional argument: 'annotation'
END
