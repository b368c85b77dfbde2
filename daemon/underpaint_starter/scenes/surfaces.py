"""What a material is: the guide's fields in, a surface out; and small tools the materials share.

Materials are functions of the guide (`underpaint_daemon.worker.guide`) and of their colours alone:
what a picture shows is then known from its controls and its words, and the same spot looks the same
from every side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint_starter.scenes.patterns import smoothstep


@dataclass(frozen=True, slots=True)
class Samples:
    """The guide at surface points, (N,) each: u 0 at even and 1 at odd whole numbers, v modulo two
    (upwards), noise 0..1."""

    u: Tensor
    v: Tensor
    noise: Tensor

    @property
    def row(self) -> Tensor:
        """Whether a point is in an odd row, (N,) bool."""
        return self.v >= 1

    @property
    def rise(self) -> Tensor:
        """Height within the row, 0..1."""
        return self.v % 1

    @property
    def row_edge(self) -> Tensor:
        """Distance to the nearer edge of the row, 0..0.5."""
        return torch.minimum(self.rise, 1 - self.rise)

    @property
    def across(self) -> Tensor:
        """Distance in u to the middle of the point's cell, 0..1: cells are two wide, those of odd
        rows shifted by one."""
        return torch.where(self.row, 1 - self.u, self.u)

    @property
    def column_edge(self) -> Tensor:
        """Distance in u to the nearest half, 0..0.5: the edges of columns that are one wide."""
        return (self.u - 0.5).abs()


@dataclass(frozen=True, slots=True)
class Look:
    """Linear RGB colours of a material."""

    base: Tensor
    second: Tensor


@dataclass(frozen=True, slots=True)
class Surface:
    """albedo (N, 3) linear; height (N,) in pattern units; gloss and metal 0..1; glow (N, 3)."""

    albedo: Tensor
    height: Tensor | None = None
    gloss: float | Tensor = 0.2
    metal: float | Tensor = 0.0
    glow: Tensor | None = None
    glass: float = 0.0


Material = Callable[[Samples, Look], Surface]


def rgb(x: Samples, red: float, green: float, blue: float) -> Tensor:
    """One linear colour at every sample, (N, 3)."""
    return torch.tensor([red, green, blue], device=x.u.device).expand(len(x.u), 3)


def coloured(x: Samples, colour: Tensor) -> Tensor:
    """A colour (3,) at every sample, (N, 3)."""
    return colour.expand(len(x.u), 3)


def tinted(base: Tensor, level: Tensor) -> Tensor:
    """A colour (3,) or colours (N, 3) at many brightness levels (N,), clamped to 0..1."""
    return (base * level[:, None]).clamp(0, 1)


def luminance(colour: Tensor) -> float:
    """Relative luminance of one linear colour."""
    return float((colour * colour.new_tensor([0.21, 0.72, 0.07])).sum())


def joint_colour(x: Samples, look: Look) -> Tensor:
    """Mortar and gaps: light between dark pieces, dark between light ones, (N, 3)."""
    light = luminance(look.base) < 0.3
    return rgb(x, 0.5, 0.47, 0.43) if light else rgb(x, 0.12, 0.11, 0.1)


def wave(phase: Tensor) -> Tensor:
    """0..1, once a whole number: a sine's."""
    return 0.5 + 0.5 * (2 * torch.pi * phase).sin()


def line(x: Tensor, at: float, width: float) -> Tensor:
    """1 where x is `at`, falling to 0 over `width` on both sides."""
    return 1 - smoothstep(0.0, width, (x - at).abs())
