"""What a picture may be given as, alone and in a list, and what is refused with a list of all that is taken."""

from __future__ import annotations

import array
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.stub_reader import SeeingReader

PHOTO = Path(__file__).parents[2] / "svhn/examples/2507.jpg"
CONTENT = PHOTO.read_bytes()
GRAY = np.asarray(Image.open(PHOTO).convert("L"))


class Tensor:
    """As other libraries' tensors are."""

    shape = GRAY.shape

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return GRAY


class OtherDevicesTensor(Tensor):
    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("copy the tensor to the host first")


TAKEN: dict[str, Callable[[], Any]] = {
    "path": lambda: PHOTO,
    "text": lambda: str(PHOTO),
    "bytes": lambda: CONTENT,
    "bytearray": lambda: bytearray(CONTENT),
    "memoryview": lambda: memoryview(CONTENT),
    "open file in memory": lambda: io.BytesIO(CONTENT),
    "open file": lambda: io.BufferedReader(io.BytesIO(CONTENT)),
    "PIL image": lambda: Image.open(PHOTO),
    "array": lambda: GRAY,
    "array of 16 bits": lambda: GRAY.astype(np.uint16),
    "tensor": Tensor,
}
REFUSED: dict[str, Any] = {
    "nothing": None,
    "number": 3,
    "dict": {"a": CONTENT},
    "list within a list": [[CONTENT]],
    "array of another type": array.array("B", CONTENT),
    "floats": GRAY / 255,
    "bools": GRAY > 100,
    "names in an array": np.array(["a.jpg", "b.jpg"]),
    "one value": np.uint8(3),
    "open text": io.StringIO("a"),
    "tensor of another device": OtherDevicesTensor(),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_taken_is_one_picture_alone_and_in_a_list(name: str) -> None:
    reader = SeeingReader()
    for given in (TAKEN[name](), [TAKEN[name]()]):
        (reading,) = reader.read(given)
        assert reading.size == (GRAY.shape[1], GRAY.shape[0])
    first, second = reader.seen
    assert first.tobytes() == second.tobytes()
    np.testing.assert_allclose(np.asarray(first.convert("L")).astype(int), GRAY, atol=1)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken_is_refused_with_what_is(name: str) -> None:
    with pytest.raises(ValueError, match=r"picture 0: .*(expected|NumPy can't take)"):
        SeeingReader().read(REFUSED[name])
