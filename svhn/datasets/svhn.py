"""Street View House Numbers, Format 1: whole numbers in their pictures.

Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Feature Learning. For non-commercial use.
"""

from __future__ import annotations

from svhn.datasets import format1
from svhn.spec import Archive, Augmentation, DatasetSpec

SVHN = DatasetSpec(
    name="svhn",
    size=(57, 95),  # numbers are wider than high; a random crop of 27/32 is 48 x 80
    margin=0.15,
    channels=3,
    max_length=5,
    longer=True,  # one number published has six digits: train/29930.png
    image_format="jpeg",
    sources={  # sizes as served; sha256 of train and test as pinned by mindee/doctr; nobody publishes that of extra
        "train": (
            Archive("train.tar.gz", 404_141_560, "4b17bb33b6cd8f963493168f80143da956f28ec406cc12f8e5745a9f91a51898"),
        ),
        "test": (
            Archive("test.tar.gz", 276_555_967, "57ac9ceb530e4aa85b55d991be8fc49c695b3d71c6f6a88afea86549efde7fb5"),
        ),
        "extra": (Archive("extra.tar.gz", 1_955_489_752),),
    },
    valid_from=("train", "extra"),
    entries=format1.list_entries,
    load=format1.load_picture,
    locate=format1.locate_digits,
    present=format1.is_present,
    checksum=format1.compute_checksum,
    describe=format1.describe_boxes,
    pictures=format1.get_pictures_folder,
    path=format1.get_picture_path,
    augmentation=Augmentation(  # the random crop shifts the picture already
        joining=0.1,
        rotation=5,
        scale=0.12,
        shear=0.1,
        blur=0.66,
        erasing=0.3,
        saturation=0.5,
        contrast=0.5,
        brightness=0.2,
        tint=0.05,
        inversion=0.5,
    ),
    url="http://ufldl.stanford.edu/housenumbers",
)
