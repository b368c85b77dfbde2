"""Training windows in memory, on the device that trains, as small as they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from underpaint_starter.training.guided.word_codes import read_labels

_NO_LABELS = (-1, -1, -1)


class WindowStore:
    """Windows of a folder that may still grow.

    guide, normal, depth, rgb (n, h, w, 3) uint8; codes (n, 4, h/4, w/4) float16; mask (n, h/4, w/4)
    bool, where objects are; labels (n, 3) int64 of `word_codes`, -1 where several things are seen;
    captions.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._folder, self._device = folder, device
        self._names: set[str] = set()
        self.captions: list[str] = []
        self._parts: dict[str, list[Tensor]] = {}
        self._whole: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self.captions)

    def look(self) -> bool:
        """Take in the files that came since; whether there were any."""
        found = sorted(self._folder.glob("windows_*.npz"))
        fresh = [path for path in found if path.name not in self._names]
        for path in fresh:
            self._take(path)
        if fresh:
            self._whole = {key: torch.cat(parts) for key, parts in self._parts.items()}
        return bool(fresh)

    def _take(self, path: Path) -> None:
        with np.load(path) as data:
            ids = data["object_id"]
            captions = [str(text) for text in data["caption"]]
            alone = [one.max() == 2 and not (one == 1).any() for one in ids]
            pairs = zip(captions, data["material"], alone, strict=True)
            labels = [read_labels(c, str(m)) if yes else _NO_LABELS for c, m, yes in pairs]
            planes = {
                "depth": torch.from_numpy(data["depth"])[..., None].expand(-1, -1, -1, 3),
                **{key: torch.from_numpy(data[key]) for key in ("guide", "normal", "rgb")},
                "codes": torch.from_numpy(data["codes"]),
                "mask": torch.from_numpy(ids >= 2)[:, ::4, ::4],
                "labels": torch.tensor(labels),
            }
        self._names.add(path.name)
        self.captions += captions
        for key, plane in planes.items():
            self._parts.setdefault(key, []).append(plane.to(self._device))

    def __getitem__(self, name: str) -> Tensor:
        return self._whole[name]

    def images(
        self, name: str, rows: Tensor, box: tuple[slice, slice] = (slice(None), slice(None))
    ) -> Tensor:
        """Rows of a picture, or of a box of it, as (n, 3, h, w) 0..1, channels last."""
        chosen = self._whole[name][rows][:, *box].permute(0, 3, 1, 2).float() / 255
        return chosen.contiguous(memory_format=torch.channels_last)
