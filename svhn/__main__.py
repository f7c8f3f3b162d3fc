"""`python -m svhn …`, `python main.py …` and the installed `svhn …` are one program."""

import sys

from svhn.cli import flags
from svhn.runtime import shell


def main() -> int:
    return shell.run_main(flags.main, sys.argv)


if __name__ == "__main__":
    sys.exit(main())
