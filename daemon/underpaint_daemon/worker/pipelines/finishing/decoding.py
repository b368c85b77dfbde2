"""A denoised picture, as its model's VAE decodes it."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor

from underpaint.requests import TileAxes

from ..latents import decode_latents, vae_scale
from ..loading.components import LoadedModel
from ..memory import Tier
from ..tiling import with_margins
from .windows import in_windows

_SMALL = 4  # windows, in any shape: live painting's quick pictures have the viewport's


def decoded(
    model: LoadedModel, latents: Tensor, tile: TileAxes = TileAxes.OFF, tier: Tier = Tier.FULL
) -> Tensor:
    """A denoised picture (1, 3, h, w), 0–1, on the CPU."""
    if model.family.self_decoding:
        return latents
    if model.decode_window is not None or tier is Tier.FULL or tile is TileAxes.OFF:
        return decoded_by(model.vae, latents, model.decode_window, tile)
    decode = partial(decode_latents, model.vae)
    return with_margins(latents, tile, decode, vae_scale(model.vae))


def decoded_by(
    vae: Any, latents: Tensor, window: int | None, tile: TileAxes = TileAxes.OFF
) -> Tensor:
    """Scaled latents (n, c, h, w) to pictures (n, 3, h', w'), 0–1, whole or in windows of so many
    pixels a side. A whole picture wraps along `tile` if the VAE's convolutions do. Small pictures
    are decoded whole: windows would take them twice the time, and they gain little."""
    cell = vae_scale(vae)
    if window is None or (tile is TileAxes.OFF and _small(latents, window // cell)):
        return decode_latents(vae, latents)
    return in_windows(latents, window // cell, cell, partial(decode_latents, vae), tile)


def wrapping(model: LoadedModel, tier: Tier) -> list[Any]:
    """The networks whose convolutions are to wrap where a picture repeats. A decoder that is given
    blocks cannot (see `with_margins`, `in_windows`)."""
    if model.family.self_decoding:
        return []
    others = [part for part in model.networks if part is not model.vae]
    if tier is not Tier.FULL:
        return others
    return [*others, model.vae if model.decode_window is None else model.vae.encoder]


def _small(latents: Tensor, window: int) -> bool:
    return latents.shape[2] * latents.shape[3] <= _SMALL * window**2
