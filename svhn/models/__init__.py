"""`MODELS`, by name. To add one: write `build(image_shape, max_length)` in a file here and list its spec below."""

from __future__ import annotations

from svhn.models.kvn219 import KVN219
from svhn.models.residual import SVHN
from svhn.spec import ModelSpec

MODELS: dict[str, ModelSpec] = {spec.name: spec for spec in (SVHN, KVN219)}
