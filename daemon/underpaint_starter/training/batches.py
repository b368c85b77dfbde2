"""Batches of training views at one size, kept in memory once they were prepared."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint_starter.judging.texture import MATERIALS
from underpaint_starter.scenes.shards import (
    Image8,
    Shard,
    read_shard,
    shard_paths,
    to_unit,
    view_arrays,
)
from underpaint_starter.training.codes import Codes
from underpaint_starter.training.config import Stage

UNKNOWN = 255  # material of what is no object


@dataclass(frozen=True, slots=True)
class Batch:
    """rgb (n, 3, h, w) in -1..1; codes (n, 4, h/4, w/4): its latents; depth, normal (n, 3, h, w) in
    0..1 as ControlNets take them; mask (n, 1, h/4, w/4) share of object pixels; materials
    (n, h/4, w/4) int64: index into MATERIALS of the object there, or UNKNOWN; captions."""

    rgb: Tensor
    codes: Tensor
    depth: Tensor
    normal: Tensor
    mask: Tensor
    materials: Tensor
    captions: list[str]


@dataclass(frozen=True, slots=True)
class _Prepared:
    rgb: Image8
    codes: npt.NDArray[np.float16]
    depth: Image8
    normal: Image8
    mask: Image8
    materials: Image8
    captions: list[str]


class BatchSource:
    """Random batches of whole views scaled to the stage's size, and of native crops of that size.

    Holds about size * size * 9 bytes a view, and keeps them in a cache folder for the next start.
    New shards are taken in as they appear.
    """

    def __init__(self, folder: Path, cache: Path, stage: Stage, codes: Codes, seed: int) -> None:
        self.folder, self.cache, self.stage, self.codes = folder, cache, stage, codes
        self._rng = np.random.default_rng(seed)
        self._whole: dict[Path, _Prepared] = {}
        self._crops: dict[Path, _Prepared] = {}

    def __iter__(self) -> Iterator[Batch]:
        while True:
            paths = shard_paths(self.folder)
            path = paths[int(self._rng.integers(len(paths)))]
            self._take(path)
            known = sorted(self._whole)
            for _ in range(4 if len(known) < len(paths) else 64):
                yield self._batch(known)

    def _take(self, path: Path) -> None:
        fresh = [one for one in shard_paths(self.folder) if one not in self._whole]
        path = path if path not in self._whole or not fresh else fresh[0]
        if path in self._whole:
            return
        self._whole[path] = self._prepared(path, cropped=False)
        if self.stage.crops > 0:
            self._crops[path] = self._prepared(path, cropped=True)

    def _prepared(self, path: Path, cropped: bool) -> _Prepared:
        kind = "crops" if cropped else "whole"
        kept = self.cache / f"{path.stem}_{self.stage.size}_{kind}_{self.codes.tag}.npz"
        if not kept.exists():
            shard = read_shard(path)
            boxes = [self._box(shard, index) if cropped else None for index in range(len(shard))]
            _keep(_prepare(shard, boxes, self.stage.size, self.codes), kept)
        with np.load(kept) as data:
            return _Prepared(
                data["rgb"],
                data["codes"],
                data["depth"],
                data["normal"],
                data["mask"],
                data["materials"],
                [str(text) for text in data["captions"]],
            )

    def _box(self, shard: Shard, index: int) -> tuple[int, int, int]:
        """A native-scale crop whose centre lies on an object, as far as the border lets it."""
        side, whole = self.stage.size, shard.rgb.shape[1]
        spots = np.argwhere(shard.object_id[index] >= 2)
        middle = spots[self._rng.integers(len(spots))] if len(spots) else np.full(2, whole // 2)
        top, left = np.clip(middle - side // 2, 0, whole - side)
        return int(top), int(left), side

    def _batch(self, known: list[Path]) -> Batch:
        rows = []
        for _ in range(self.stage.batch):
            path = known[int(self._rng.integers(len(known)))]
            cropped = path in self._crops and self._rng.random() < self.stage.crops
            prepared = self._crops[path] if cropped else self._whole[path]
            rows.append((prepared, int(self._rng.integers(len(prepared.captions)))))
        depth = np.stack([p.depth[i] for p, i in rows])[..., None].repeat(3, -1)
        normal = np.stack([p.normal[i] for p, i in rows])
        mask = torch.from_numpy(np.stack([p.mask[i] for p, i in rows]))[:, None].float() / 255
        return Batch(
            to_unit(np.stack([p.rgb[i] for p, i in rows])),
            torch.from_numpy(np.stack([p.codes[i] for p, i in rows])).float(),
            (to_unit(depth) + 1) / 2,
            (to_unit(normal) + 1) / 2,
            torch.nn.functional.avg_pool2d(mask, 4),
            torch.from_numpy(np.stack([p.materials[i] for p, i in rows])).long(),
            [p.captions[i] for p, i in rows],
        )


def material_map(shard: Shard, index: int, box: tuple[int, int, int] | None, size: int) -> Image8:
    """(size, size) uint8 of the middle of each patch of a view: the object's material as an index
    into MATERIALS; UNKNOWN off the objects and in painterly styles."""
    top, left, side = box or (0, 0, shard.object_id.shape[1])
    label = shard.labels[index]
    names = np.full(256, UNKNOWN, np.uint8)
    for thing in label["objects"] if label["style"] in ("photo", "toon") else ():
        names[thing["id"]] = MATERIALS.index(thing["material"])
    middles = ((np.arange(size) + 0.5) * side / size).astype(int)
    ids: Image8 = shard.object_id[index][top + middles[:, None], left + middles]
    return np.asarray(names[ids])


def _prepare(
    shard: Shard, boxes: list[tuple[int, int, int] | None], size: int, codes: Codes
) -> _Prepared:
    views = [view_arrays(shard, index, box, size) for index, box in enumerate(boxes)]
    rgb, depth, normal, mask = (np.stack(planes) for planes in zip(*views, strict=True))
    latents = codes.encode(to_unit(rgb)).half().cpu().numpy()
    maps = [material_map(shard, index, box, size // 4) for index, box in enumerate(boxes)]
    return _Prepared(rgb, latents, depth, normal, mask, np.stack(maps), shard.captions)


def _keep(views: _Prepared, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    with partial.open("wb") as file:
        np.savez(
            file,
            rgb=views.rgb,
            codes=views.codes,
            depth=views.depth,
            normal=views.normal,
            mask=views.mask,
            materials=views.materials,
            captions=np.array(views.captions),
        )
    os.replace(partial, path)
