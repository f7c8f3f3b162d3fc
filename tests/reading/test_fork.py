"""A reader in a process that was forked after the reader's first picture: a fork copies no threads."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.program import ROOT

FORK = """
import multiprocessing
import sys
import svhn
from svhn.errors import UserError

def read(picture):
    try:
        print(reader.read(picture)[0].text)
    except UserError as error:
        print(error)

reader = svhn.Reader.load(engine=sys.argv[1])
reader.read(sys.argv[2])
child = multiprocessing.get_context("fork").Process(target=read, args=sys.argv[2:])
child.start()
child.join(60)
child.kill()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "printed"), [("litert", "208\n"), ("tensorflow", "load a Reader in each process")])
def test_a_forked_process_reads_or_is_refused(engine: str, printed: str) -> None:
    # Python itself warns of forks of a process with threads.
    command = [sys.executable, "-W", "ignore", "-c", FORK, engine, str(ROOT / "svhn/examples/208.jpg")]
    assert printed in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
