"""What lies behind the object while it is painted: plain colours, so that no scenery is invented
whose outlines would bleed onto the surface."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint_daemon.worker.pipelines.latents import encode_images, vae_scale
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel

_GREY = 0.5
_COLOURS = (
    (0.85, 0.20, 0.20),
    (0.20, 0.70, 0.25),
    (0.20, 0.35, 0.85),
    (0.90, 0.80, 0.20),
    (0.60, 0.25, 0.75),
    (0.20, 0.75, 0.75),
    (0.95, 0.55, 0.15),
    (0.90, 0.90, 0.90),
)
_CELLS = 8


@dataclass(frozen=True, slots=True)
class Background:
    """Clean latents (C, 1, 1) of plain colours: one of each view's own, and a neutral grey."""

    own: tuple[Tensor, ...]
    grey: Tensor

    def behind(self, clean: Tensor, mask: Tensor, view: int, part: float, until: float) -> Tensor:
        """Clean latents (1, C, h, w) with a plain background outside mask (h, w) bool.

        part: of the steps, 0..1; before `until` each view has a colour of its own, which keeps
        the object from blending into it; grey afterwards.
        """
        colour = self.own[view] if part < until else self.grey
        return torch.where(mask, clean, colour.to(clean))


def make_background(model: LoadedModel, views: int, seed: int) -> Background:
    """Backgrounds for a number of views; which colours is drawn from the seed."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randint(len(_COLOURS), (views,), generator=generator).tolist()
    used = {index: _latent(model, _COLOURS[index]) for index in sorted(set(order))}
    return Background(tuple(used[i] for i in order), _latent(model, (_GREY,) * 3))


def _latent(model: LoadedModel, colour: tuple[float, float, float]) -> Tensor:
    """The latent of a plain colour, taken from the middle of a plain picture."""
    side = _CELLS * vae_scale(model.vae)
    picture = torch.tensor(colour)[None, :, None, None].expand(1, 3, side, side)
    latent = encode_images(model.vae, picture.contiguous())[0]
    middle = slice(_CELLS // 2 - 1, _CELLS // 2 + 1)
    plain: Tensor = latent[:, middle, middle].mean((1, 2), keepdim=True)
    return plain
