"""Numbers read in pictures unlike SVHN's: several numbers, stacked, turned, long, small ones, and none at all.

    python -m benchmarks.wild [--data_dir=data] [--split=test] [--count=300] [--kinds=scene,vertical] [--seed=0]
        [--before=../old] [--flags="--finder=found --checkpoints_dir=$PWD/checkpoints"]
        [--rapidocr=python3] [--rapidocr_count=300] [--pictures=FOLDER]

The pictures are made of the real pictures of a split, of parts of photos beside their numbers, and of what is drawn in
this machine's fonts; `benchmarks/helpers/wild/kinds.py` describes each kind. The parts show no labeled number, but some
show one that nobody labeled. Choose on valid, which is drawn from train as `svhn wrangle` does by default.

Each reader answers each kind by a process of its own. There are at most 100 pictures of 12 megapixels. Shares are in
percent, with their standard errors: see `Scores` in `benchmarks/helpers/wild/scores.py`. With `--pictures`, pictures
and answers are kept, and pictures are made only where they are missing.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
from pathlib import Path

from benchmarks.helpers.wild.folders import SPLITS, WildFolder, make_folder
from benchmarks.helpers.wild.kinds import KINDS
from benchmarks.helpers.wild.readers import WildReader, list_readers, read_folder
from benchmarks.helpers.wild.scores import HEADER, format_row, score_pictures
from benchmarks.reading import ROOT, link_pictures
from svhn.errors import UserError

MOST_LARGE = 100  # pictures of 12 megapixels


def print_reader(reader: WildReader, kind: str, made: WildFolder, count: int) -> None:
    """Let a reader answer the first pictures of a kind, and print its row."""
    with tempfile.TemporaryDirectory() as name:
        folder = link_pictures(made.folder, Path(name) / "pictures", count)
        answers, seconds = read_folder(reader, folder, made.folder.with_name(f"{kind}-{reader.name}.json"))
        truths = {picture.name: made.truths[picture.name] for picture in folder.iterdir()}
    print(format_row(kind, reader.name, score_pictures(truths, answers), seconds / len(truths)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, default=Path("data"))
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--count", type=int, default=300, help="pictures of each kind")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of pictures, comma-separated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--flags", default="", help="of this checkout's `svhn read`; folders by full paths")
    parser.add_argument("--rapidocr", help="a Python that has RapidOCR 3")
    parser.add_argument("--rapidocr_count", type=int, default=300, help="pictures of each kind that RapidOCR reads")
    parser.add_argument("--pictures", type=Path, help="folder that keeps pictures and answers")
    args = parser.parse_args()
    kinds = args.kinds.split(",")
    if not {*kinds} <= KINDS.keys() or min(args.count, args.rapidocr_count) < 1:
        parser.error(
            f"--kinds={args.kinds} --count={args.count}: expected some of {','.join(KINDS)}, and a count above 0"
        )
    with tempfile.TemporaryDirectory() as name:
        print("\n".join(f"| {' | '.join(cells)} |" for cells in (HEADER, ["---"] * len(HEADER))), flush=True)
        for kind in kinds:
            count = min(args.count, MOST_LARGE) if kind == "large" else args.count
            try:
                made = make_folder(args.pictures or Path(name), args.data_dir, args.split, kind, count, args.seed)
            except UserError as error:
                parser.error(str(error))
            for reader in list_readers(ROOT, args.before, args.rapidocr, shlex.split(args.flags)):
                print_reader(reader, kind, made, args.rapidocr_count if reader.name == "RapidOCR" else count)


if __name__ == "__main__":
    main()
