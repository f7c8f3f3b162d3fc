"""The data sets, by name.

To add one, write a file beside this one that ends in a `DatasetSpec`, and put the spec into `DATASETS`. For pictures
with a digitStruct.mat, the spec takes the functions of `format1`; leave out `locate` if the boxes are not those of
single digits. For any other format, write three functions: `entries` lists the labeled pictures, `load` reads the
pixels of one entry, and `checksum` changes when the source does. Worker processes call them, so they must not import
TensorFlow. The contract tests over `DATASETS` then check the new data set, too.
"""

from __future__ import annotations

from svhn.datasets.arranged.dataset import SVHN_ARRANGED
from svhn.datasets.folder import FOLDER
from svhn.datasets.mnist import MNIST
from svhn.datasets.mnist_stacked import MNIST_STACKED, MNIST_STACKED_VARIED, MNIST_STACKED_VERTICAL
from svhn.datasets.scenes.dataset import SVHN_SCENES
from svhn.datasets.svhn import SVHN
from svhn.datasets.svhn_cropped import SVHN_CROPPED
from svhn.datasets.svhn_full import SVHN_FULL
from svhn.datasets.synthetic.dataset import SYNTHETIC
from svhn.spec import DatasetSpec

DATASETS: dict[str, DatasetSpec] = {
    spec.name: spec
    for spec in (
        SVHN,
        SVHN_FULL,
        SVHN_ARRANGED,
        SVHN_SCENES,
        SYNTHETIC,
        SVHN_CROPPED,
        MNIST,
        MNIST_STACKED,
        MNIST_STACKED_VERTICAL,
        MNIST_STACKED_VARIED,
        FOLDER,
    )
}
