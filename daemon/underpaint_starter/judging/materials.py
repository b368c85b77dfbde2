"""The material classifier: says what an object is made of, from its pixels alone.

A network that has learnt on photographs looks (`backbone`); a small head over it names. The head
learns from pictures that Blender makes (`swatches`), from none of the starter's own renders, and no
loss of the training uses it. `materials.json`, written beside its weights, states how often it is
right, and what it takes for what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from underpaint.errors import ErrorCode, RequestError
from underpaint_starter.judging.backbone import WIDTH, Backbone
from underpaint_starter.judging.metrics import Mask
from underpaint_starter.judging.texture import texture_features
from underpaint_starter.scenes.captions import MATERIAL_WORDS
from underpaint_starter.scenes.shards import Image8

WORDS = tuple(MATERIAL_WORDS)
SPOILT = ("blurred", "noisy")  # what a picture may show instead of a material
WEIGHTS = Path(__file__).with_name("materials.safetensors")
SIDE = 160  # px of the square that it looks at
_WRITTEN = 165  # numbers that `texture_features` writes down
ROW = WIDTH + _WRITTEN
_FAR = 4.0  # standard deviations; what is farther off tells no more
_MARGIN = 1.04  # of the square around an object
_NEARER, _ASIDE = 1.35, (10, 8)  # of a look at a part: how much nearer, and px from the middle
_FINISHES = frozenset({"plain", "plastic"})  # "smooth", "glossy": said of other materials too
_NO_MATERIAL = frozenset({"", "pattern", "texture"})

# Words that differ by a gloss that 256 px seldom show: told beside the strict figure, never for it.
GROUPS = (frozenset({"plain", "plastic", "clay"}), frozenset({"metal", "chrome"}))


@dataclass(frozen=True, slots=True)
class Readings:
    """logits (n, words and SPOILT) of n objects."""

    logits: Tensor

    @property
    def features(self) -> npt.NDArray[np.float64]:
        """(n, words) for distances between sets: how near each object is to each word."""
        return np.asarray(self.logits[:, : len(WORDS)].double().numpy())

    def names(self) -> list[str]:
        """The likeliest word of each object."""
        return [WORDS[int(k)] for k in self.logits[:, : len(WORDS)].argmax(1)]


def patch_of(image: Image8, inside: Mask) -> Image8:
    """(SIDE, SIDE, 4) uint8: the object at `inside` ((h, w) bool, not empty) of an (h, w, 3)
    picture, scaled to fill the square, all else 0; the last channel is 255 on the object."""
    ys, xs = np.nonzero(inside)
    middle = np.array([xs.min() + xs.max() + 1, ys.min() + ys.max() + 1]) / 2
    side = _MARGIN * max(np.ptp(xs) + 1, np.ptp(ys) + 1)
    scale = float(SIDE / side)
    weight = inside[..., None].astype(np.float32)
    planes = np.concatenate((image * weight, 255 * weight), -1)
    if scale < 1:  # an average first: a warp alone would skip pixels
        size = tuple(max(1, round(n * scale)) for n in inside.shape[::-1])
        planes = cv2.resize(planes, size, interpolation=cv2.INTER_AREA)
        middle, scale = middle * np.array(size) / inside.shape[::-1], 1.0
    shift = SIDE / 2 - middle * scale
    matrix = np.array(
        [[scale, 0, shift[0] + scale / 2 - 0.5], [0, scale, shift[1] + scale / 2 - 0.5]]
    )
    out: Image8 = cv2.warpAffine(planes, matrix, (SIDE, SIDE)).round().astype(np.uint8)
    return out


class MaterialJudge(nn.Module):
    """Rows (n, ROW) of `rows_of` to logits over WORDS and SPOILT; knows rows' mean and spread."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(ROW))
        self.register_buffer("spread", torch.ones(ROW))
        self.words = nn.Linear(ROW, len(WORDS) + len(SPOILT))

    def scaled(self, rows: Tensor) -> Tensor:
        """Rows in standard deviations, what is far off brought near."""
        distance = (rows - self.get_buffer("mean")) / self.get_buffer("spread")
        return distance.clamp(-_FAR, _FAR)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits (n, words and SPOILT)."""
        logits: Tensor = self.words(self.scaled(rows))
        return logits


@cache
def backbone() -> Backbone:
    """The one network that looks; it is loaded once."""
    return Backbone()


def rows_of(patches: Sequence[Image8]) -> Tensor:
    """(n, ROW) what the backbone sees in patches, and what is written down of them: colours,
    scales, directions, repeats."""
    written = np.stack([texture_features(_rgb(p), p[..., 3] > 127) for p in patches])
    return torch.cat((backbone().rows(np.stack(patches)), torch.from_numpy(written)), 1)


def _rgb(patch: Image8) -> Image8:
    return np.ascontiguousarray(patch[..., :3])


def alike(word: str, other: str) -> bool:
    """Whether two words are one, or of one group of GROUPS."""
    return word == other or any(word in group and other in group for group in GROUPS)


def word_in(prompt: str) -> str:
    """The material that a prompt asks for, by the longest of its phrases that stands in it, in
    singular or plural; "" when it names none."""
    text = _stems(prompt)
    found = [
        (word not in _FINISHES, len(phrase), word)
        for word, (adjectives, attributes) in MATERIAL_WORDS.items()
        for phrase in (word, *adjectives, *attributes, *(a.split()[-1] for a in attributes))
        if phrase not in _NO_MATERIAL and _stems(phrase) in text
    ]
    return max(found)[2] if found else ""


def _stems(text: str) -> str:
    """The words between spaces, without their plural."""
    words = re.findall("[a-z]+", text.lower())
    return f" {' '.join(word.removesuffix('s') for word in words)} "


@torch.no_grad()
def read(judge: MaterialJudge, patches: Sequence[Image8]) -> Readings:
    """What the classifier makes of patches (see `patch_of`), at least one: the mean of some looks
    at each."""
    looks = [look for patch in patches for look in looks_at(patch)]
    return Readings(judge(rows_of(looks)).unflatten(0, (len(patches), -1)).mean(1))


def looks_at(patch: Image8) -> list[Image8]:
    """A patch as it is, mirrored, and two parts of it from nearer."""
    x, y = _ASIDE
    mirrored = np.ascontiguousarray(patch[:, ::-1])
    return [patch, mirrored, _part_of(patch, -x, -y), _part_of(patch, x, y)]


def _part_of(patch: Image8, x: int, y: int) -> Image8:
    start = SIDE / 2 - _NEARER * (SIDE / 2 + np.array((x, y)))
    matrix = np.array([[_NEARER, 0, start[0]], [0, _NEARER, start[1]]])
    return np.asarray(cv2.warpAffine(patch, matrix, (SIDE, SIDE)), np.uint8)


def save_materials(judge: MaterialJudge, path: Path = WEIGHTS) -> None:
    """Write half-precision weights."""
    state = judge.state_dict()
    save_file({k: v.half() if v.is_floating_point() else v for k, v in state.items()}, path)


def load_materials(path: Path = WEIGHTS) -> MaterialJudge:
    """The classifier that ships. Raises RequestError when its file is missing."""
    if not path.exists():
        raise RequestError(ErrorCode.FILE, f"The material classifier's weights are missing: {path}")
    state = load_file(path)
    judge = MaterialJudge()
    judge.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return judge.eval()
