"""The data sets, by name.

To add one, write a file beside this one that ends in a `DatasetSpec`, and put its name into `_FILES`. For pictures
with a digitStruct.mat, the spec takes the functions of `format1`; leave out `locate` if the boxes are not those of
single digits. For any other format, write three functions: `entries` lists the labeled pictures, `load` reads the
pixels of one entry, and `checksum` changes when the source does. Worker processes call them, so they must not import
TensorFlow. The contract tests over `DATASETS` then check the new data set, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from svhn.spec import DatasetSpec

_FILES = {  # of this folder; the spec in it has the data set's name in capital letters
    "svhn": "svhn",
    "svhn_full": "svhn_full",
    "svhn_arranged": "arranged.dataset",
    "svhn_scenes": "scenes.dataset",
    "synthetic": "synthetic.dataset",
    "svhn_cropped": "svhn_cropped",
    "mnist": "mnist",
    "mnist_stacked": "mnist_stacked",
    "mnist_stacked_vertical": "mnist_stacked",
    "mnist_stacked_varied": "mnist_stacked",
    "folder": "folder",
}


class _Registry(Mapping[str, DatasetSpec]):
    """The data sets by name. A file is imported when its data set is looked up: reading needs none of them."""

    def __getitem__(self, name: str) -> DatasetSpec:
        return getattr(import_module(f"svhn.datasets.{_FILES[name]}"), name.upper())

    def __contains__(self, name: object) -> bool:
        return name in _FILES

    def __iter__(self) -> Iterator[str]:
        return iter(_FILES)

    def __len__(self) -> int:
        return len(_FILES)


DATASETS: Mapping[str, DatasetSpec] = _Registry()
