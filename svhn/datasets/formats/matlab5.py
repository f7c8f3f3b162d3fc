"""MATLAB 5 files, the format of MATLAB's `save -v7`, Octave and SciPy.

SciPy reads them in a process of its own: a damaged file can make SciPy's native code end the process without an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from svhn.datasets.formats.faults import FormatError, LayoutError
from svhn.errors import UserError, shorten, suggest_extra
from svhn.runtime.processes import ProcessEndedError, call_in_process

VERSION_BYTES = slice(124, 128)  # version and byte order in the header of a MATLAB file
MATLAB_5 = (b"\x00\x01IM", b"\x01\x00MI")  # little-endian and big-endian
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
HEADER_BYTES = 520  # read to tell the kinds apart: in a MATLAB 7.3 file, HDF5_MAGIC follows 512 bytes


def read_matlab5(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """The variables of these names that a file has, as `scipy.io.loadmat` returns them.

    Raises:
        FormatError: the file is damaged or of another kind, or the process that read the file ended.
        UserError: SciPy is not installed, or the system ended the process that read the file.
    """
    if find_spec("scipy") is None:
        raise UserError(f"reading MATLAB 5 files needs SciPy: {suggest_extra('digits')}")
    with path.open("rb") as file:
        _check_header(file.read(HEADER_BYTES))
    try:
        found = call_in_process(load_variables, path, names)
    except ProcessEndedError as error:
        raise FormatError(f"can't be read: {error} while reading it") from error
    if isinstance(found, str):
        raise FormatError(f"can't be read ({found})")
    return found


def is_matlab5(start: bytes) -> bool:
    """Whether the first 128 bytes of a file are the header of a MATLAB 5 file."""
    return start[VERSION_BYTES] in MATLAB_5


def _check_header(start: bytes) -> None:
    """Raises `FormatError` if the first bytes are not those of a MATLAB 5 file."""
    if HDF5_MAGIC in start:
        raise LayoutError("the HDF5 of MATLAB 7.3", "MATLAB 5, which MATLAB's `save -v7` writes")
    if not is_matlab5(start):
        raise FormatError(f"begins with {start[:16]!r}, expected a MATLAB 5 file")


def load_variables(path: Path, names: Sequence[str]) -> dict[str, Any] | str:
    """The variables, or the reason why they can't be read: some of SciPy's errors can't be sent between processes."""
    from scipy.io import loadmat

    try:
        found = loadmat(path, variable_names=names, spmatrix=False)
    except Exception as error:  # a damaged file makes SciPy raise almost anything, even UnboundLocalError
        return shorten(f"{type(error).__name__}: {error}")
    return {name: found[name] for name in names if name in found}
