"""`MODELS`, by name.

To add one: write `build(image_shape, max_length, fixed_length)` in a file here and list its spec below.
"""

from __future__ import annotations

from svhn.models.conv6 import CONV6
from svhn.models.gru_rows import GRU_ROWS
from svhn.models.kaggle import KAGGLE
from svhn.models.kvn219 import KVN219
from svhn.models.lenet5 import LENET5
from svhn.models.multihead import MULTIHEAD
from svhn.models.residual import FINDER, READER
from svhn.models.shallow import SHALLOW
from svhn.models.svm import SVM
from svhn.spec import ModelSpec

MODELS: dict[str, ModelSpec] = {
    spec.name: spec for spec in (READER, FINDER, KVN219, CONV6, SVM, SHALLOW, LENET5, KAGGLE, MULTIHEAD, GRU_ROWS)
}
