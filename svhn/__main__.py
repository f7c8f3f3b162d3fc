"""`python -m svhn …`, `python main.py …` and the installed `svhn …` are one."""

import sys

from svhn import shell


def command(argv: list[str]) -> None:
    with shell.quiet():
        from svhn import cli  # brings TensorFlow, whose start-up notes are no news
    cli.main(argv)


def main() -> int:
    return shell.run(command, sys.argv)


if __name__ == "__main__":
    sys.exit(main())
