"""How often boxes of single digits are joined into the number that a picture shows.

    python -m benchmarks.joining data/train

The numbers are those of a digitStruct.mat, with two digits or more. Their boxes are given to `list_numbers` in the
order of the file, without the knowledge that each picture shows one number.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from svhn.datasets.format1 import list_entries
from svhn.datasets.formats.digit_joining import Mark, list_numbers
from svhn.spec import Entry


def classify_entry(entry: Entry) -> str:
    """What becomes of a number's boxes."""
    pairs = zip(entry.label, entry.boxes, strict=True)
    found = list_numbers([Mark(digit, box, str(place), is_digit=True) for place, (digit, box) in enumerate(pairs)])
    if any(number.problem for number in found):
        return "in doubt, so given a problem"
    return "as labeled" if [number.text for number in found] == [entry.label] else "otherwise, in silence"


def main(folder: Path) -> None:
    entries = [entry for entry in list_entries(folder.parent, folder.name) if len(entry.boxes) > 1]
    counts = Counter(map(classify_entry, entries))
    print(f"{folder}: {len(entries):,} numbers of two digits or more")
    for outcome, count in counts.most_common():
        print(f"{outcome:<30}{count:>8,}{count / len(entries):>9.2%}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/train"))
