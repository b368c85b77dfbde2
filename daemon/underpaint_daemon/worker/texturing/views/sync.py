"""Synchronised denoising: at each step all views agree on the surface they share.

Each view keeps its own noisy latents; only the clean image that its network believes in is
averaged over the surface (SyncTweedies, NeurIPS 2024, case 2; SyncMVD, SIGGRAPH Asia 2024), by a
correspondence between views instead of a texture atlas, and given back its spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .background import Background
from .correspondence import Correspondence
from .schedule import SyncSchedule
from .variance import align_variance


@dataclass(frozen=True, slots=True)
class Synchroniser:
    """The rewriting hook of `multiview`. masks: (h, w) bool surface of each view; correspondence
    None leaves the views apart (what `single` and unsynchronised comparisons use)."""

    masks: Sequence[Tensor]
    correspondence: Correspondence | None
    background: Background | None = None
    schedule: SyncSchedule = field(default_factory=SyncSchedule)

    def __call__(self, clean: list[Tensor], step: int, steps: int) -> list[Tensor]:
        """Clean latents (1, C, h, w) of all views, made to agree."""
        weight = self.schedule.sync_weight(step, steps)
        if self.correspondence is not None and weight > 0:
            clean = self._agreed(clean, self.schedule.exponent(step, steps), weight)
        if self.background is None:
            return clean
        part, until = step / steps, self.schedule.colours_until
        return [
            self.background.behind(image, mask, i, part, until)
            for i, (image, mask) in enumerate(zip(clean, self.masks, strict=True))
        ]

    def _agreed(self, clean: list[Tensor], exponent: float, weight: float) -> list[Tensor]:
        assert self.correspondence is not None
        mixed = self.correspondence.apply(clean, exponent)
        return [
            torch.lerp(own, align_variance(both, own, mask, self.schedule.variance), weight)
            for own, both, mask in zip(clean, mixed, self.masks, strict=True)
        ]
