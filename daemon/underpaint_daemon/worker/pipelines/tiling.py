"""Images that repeat without a seam: convolutions that reach around the edge to the other side.

A UNet or VAE whose every convolution pads circularly is a map on the torus: nothing in it knows
where the image begins, so nothing shows there. Attention without positions and group norms are
already so. The convolutions are patched one by one for the time of a block, never their class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from underpaint.requests import TileAxes

_PATCHED = "_conv_forward"
_MARGIN_CELLS = 16
_FAINTEST = 1e-9
_FEWEST_CELLS = 4
Axes = tuple[bool, bool]
"""Whether (x, y) repeat."""


def axes_of(tile: TileAxes) -> Axes:
    """Whether x and y repeat."""
    return tile in (TileAxes.X, TileAxes.XY), tile in (TileAxes.Y, TileAxes.XY)


@contextmanager
def circular(networks: Sequence[Any], tile: TileAxes) -> Iterator[None]:
    """Make every convolution of `networks` wrap along the axes of `tile` within the block.

    Afterwards the networks are as before: the patch is an attribute of each module, taken off
    again. Networks that are put on later (LoRAs) are not reached: enter this block last.
    """
    if tile is TileAxes.OFF:
        yield
        return
    axes, patched = axes_of(tile), list[nn.Conv2d]()
    try:
        for network in networks:
            for layer, forward in _wrapping(network, axes):
                setattr(layer, _PATCHED, forward)
                patched.append(layer)
        yield
    finally:
        for layer in patched:
            delattr(layer, _PATCHED)


def _wrapping(network: nn.Module, axes: Axes) -> Iterator[tuple[nn.Conv2d, Callable[..., Tensor]]]:
    """Every convolution that reads beyond the edge, and how it is to work instead."""
    # diffusers' encoders pad for these themselves, by one row and column of zeros at the end.
    padded_before = {
        id(module.conv)
        for module in network.modules()
        if type(module).__name__ == "Downsample2D" and getattr(module, "padding", 1) == 0
    }
    for module in network.modules():
        if not isinstance(module, nn.Conv2d):
            continue
        if id(module) in padded_before:
            yield module, partial(_wrap_end, module, axes)
        elif not isinstance(module.padding, str) and any(module.padding):
            yield module, partial(_wrap_padding, module, axes)


def _wrap_padding(
    layer: nn.Conv2d, axes: Axes, image: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    """The layer's convolution; what it pads comes from the other side along repeating axes."""
    down, across = int(layer.padding[0]), int(layer.padding[1])
    image = _padded(image, (across, across, 0, 0), wrap=axes[0])
    image = _padded(image, (0, 0, down, down), wrap=axes[1])
    return functional.conv2d(image, weight, bias, layer.stride, 0, layer.dilation, layer.groups)


def _padded(image: Tensor, margins: tuple[int, int, int, int], *, wrap: bool) -> Tensor:
    return functional.pad(image, margins, mode="circular" if wrap else "constant")


def _wrap_end(
    layer: nn.Conv2d, axes: Axes, image: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    """The same for an image that carries one more row and column at its end."""
    image = image.clone()
    if axes[0]:
        image[..., -1] = image[..., 0]
    if axes[1]:
        image[..., -1, :] = image[..., 0, :]
    return functional.conv2d(image, weight, bias, layer.stride, 0, layer.dilation, layer.groups)


def with_margins(
    latents: Tensor, tile: TileAxes, decode: Callable[[Tensor], Tensor], factor: int
) -> Tensor:
    """Decode latents (1, c, h, w) that repeat with a VAE that works in blocks.

    Blocks cannot wrap by themselves: each would join its own edges. So the image is continued
    beyond its edges, decoded, and cut back; the seam lies where the decoder cannot tell.
    """
    across, down = (_MARGIN_CELLS if repeats else 0 for repeats in axes_of(tile))
    height, width = latents.shape[2:]
    rows = torch.arange(-down, height + down) % height
    columns = torch.arange(-across, width + across) % width
    image = decode(latents[:, :, rows][:, :, :, columns])
    top, left = down * factor, across * factor
    return image[..., top : top + height * factor, left : left + width * factor]


def wrap_ratios(image: npt.NDArray[Any], cell: int) -> tuple[float, float]:
    """How visible the seams of a repeating image (h, w, …) are, in x and y: the mean step across
    the wrap over the mean step between neighbours inside. 1 = like any other place.

    cell: pixels of a cell of the coarsest grid. The networks' steps from cell to cell differ from
    those within, and the wrap lies between cells, so it is compared with its like.
    """
    (x, inside_x), (y, inside_y) = (_steps(image, axis, cell) for axis in (1, 0))
    return _ratio(x, inside_x), _ratio(y, inside_y)


def wrap_deviations(image: npt.NDArray[Any], cell: int) -> tuple[float, float]:
    """How far the wrap's step, in x and y, lies above the mean of the lines inside, in their
    standard deviations.

    A ratio is of one line, and lines of one image differ among themselves (by 10 to 30 % in
    materials of 512 pixels): within about 2 the wrap is one of them, far above it is a seam.
    """
    (x, inside_x), (y, inside_y) = (_steps(image, axis, cell) for axis in (1, 0))
    return _deviation(x, inside_x), _deviation(y, inside_y)


def _steps(image: npt.NDArray[Any], axis: int, cell: int) -> tuple[float, npt.NDArray[Any]]:
    """The mean step across the wrap along an axis, and those of every line between cells inside;
    in a small image of smaller cells, so that there are a few."""
    pixels = np.moveaxis(image.astype(np.float64), axis, 0)
    while cell > 1 and len(pixels) < _FEWEST_CELLS * cell:
        cell //= 2
    steps = np.abs(np.diff(pixels, axis=0))[cell - 1 :: cell]
    return float(np.abs(pixels[0] - pixels[-1]).mean()), steps.reshape(len(steps), -1).mean(1)


def _ratio(wrap: float, inside: npt.NDArray[Any]) -> float:
    mean = float(inside.mean())
    return wrap / mean if mean > 0 else 1.0


def _deviation(wrap: float, inside: npt.NDArray[Any]) -> float:
    return (wrap - float(inside.mean())) / max(float(inside.std()), _FAINTEST)
