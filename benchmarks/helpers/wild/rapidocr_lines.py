# pyright: reportMissingImports=false
"""What RapidOCR 3 reads in a folder of pictures, as JSON. Any Python that has RapidOCR runs this file by itself.

    python rapidocr_lines.py FOLDER OUTPUT.json

The file names each picture with its lines: a text, a score from 0 to 1, and four corners in pixels.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rapidocr import RapidOCR


def main() -> None:
    answers: dict[str, Any] = {}
    engine: Any = RapidOCR()
    for path in sorted(Path(sys.argv[1]).iterdir()):
        found = engine(str(path))
        lines = [] if found.txts is None else zip(found.txts, found.scores, found.boxes.tolist(), strict=True)
        answers[path.name] = [[text, float(score), corners] for text, score, corners in lines]
    Path(sys.argv[2]).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main()
