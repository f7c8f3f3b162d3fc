#!/usr/bin/env bash
# pycocotools can't make a mask under NumPy 2 where warnings are errors.
#
# Expected: `mask.decode`, and `COCO.annToMask`, which calls it, give a mask without a warning.
# Seen: under NumPy 2 they warn that `__array__` takes no `copy` keyword. The mask is right. Under `python -W error`, as
#   in many tests, there is no mask. Under NumPy 1.26 there is no warning.
# Why it matters: NumPy 2 is what an installation brings, and tests that forbid warnings fail for sound labels.
# Versions: pycocotools 2.0.11, NumPy 1.26.4 and 2.4.6, Python 3.11.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv

cat >program.py <<'END'
import warnings

import numpy
from pycocotools import mask

outline = [1.0, 1.0, 9.0, 1.0, 9.0, 5.0, 1.0, 5.0]
for action in ("always", "error"):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)
        try:
            answer = f"{mask.decode(mask.frPyObjects([outline], 10, 10)).sum()} pixels"
            answer += f"; warned {[warning.category.__name__ for warning in caught]}"
        except DeprecationWarning as error:
            answer = f"DeprecationWarning: {str(error).split(',')[0]}"
    print(f"NumPy {numpy.__version__}, warnings {action}: {answer}")
END
for version in 1.26.4 2.4.6; do
    venv/bin/pip install --quiet --no-deps pycocotools==2.0.11 numpy==$version
    venv/bin/python program.py
done | tee seen.txt

diff - seen.txt <<'END'
NumPy 1.26.4, warnings always: 32 pixels; warned []
NumPy 1.26.4, warnings error: 32 pixels; warned []
NumPy 2.4.6, warnings always: 32 pixels; warned ['DeprecationWarning']
NumPy 2.4.6, warnings error: DeprecationWarning: __array__ implementation doesn't accept a copy keyword
END
