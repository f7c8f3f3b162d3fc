"""`python main.py --mode=train|valid|test`: see `--help`, and svhn/cli.py."""

import sys

from svhn.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
