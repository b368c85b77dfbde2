"""The judge: a small network that looks at a picture and says what it sees in it.

Trained on renders only, it never sees control images: given an image it tells where the objects
are and which parts are near. The evaluation compares that with the
scene that was asked for, and reports how well the judge does on real renders as the ceiling.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from underpaint.errors import ErrorCode, RequestError

WEIGHTS = Path(__file__).with_name("judge.safetensors")
SIZE = 192  # px of the whole pictures that it is trained on, and looks at
_WIDTHS = (24, 48, 80, 112, 128)
_PAIRS, _STEEPNESS, _ORDER_WEIGHT = 512, 30.0, 0.3


@dataclass(frozen=True, slots=True)
class Verdict:
    """mask: (n, h, w) probability of an object; near: (n, h, w) relative inverse depth, 0..1;
    features: (n, 128) for distances between sets."""

    mask: Tensor
    near: Tensor
    features: Tensor


def _block(inside: int, outside: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1),
        nn.GroupNorm(8, outside),
        nn.SiLU(),
        nn.Conv2d(outside, outside, 3, 1, 1),
        nn.GroupNorm(8, outside),
        nn.SiLU(),
    )


class Judge(nn.Module):
    """A U-Net from (n, 3, h, w) images in -1..1, h and w multiples of 32, to a Verdict."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, *_WIDTHS)
        self.down = nn.ModuleList(_block(a, b, 2) for a, b in pairwise(widths))
        pairs = list(zip(_WIDTHS[:0:-1], _WIDTHS[-2::-1], strict=True))
        self.up = nn.ModuleList(_block(a + b, b, 1) for a, b in pairs)
        self.planes = nn.Conv2d(_WIDTHS[0], 2, 3, 1, 1)

    def forward(self, images: Tensor) -> Verdict:
        """Judge images."""
        x = images
        skips: list[Tensor] = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        features = x.float().mean((2, 3))
        for block, skip in zip(self.up, skips[-2::-1], strict=True):
            x = block(torch.cat((F.interpolate(x, scale_factor=2.0), skip), 1))
        planes = F.interpolate(self.planes(x).float(), scale_factor=2.0, mode="bilinear").sigmoid()
        return Verdict(planes[:, 0], planes[:, 1], features)

    def look(self, images: Tensor) -> Verdict:
        """Judge square images of any size at the size it was trained on; the planes come back at
        the images' own."""
        height, width = images.shape[-2:]
        verdict = self(F.interpolate(images, (SIZE, SIZE), mode="area"))
        planes = torch.stack((verdict.mask, verdict.near), 1)
        planes = F.interpolate(planes, (height, width), mode="bilinear")
        return Verdict(planes[:, 0], planes[:, 1], verdict.features)


def judge_loss(verdict: Verdict, mask: Tensor, near: Tensor) -> Tensor:
    """mask, near: (n, h, w) in 0..1. Silhouettes, depths, and the order of depth of pairs of
    places on objects (Chen et al. 2016, "Single-image depth perception in the wild")."""
    silhouette = F.binary_cross_entropy(verdict.mask.clamp(1e-5, 1 - 1e-5), mask)
    weight = 1 + 3 * mask
    depth = (weight * (verdict.near - near).abs()).mean() / weight.mean()
    return silhouette + depth + _ORDER_WEIGHT * _order_loss(verdict.near, mask, near)


def _order_loss(mine: Tensor, mask: Tensor, near: Tensor) -> Tensor:
    spots = torch.multinomial(mask.flatten(1) + 1e-6, 2 * _PAIRS, replacement=True)
    one, other = spots.chunk(2, 1)
    nearer = near.flatten(1).gather(1, one) - near.flatten(1).gather(1, other)
    told = mine.flatten(1).gather(1, one) - mine.flatten(1).gather(1, other)
    return F.softplus(-_STEEPNESS * nearer.sign() * told)[nearer != 0].mean().nan_to_num()


def save_judge(judge: Judge, path: Path = WEIGHTS) -> None:
    """Write half-precision weights."""
    save_file({name: value.half() for name, value in judge.state_dict().items()}, path)


def load_judge(path: Path = WEIGHTS) -> Judge:
    """The judge that ships with the daemon. Raises RequestError when its file is missing."""
    if not path.exists():
        raise RequestError(ErrorCode.FILE, f"The judge's weights are missing: {path}")
    judge = Judge()
    judge.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return judge.eval()
