# pyright: reportMissingImports=false
"""The network of `svhn/models/residual.py` in PyTorch, and its training step, for comparison."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as all PyTorch code names it

KEYS = 64
CLASSES = 10


def _make_convolution(inputs: int, filters: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, filters, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(filters, 1e-3, 0.05)
    )


class ResidualBlock(nn.Module):
    def __init__(self, inputs: int, filters: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second = _make_convolution(inputs, filters, stride=stride), _make_convolution(filters, filters)
        same = stride == 1 and inputs == filters
        self.shortcut = nn.Identity() if same else _make_convolution(inputs, filters, 1, stride)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.dropout(F.relu(self.first(x))))
        return F.relu(y + self.shortcut(x))


class Svhn(nn.Module):
    """As `svhn.models.residual.build` with `attention_heads`: pictures (batch, 3, height, width) in 0…255 to logits."""

    def __init__(
        self,
        stem: int,
        stages: tuple[tuple[int, int, int], ...],
        dropout: float,
        size: tuple[int, int],
        max_length: int,
    ) -> None:
        super().__init__()
        channels, stride = stem, 2
        parts: list[nn.Module] = [_make_convolution(3, channels, stride=stride), nn.ReLU()]
        for filters, blocks, down in stages:
            for block in range(blocks):
                parts.append(ResidualBlock(channels, filters, down if block == 0 else 1, dropout))
                channels = filters
            stride *= down
        self.features = nn.Sequential(*parts)
        places = (size[0] // stride) * (size[1] // stride)
        self.keys = nn.Sequential(_make_convolution(channels, KEYS), nn.ReLU(), nn.Flatten())
        self.slots, self.max_length = max_length + 1, max_length
        self.where = nn.Linear(KEYS * places, self.slots * places)
        self.digits, self.length = nn.Linear(channels, CLASSES), nn.Linear(channels, max_length + 2)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x = F.layer_norm(images, images.shape[1:], eps=1.0)
        x = self.features(x)
        places = self.where(self.keys(x)).view(len(x), self.slots, -1).softmax(dim=-1)
        seen = places.to(x.dtype) @ x.flatten(2).transpose(1, 2)
        return self.digits(seen[:, : self.max_length]), self.length(seen[:, self.max_length])


def make_train_step(model: nn.Module) -> Callable[[Tensor, Tensor], float]:
    """A function of pictures and digits (batch, max_length), -1 past the length, that trains and returns the loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4)
    average = copy.deepcopy(model)

    def step(images: Tensor, digits: Tensor) -> float:
        model.train()
        with torch.autocast("cpu", torch.bfloat16):
            digit_logits, length_logits = model(images)
        slots = F.cross_entropy(
            digit_logits.float().flatten(0, 1), digits.flatten(), ignore_index=-1, reduction="sum", label_smoothing=0.05
        )
        loss = slots / len(images) + F.cross_entropy(
            length_logits.float(), (digits >= 0).sum(dim=1), label_smoothing=0.05
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 0.001)
        return loss.item()

    return step
