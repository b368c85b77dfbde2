"""The judge: a small network that looks at a picture and says what it sees in it.

Trained on renders only, it never sees control images: given an image it tells where the objects
are, which parts are near, and what each part is made of. The evaluation compares that with the
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

MATERIALS = [
    "plain",
    "plastic",
    "brick",
    "wooden",
    "planks",
    "bark",
    "marble",
    "stone",
    "concrete",
    "mossy",
    "cracked",
    "tiles",
    "rusty",
    "metal",
    "chrome",
    "gold",
    "copper",
    "leather",
    "woven",
    "scales",
    "fur",
    "leaves",
    "striped",
    "checkered",
    "zigzag",
    "spotted",
    "clay",
    "glass",
    "lava",
    "ice",
]
WEIGHTS = Path(__file__).with_name("judge.safetensors")
_WIDTHS = (24, 48, 80, 112, 128)


@dataclass(frozen=True, slots=True)
class Verdict:
    """mask: (n, h, w) probability of an object; near: (n, h, w) relative inverse depth, 0..1;
    materials: (n, 30, h/8, w/8) logits; features: (n, 128) for distances between sets."""

    mask: Tensor
    near: Tensor
    materials: Tensor
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
        self.materials = nn.Sequential(
            nn.Conv2d(_WIDTHS[2] * 2, 128, 1), nn.SiLU(), nn.Conv2d(128, len(MATERIALS), 1)
        )

    def forward(self, images: Tensor) -> Verdict:
        """Judge images."""
        x = images
        skips: list[Tensor] = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        features = x.float().mean((2, 3))
        third = skips[2]
        for block, skip in zip(self.up, skips[-2::-1], strict=True):
            x = block(torch.cat((F.interpolate(x, scale_factor=2.0), skip), 1))
            if x.shape[-1] == third.shape[-1]:
                materials = self.materials(torch.cat((x, third), 1))
        planes = F.interpolate(self.planes(x).float(), scale_factor=2.0, mode="bilinear").sigmoid()
        return Verdict(planes[:, 0], planes[:, 1], materials.float(), features)


def judge_loss(verdict: Verdict, mask: Tensor, near: Tensor, material: Tensor) -> Tensor:
    """mask, near: (n, h, w) in 0..1; material: (n, h/8, w/8) class index, -1 = nothing to say."""
    silhouette = F.binary_cross_entropy(verdict.mask.clamp(1e-5, 1 - 1e-5), mask)
    depth = F.l1_loss(verdict.near, near)
    if (material >= 0).any():
        named = F.cross_entropy(verdict.materials, material, ignore_index=-1, label_smoothing=0.05)
    else:
        named = verdict.materials.sum() * 0
    return silhouette + depth + 0.5 * named


def material_of(verdict: Verdict, index: int, region: Tensor) -> str:
    """The material seen in a region ((h, w) bool) of one image: the most likely on the whole."""
    logits = verdict.materials[index].log_softmax(0)
    weight = F.interpolate(region[None, None].float(), logits.shape[1:], mode="area")[0]
    return MATERIALS[int((logits * weight).sum((1, 2)).argmax())]


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
