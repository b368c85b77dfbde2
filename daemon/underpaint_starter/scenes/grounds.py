"""Materials of the ground plane, faded out where they get smaller than a pixel."""

from random import Random

import torch
from torch import Tensor

from underpaint_starter.scenes.colours import linear
from underpaint_starter.scenes.materials import MATERIALS, Look, Samples, Surface
from underpaint_starter.scenes.patterns import mix, noise, smoothstep
from underpaint_starter.scenes.scenes import SceneSpec
from underpaint_starter.scenes.shapes import Mapping

_RGB = tuple[float, float, float]
# ground: (material, repeats per unit, first colour, second colour), sRGB
_KINDS: dict[str, tuple[str, float, _RGB, _RGB]] = {
    "wood": ("planks", 1.6, (164, 116, 72), (90, 60, 40)),
    "stone": ("tiles", 0.8, (150, 146, 140), (60, 60, 60)),
    "checker": ("checkered", 1.2, (228, 226, 220), (52, 52, 56)),
    "concrete": ("concrete", 1.5, (158, 156, 152), (60, 60, 60)),
    "brick": ("brick", 1.6, (164, 96, 72), (60, 60, 60)),
}


def ground_surface(spec: SceneSpec, position: Tensor, footprint: Tensor) -> Surface:
    """The ground at (N, 3) world positions; footprint (N,) is the width of a pixel there."""
    name = spec.words.ground
    rng = Random(spec.seed + 5)
    turn = rng.uniform(-0.6, 0.6)
    x, z = position[:, 0], position[:, 2]
    at = torch.stack((x - turn * z, x * 0, z + turn * x), -1)
    offset = position.new_tensor([rng.random() for _ in range(3)])
    fade = smoothstep(0.25, 0.03, footprint)
    if name not in _KINDS:
        return _loose(name, at, offset, fade)
    material, repeats, first, second = _KINDS[name]
    up = torch.zeros_like(at)
    up[:, 1] = 1
    look = Look(
        linear(first).to(at.device), linear(second).to(at.device), repeats, offset, rng.random()
    )
    full = MATERIALS[material](Samples(at, up, Mapping.PLANAR), look)
    mean = full.albedo[: max(len(at) // 2, 1)].mean(0)
    height = None if full.height is None else full.height * fade
    albedo = mix(mean.expand_as(at), full.albedo, fade)
    return Surface(albedo, height, 0.25 if name in ("wood", "checker") else 0.08)


def _loose(name: str, at: Tensor, offset: Tensor, fade: Tensor) -> Surface:
    """Sand, grass, snow, soil and water."""
    broad = noise(at * 0.06 + offset)
    middle = noise(at * 0.35 + offset)
    fine = (noise(at * 1.7 + offset) - 0.5) * fade

    def tinted(rgb: _RGB, level: Tensor) -> Tensor:
        return (linear(rgb).to(at.device) * level[:, None]).clamp(0, 1)

    if name == "grass":
        blade = (noise(at * at.new_tensor([3.4, 1.0, 1.5]) + offset) - 0.5) * fade
        first = tinted((92, 148, 48), 0.95 + 1.5 * blade + 0.7 * (middle - 0.5))
        yellow = tinted((150, 156, 70), 0.9 + 1.0 * blade)
        return Surface(mix(first, yellow, smoothstep(0.55, 0.8, broad)), 0.09 * blade, 0.03)
    if name == "snow":
        return Surface(
            tinted((240, 244, 250), 0.97 + 0.06 * middle), 0.25 * middle + 0.02 * fine, 0.2
        )
    if name == "water":
        wave = noise(at * at.new_tensor([0.22, 1.0, 0.5]) + offset)
        return Surface(tinted((36, 96, 120), 0.8 + 0.4 * broad), 0.06 * wave * fade, 0.95)
    if name == "dirt":
        level = 0.85 + 0.7 * (middle - 0.5) + 1.2 * fine
        return Surface(tinted((128, 92, 62), level), 0.1 * middle + 0.07 * fine, 0.03)
    ripple = torch.sin((at[:, 0] + 2.5 * (broad - 0.5)) * 9 + 5 * middle) * 0.012 * fade
    level = 0.95 + 0.35 * (middle - 0.5) + 0.5 * fine
    return Surface(tinted((222, 190, 138), level), ripple + 0.03 * fine, 0.05)
