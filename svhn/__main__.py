"""`python -m svhn …`, `python main.py …` and the installed `svhn …` are one."""

import sys

from svhn import shell


def main() -> int:
    with shell.quiet():
        from svhn import cli  # brings TensorFlow, whose start-up notes are no news
    return shell.run(cli.main, sys.argv)


if __name__ == "__main__":
    sys.exit(main())
