"""T2I-Adapters (Mou et al. 2023): an image's features, computed once, added inside the UNet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Control


@dataclass(frozen=True, slots=True)
class Features:
    """What an adapter says about an image: a (1, c, h, w) tensor for each level of the UNet."""

    control: Control
    levels: tuple[Tensor, ...]


def check_adapter(adapter: Any, unet: Any, cell: int, name: str) -> None:
    """Raise RequestError(MODEL_BROKEN) unless an adapter's features have the channels and the size
    of the UNet's levels. `cell`: pixels a side of a latent cell."""
    config, channels = adapter.config, tuple(unet.config.block_out_channels)
    # SDXL's first level has no attention, and its adapters begin after it.
    late = unet.config.down_block_types[0] == "DownBlock2D"
    levels = (*config.channels, config.channels[-1])  # what a light adapter makes of them
    fits = (
        levels[: len(channels)] == channels
        and config.adapter_type.endswith("_xl") == late
        and config.downscale_factor == cell * (1 + late)
    )
    if not fits:
        raise RequestError(
            ErrorCode.MODEL_BROKEN,
            f"{name} was made for another family: a T2I-Adapter of {config.adapter_type}, with "
            f"levels of {', '.join(map(str, config.channels))} channels",
            hint="Give a T2I-Adapter made for this model's family.",
        )


@torch.no_grad()
def features(adapter: Any, control: Control, image: Tensor) -> Features:
    """Read an image (1, 3, h, w), 0..1; adapters that read one channel get its mean."""
    folded = int(adapter.config.in_channels)
    pixels = image if folded == image.shape[1] else image.mean(1, keepdim=True)
    found = adapter(pixels.to(adapter.device, adapter.dtype))
    return Features(control, tuple(level * control.scale for level in found))


@contextmanager
def applied(unet: Any, told: Sequence[Features], timesteps: int) -> Iterator[None]:
    """Add the features to every call of the UNet in the block, within each control's range.

    `timesteps`: of the noise schedule; a control's range is a part of it.
    """
    if not told:
        yield
        return

    def hook(module: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        del module
        at = args[1] if len(args) > 1 else named["timestep"]
        done = 1 - float(torch.as_tensor(at).flatten()[0]) / timesteps
        acting = [one for one in told if one.control.start <= done <= one.control.end]
        if acting:
            sums = [
                torch.stack(level).sum(0) for level in zip(*(a.levels for a in acting), strict=True)
            ]
            named = {**named, "down_intrablock_additional_residuals": sums}
        return args, named

    handle = unet.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
