"""`python -m svhn …`, `python main.py …` and the installed `svhn …` are one."""

import sys

from svhn.runtime import shell


def _run_command(argv: list[str]) -> None:
    with shell.silence_tensorflow():
        from svhn.cli import flags  # brings TensorFlow, whose start-up notes are no news
    flags.main(argv)


def main() -> int:
    return shell.run_main(_run_command, sys.argv)


if __name__ == "__main__":
    sys.exit(main())
