"""Reading rendered shards: random crops for the autoencoder, whole views for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.worker.pipelines.controls.conditioning import depth_control

Image8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shard:
    """Rendered views with what made them.

    rgb, normal: (n, h, w, 3) uint8; depth: (n, h, w) float16 metres, inf = background; object_id:
    (n, h, w) uint8 (0 background, 1 ground, 2.. objects); labels: see `dataset.labels_of`.
    """

    rgb: Image8
    depth: npt.NDArray[np.float16]
    normal: Image8
    object_id: Image8
    captions: list[str]
    labels: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.captions)


def shard_paths(folder: Path) -> list[Path]:
    """Whole shards of a folder, in seed order. Raises RequestError when there is none."""
    paths = sorted(folder.glob("shard_*.npz"))
    if not paths:
        raise RequestError(ErrorCode.FILE, f"No rendered shards in {folder}")
    return paths


def read_shard(path: Path) -> Shard:
    """Load one shard into memory."""
    with np.load(path) as data:
        return Shard(
            data["rgb"],
            data["depth"],
            data["normal"],
            data["object_id"],
            [str(text) for text in data["captions"]],
            [json.loads(str(text)) for text in data["labels"]],
        )


def resize_area(image: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """(h, w[, c]) to (size, size[, c]) by area averaging (identity at the same size)."""
    if image.shape[0] == size:
        return image
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA))


def view_arrays(shard: Shard, index: int, box: tuple[int, int, int] | None, size: int) -> list[Any]:
    """One view as training sees it: rgb, depth control, normal control, object mask.

    `box`: (top, left, side) of a native crop, None for the whole view; the result is scaled to
    `size`. Depth is made relative within what is shown, as at inference.
    """
    top, left, side = box or (0, 0, shard.rgb.shape[1])
    cut = (index, slice(top, top + side), slice(left, left + side))
    depth = depth_control(shard.depth[cut].astype(np.float32))[..., 0]
    mask = ((shard.object_id[cut] >= 2) * np.uint8(255)).astype(np.uint8)
    return [resize_area(plane, size) for plane in (shard.rgb[cut], depth, shard.normal[cut], mask)]


def to_unit(images: Image8) -> Tensor:
    """(n, h, w, 3) uint8 to (n, 3, h, w) float32 in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


def from_unit(images: Tensor) -> Image8:
    """(n, 3, h, w) in -1..1 to (n, h, w, 3) uint8."""
    scaled = ((images.detach().float().clamp(-1, 1) + 1) * 127.5).round()
    out: Image8 = scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return out


def crops(folder: Path, crop: int, batch: int, seed: int) -> Iterator[Tensor]:
    """Endless (batch, 3, crop, crop) crops in -1..1: half of native views, half of views scaled
    to 128 px. Shards are visited in turn and looked up anew, so that data may still grow."""
    rng = np.random.default_rng(seed)
    while True:
        for path in rng.permutation(np.array(shard_paths(folder), dtype=object)):
            with np.load(path) as data:
                images = data["rgb"]
            for _ in range(24):
                yield to_unit(np.stack([_random_crop(images, crop, rng) for _ in range(batch)]))


def _random_crop(images: Image8, crop: int, rng: np.random.Generator) -> Image8:
    image: Image8 = images[int(rng.integers(len(images)))]
    if rng.random() < 0.5 and crop <= image.shape[0] // 2:
        image = resize_area(image, image.shape[0] // 2)
    top, left = rng.integers(0, image.shape[0] - crop + 1, 2)
    return image[top : top + crop, left : left + crop]
