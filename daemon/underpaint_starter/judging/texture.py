"""What an object is made of, by its colours and the statistics of its texture.

Features that are written down (colour histograms, local binary patterns, pyramid energies,
gradient orientations and autocorrelation) and a small network on top, trained on renders.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from underpaint.errors import ErrorCode, RequestError
from underpaint_starter.judging.metrics import Mask
from underpaint_starter.scenes.shards import Image8, Shard

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
WEIGHTS = Path(__file__).with_name("texture.safetensors")
_SIDE = 96
_HIDDEN = 192
_SOFTNESS = (0.4, 1.3)  # px, standard deviation of the blur
Row = npt.NDArray[np.float32]


def texture_features(image: Image8, inside: Mask) -> Row:
    """Features of the object at `inside` ((h, w) bool, not empty) of an (h, w, 3) picture."""
    ys, xs = np.nonzero(inside)
    box = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    size = (_SIDE, _SIDE)
    patch = np.asarray(cv2.resize(image[box], size, interpolation=cv2.INTER_AREA))
    within = cv2.resize(inside[box].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    within = within if within.any() else np.ones(size, bool)
    lab = cv2.cvtColor(patch.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    native = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[box].astype(np.float32) / 255
    parts = [
        _colours(patch, lab, within),
        _scales(lab[..., 0] / 100, within),
        _orientations(lab[..., 0] / 100, within),
        _binary_patterns(lab[..., 0], within),
        _binary_patterns(native, inside[box]),
        _repeats(lab[..., 0] / 100, within),
    ]
    return np.concatenate(parts).astype(np.float32)


def _colours(patch: Image8, lab: Row, within: Mask) -> Row:
    hsv = cv2.cvtColor(patch, cv2.COLOR_RGB2HSV)[within].astype(np.float32)
    strong = hsv[:, 1] / 255 + 1e-3
    hue = np.histogram(hsv[:, 0], 18, (0, 180), weights=strong)[0] / len(hsv)
    saturation = np.histogram(hsv[:, 1], 8, (0, 256))[0] / len(hsv)
    value = np.histogram(hsv[:, 2], 10, (0, 256))[0] / len(hsv)
    inner = lab[within] / 100
    moments = [inner.mean(0), inner.std(0), *np.percentile(inner, (5, 25, 75, 95), axis=0)]
    return np.concatenate([hue, saturation, value, *moments])


def _scales(luma: Row, within: Mask) -> Row:
    """Mean strength and peakedness of the details at five scales."""
    out: list[float] = []
    for sigma in (0.7, 1.4, 2.8, 5.6, 11.2):
        detail = cv2.GaussianBlur(luma, (0, 0), sigma) - cv2.GaussianBlur(luma, (0, 0), 2 * sigma)
        inner = detail[within]
        spread = float(inner.std()) + 1e-5
        skew = float(((inner - inner.mean()) ** 3).mean() / spread**3)
        out += [float(np.log(spread)), skew, float(np.abs(inner).mean() / spread)]
    return np.array(out, np.float32)


def _orientations(luma: Row, within: Mask) -> Row:
    """How much of the gradient lies in each direction, and how strong gradients are."""
    out = []
    for sigma in (1.0, 2.5):
        soft = cv2.GaussianBlur(luma, (0, 0), sigma)
        right, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
        strength = np.hypot(right, down)[within]
        angle = (np.arctan2(down, right)[within] % np.pi) / np.pi
        bins = np.histogram(angle, 8, (0, 1), weights=strength)[0] / (strength.sum() + 1e-5)
        out += [np.roll(bins, -int(bins.argmax())), np.percentile(strength, (50, 80, 95, 99))]
    return np.concatenate(out)


def _binary_patterns(luma: Row, within: Mask) -> Row:
    """Rotation-invariant uniform local binary patterns at two radii (Ojala et al. 2002)."""
    out = []
    for radius in (1, 3):
        padded = np.pad(luma, radius, mode="edge")
        turns = np.arange(8) * np.pi / 4
        ring = [
            padded[radius + dy : radius + dy + luma.shape[0], radius + dx :][:, : luma.shape[1]]
            > luma + 1e-3
            for dy, dx in zip(
                np.round(radius * np.sin(turns)).astype(int),
                np.round(radius * np.cos(turns)).astype(int),
                strict=True,
            )
        ]
        bits = np.stack(ring)
        changes = (bits != np.roll(bits, 1, 0)).sum(0)
        code = np.where(changes <= 2, bits.sum(0), 9)[within]
        out.append(np.bincount(code, minlength=10) / max(1, len(code)))
    return np.concatenate(out)


def _repeats(luma: Row, within: Mask) -> Row:
    """Autocorrelation of the shade-free luma along both axes: patterns come back."""
    flat = (luma - cv2.GaussianBlur(luma, (0, 0), 8)) * within
    power = np.abs(np.fft.rfft2(flat)) ** 2
    auto = np.fft.irfft2(power)
    auto = auto / (auto[0, 0] + 1e-6)
    lags = np.arange(2, 34, 2)
    return np.concatenate([auto[lags, 0], auto[0, lags]])


class TextureJudge(nn.Module):
    """Features (n, d) to logits over MATERIALS; knows the features' mean and spread."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.layers = nn.Sequential(
            nn.Linear(width, _HIDDEN),
            nn.GELU(),
            nn.Dropout(0.3),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.GELU(),
            nn.Dropout(0.3),
            nn.Linear(_HIDDEN, len(MATERIALS)),
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Logits (n, materials)."""
        scaled: Tensor = (rows - self.get_buffer("mean")) / self.get_buffer("spread")
        logits: Tensor = self.layers(scaled.clamp(-6, 6))
        return logits

    @torch.no_grad()
    def name(self, image: Image8, inside: Mask) -> str:
        """The material of the object at `inside`."""
        row = torch.from_numpy(texture_features(image, inside))[None]
        return MATERIALS[int(self(row).argmax())]


def objects_of(shards: Iterable[Shard], smallest: int = 400) -> tuple[Tensor, Tensor]:
    """Features (n, d) and material indices (n,) of every object in photo and toon style, as
    rendered and out of focus: a brick is a brick to a soft eye too."""
    rows, names = [], []
    rng = np.random.default_rng(0)
    for shard in shards:
        for index, label in enumerate(shard.labels):
            for thing in label["objects"] if label["style"] in ("photo", "toon") else ():
                inside = shard.object_id[index] == thing["id"]
                inside = cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
                if inside.sum() < smallest:
                    continue
                soft = cv2.GaussianBlur(shard.rgb[index], (0, 0), rng.uniform(*_SOFTNESS))
                rows += [texture_features(image, inside) for image in (shard.rgb[index], soft)]
                names += 2 * [MATERIALS.index(thing["material"])]
    return torch.from_numpy(np.stack(rows)), torch.tensor(names)


def train_texture_judge(rows: Tensor, names: Tensor, epochs: int = 60) -> TextureJudge:
    """Fit the network on features of renders."""
    judge = TextureJudge(rows.shape[1])
    judge.get_buffer("mean").copy_(rows.mean(0))
    judge.get_buffer("spread").copy_(rows.std(0) + 1e-4)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for part in torch.split(torch.randperm(len(rows)), 128):
            noisy = rows[part] + 0.1 * judge.get_buffer("spread") * torch.randn_like(rows[part])
            loss = F.cross_entropy(judge(noisy), names[part], label_smoothing=0.05)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        schedule.step()
    return judge.eval()


def save_texture_judge(judge: TextureJudge, path: Path = WEIGHTS) -> None:
    """Write the weights."""
    save_file({name: value.contiguous() for name, value in judge.state_dict().items()}, path)


def load_texture_judge(path: Path = WEIGHTS) -> TextureJudge:
    """The one that ships with the daemon. Raises RequestError when its file is missing."""
    if not path.exists():
        raise RequestError(ErrorCode.FILE, f"The judge's weights are missing: {path}")
    state = load_file(path)
    judge = TextureJudge(len(state["mean"]))
    judge.load_state_dict(state)
    return judge.eval()
