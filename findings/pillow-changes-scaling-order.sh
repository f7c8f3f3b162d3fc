#!/usr/bin/env bash
# Pillow scales rows before columns or columns before rows, depending on its version and the picture's form.
#
# Expected: `Image.resize` gives the same pixels in all versions, as nothing about it stands in the release notes of
#   12.2.0.
# Seen: up to 12.1.1, each row is scaled first, then each column. 12.2.0 and 12.3.0 begin with the columns of a picture
#   more than 100 times as high as wide, 13.0.0 of any picture whose height shrinks clearly more than its width (pull
#   requests 9524 and 9549 of Pillow, for speed). The levels between the two steps are rounded and cut at 0 and 255, so
#   sharp pictures differ by many levels.
# Why it matters: a network is given other pixels than in its training, and a program that scales as Pillow does, in a
#   browser for instance, must know the version.
# Versions: Pillow 10.4.0, 12.1.1, 12.2.0, 12.3.0 and 13.0.0, Python 3.11.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv

cat >program.py <<'END'
import random

import PIL
from PIL import Image

FORMS = {"60 x 30": (60, 30), "30 x 90": (30, 90), "3 x 301": (3, 301)}  # width and height


def measure_difference(size: tuple[int, int]) -> int:
    """The greatest difference, in levels, to a picture of which each row is scaled first."""
    levels = bytes(255 * (level > 127) for level in random.Random(0).randbytes(size[0] * size[1]))
    picture = Image.frombytes("L", size, levels)
    filter = Image.Resampling.LANCZOS
    scaled = picture.resize((95, 57), filter).tobytes()
    rows_first = picture.resize((95, size[1]), filter).resize((95, 57), filter).tobytes()
    return max(abs(one - other) for one, other in zip(scaled, rows_first))


print(PIL.__version__, {name: measure_difference(size) for name, size in FORMS.items()})
END
for version in 10.4.0 12.1.1 12.2.0 12.3.0 13.0.0; do
    venv/bin/pip install --quiet --no-deps pillow==$version
    venv/bin/python program.py
done | tee seen.txt

diff - seen.txt <<'END'
10.4.0 {'60 x 30': 0, '30 x 90': 0, '3 x 301': 0}
12.1.1 {'60 x 30': 0, '30 x 90': 0, '3 x 301': 0}
12.2.0 {'60 x 30': 0, '30 x 90': 0, '3 x 301': 42}
12.3.0 {'60 x 30': 0, '30 x 90': 0, '3 x 301': 42}
13.0.0 {'60 x 30': 0, '30 x 90': 46, '3 x 301': 42}
END
