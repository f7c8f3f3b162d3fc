"""`python main.py --mode=train|valid|test|…` or `python main.py train …`: see `--help`, and svhn/cli/table.py."""

import sys

from svhn.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
