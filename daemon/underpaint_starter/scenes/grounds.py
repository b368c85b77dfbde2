"""Materials of the ground plane: like those of objects, functions of the guide."""

import torch
from torch import Tensor

from underpaint_starter.scenes.colours import linear
from underpaint_starter.scenes.materials import MATERIALS, Look, Samples, Surface
from underpaint_starter.scenes.patterns import mix, smoothstep

_RGB = tuple[float, float, float]
# ground: (material, first colour, second colour), sRGB
_KINDS: dict[str, tuple[str, _RGB, _RGB]] = {
    "wood": ("planks", (164, 116, 72), (90, 60, 40)),
    "stone": ("tiles", (150, 146, 140), (60, 60, 60)),
    "checker": ("checkered", (228, 226, 220), (52, 52, 56)),
    "concrete": ("concrete", (158, 156, 152), (60, 60, 60)),
    "brick": ("brick", (164, 96, 72), (60, 60, 60)),
}


def ground_surface(name: str, x: Samples) -> Surface:
    """The ground of a name at samples of the guide."""
    if name not in _KINDS:
        return _loose(name, x)
    material, first, second = _KINDS[name]
    device = x.u.device
    full = MATERIALS[material](x, Look(linear(first).to(device), linear(second).to(device)))
    return Surface(full.albedo, full.height, 0.25 if name in ("wood", "checker") else 0.08)


def _loose(name: str, x: Samples) -> Surface:
    """Sand, grass, snow, soil and water."""
    n = x.noise

    def tinted(rgb: _RGB, level: Tensor) -> Tensor:
        return (linear(rgb).to(level.device) * level[:, None]).clamp(0, 1)

    if name == "grass":
        green = tinted((92, 148, 48), 0.5 + 0.9 * n)
        yellow = tinted((150, 156, 70), 0.5 + 0.9 * n)
        return Surface(mix(green, yellow, smoothstep(0.6, 0.85, n)), 0.3 * n, 0.03)
    if name == "snow":
        return Surface(tinted((240, 244, 250), 0.97 + 0.06 * n), 0.25 * n, 0.2)
    if name == "water":
        return Surface(tinted((36, 96, 120), 0.8 + 0.4 * n), 0.12 * n, 0.95)
    if name == "dirt":
        return Surface(tinted((128, 92, 62), 0.4 + 1.2 * n), 0.3 * n, 0.03)
    ripple = torch.sin(2 * torch.pi * (x.v + 1.5 * n)) * 0.03
    return Surface(tinted((222, 190, 138), 0.8 + 0.4 * n), ripple + 0.1 * n, 0.05)
