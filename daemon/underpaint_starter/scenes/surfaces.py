"""What a material is: samples in, surface out; and small tools the materials share."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint_starter.scenes.patterns import flat_coordinates, noise
from underpaint_starter.scenes.shapes import Mapping


@dataclass(frozen=True, slots=True)
class Samples:
    """Surface points of one object: object-space positions and normals (N, 3)."""

    p: Tensor
    n: Tensor
    mapping: Mapping


@dataclass(frozen=True, slots=True)
class Look:
    """Parameters of a material: linear RGB colours, pattern repeats per unit, random offset."""

    base: Tensor
    second: Tensor
    repeats: float
    offset: Tensor
    variant: float


@dataclass(frozen=True, slots=True)
class Surface:
    """albedo (N, 3) linear; height (N,) in object units; gloss and metal 0..1; glow (N, 3)."""

    albedo: Tensor
    height: Tensor | None = None
    gloss: float | Tensor = 0.2
    metal: float | Tensor = 0.0
    glow: Tensor | None = None
    glass: float = 0.0


Material = Callable[[Samples, Look], Surface]


def grain(x: Samples, look: Look, scale: float) -> Tensor:
    """Noise 0..1 at ``scale`` features per quarter unit, moved by the look's offset."""
    return noise(x.p * scale + look.offset)


def uv_coordinates(x: Samples, look: Look, factor: float = 1.0) -> Tensor:
    """Pattern coordinates (N, 2) at the look's repeats times ``factor``."""
    return flat_coordinates(x.p, x.n, x.mapping, look.repeats * factor)


def rgb(x: Samples, red: float, green: float, blue: float) -> Tensor:
    """One linear colour on the samples' device."""
    return torch.tensor([red, green, blue], device=x.p.device)


def tinted(base: Tensor, level: Tensor) -> Tensor:
    """A colour at many brightness levels (N,), clamped to 0..1."""
    return (base * level[:, None]).clamp(0, 1)


def luminance(colour: Tensor) -> float:
    """Relative luminance of one linear colour."""
    return float((colour * colour.new_tensor([0.21, 0.72, 0.07])).sum())


def joint_colour(x: Samples, look: Look) -> Tensor:
    """Mortar and gaps: light between dark pieces, dark between light ones."""
    light = luminance(look.base) < 0.3
    return rgb(x, 0.5, 0.47, 0.43) if light else rgb(x, 0.12, 0.11, 0.1)
