"""The data sets, by name.

To add one: write a file beside this one that ends in a `DatasetSpec`, and put it into `DATASETS`. Pictures with a
digitStruct.mat need nothing but the spec, with `format1`'s functions; without `locate` where its boxes are not those of
single digits. Anything else brings its own: `entries` lists what there is, `load` reads the pixels of one entry, and
`checksum` tells one state of the source from another; none of them may import TensorFlow, as worker processes call
them. The contract tests over `DATASETS` then hold it.
"""

from __future__ import annotations

from svhn.datasets.folder import FOLDER
from svhn.datasets.mnist import MNIST
from svhn.datasets.mnist_stacked import MNIST_STACKED, MNIST_STACKED_VARIED, MNIST_STACKED_VERTICAL
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
        SYNTHETIC,
        SVHN_CROPPED,
        MNIST,
        MNIST_STACKED,
        MNIST_STACKED_VERTICAL,
        MNIST_STACKED_VARIED,
        FOLDER,
    )
}
