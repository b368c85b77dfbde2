"""What words and colours say about a material, where no model says more: an honest guess.

Roughness and metal cannot be measured in one picture. A prompt usually names the stuff, so its
words decide, and the colours only vary it: rust and moss on metal are no metal, dark cracks are
rougher than what stands out. Every file that is made so says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_USUAL_ROUGHNESS = 0.65
_METAL_ROUGHNESS = 0.35
_METALS = (
    "metal", "metallic", "steel", "iron", "gold", "golden", "silver", "copper", "bronze", "brass",
    "chrome", "aluminium", "aluminum", "tin", "titanium", "pewter",
)  # fmt: skip
_ROUGHNESS = {
    "glass": 0.08, "ice": 0.15, "water": 0.05, "porcelain": 0.2, "ceramic": 0.25, "glazed": 0.15,
    "plastic": 0.4, "lacquer": 0.15, "lacquered": 0.15, "marble": 0.25, "leather": 0.5,
    "wood": 0.6, "wooden": 0.6, "planks": 0.65, "paint": 0.45, "painted": 0.5, "skin": 0.5,
    "stone": 0.8, "rock": 0.85, "brick": 0.85, "concrete": 0.85, "clay": 0.8, "sand": 0.95,
    "moss": 0.95, "mossy": 0.9, "cloth": 0.9, "fabric": 0.9, "woven": 0.9, "fur": 0.95,
    "paper": 0.9, "rubber": 0.8, "rust": 0.85, "rusty": 0.8, "lava": 0.8, "snow": 0.8,
}  # fmt: skip
_FINISH = {
    "polished": -0.25, "shiny": -0.25, "glossy": -0.3, "wet": -0.3, "smooth": -0.15,
    "matte": 0.2, "rough": 0.2, "worn": 0.1, "dusty": 0.2, "brushed": 0.1, "weathered": 0.15,
    "old": 0.05, "satin": -0.05,
}  # fmt: skip
_CONTRAST = 0.25
FAINTEST = 0.02
"""Relief (of the luminance, 0..1) that stands for the whole depth at the least: what is fainter is
left nearly flat."""
_OVERGROWN = ("rust", "rusty", "moss", "mossy", "dirt", "dirty", "painted", "patina")


@dataclass(frozen=True, slots=True)
class Stuff:
    """What a prompt says a thing is made of. overgrown: what is not grey or golden may lie on the
    metal (rust, moss, paint)."""

    roughness: float
    metallic: float
    overgrown: bool

    @property
    def said(self) -> str:
        """The guess in words."""
        kind = "metal" if self.metallic else "no metal"
        return f"{kind}, roughness about {self.roughness:.2f}, from the prompt's words"


def stuff_of(prompt: str) -> Stuff:
    """Read a prompt's words."""
    words = re.findall(r"[a-z]+", prompt.lower())
    metal = any(word in _METALS for word in words)
    named = [_ROUGHNESS[word] for word in words if word in _ROUGHNESS]
    usual = _METAL_ROUGHNESS if metal else _USUAL_ROUGHNESS
    roughness = sum(named) / len(named) if named else usual
    roughness += sum(_FINISH.get(word, 0.0) for word in words)
    overgrown = any(word in _OVERGROWN for word in words)
    return Stuff(min(max(roughness, 0.05), 1.0), float(metal), overgrown)


def surface(color: Array, relief: Array, stuff: Stuff) -> tuple[Array, Array]:
    """Roughness and metallic, (h, w) float32 0..1, of colours (h, w, 3) sRGB 0..1.

    relief (h, w): luminance above its surroundings, 0 = equal; what lies deep is rougher.
    """
    metallic = np.full(color.shape[:2], stuff.metallic, np.float32)
    if stuff.metallic and stuff.overgrown:
        metallic *= 1 - _overgrowth(color)
    roughness = stuff.roughness - _CONTRAST * relief.clip(-0.5, 0.5)
    if stuff.metallic:
        roughness = roughness + (1 - metallic) * max(0.0, 0.8 - stuff.roughness)
    return np.asarray(roughness.clip(0.04, 1), np.float32), metallic


def _overgrowth(color: Array) -> Array:
    """(h, w) 0..1: how much a colour looks like rust, moss or paint and not like bare metal.

    Bare metals are grey, or warm and bright (gold, copper); rust is warm and dark, moss green.
    """
    high, low = color.max(-1), color.min(-1)
    saturation = (high - low) / np.maximum(high, 1e-3)
    green = (color[..., 1] >= color[..., 0]) | (color[..., 2] > color[..., 0])
    dull = np.where(green, 1.0, 1 - high.clip(0, 1)) * saturation
    return np.asarray(((dull - 0.25) / 0.25).clip(0, 1), np.float32)


def luminance(color: Array) -> Array:
    """(h, w) float32 Rec. 709 luma of (h, w, 3)."""
    return np.asarray(color @ np.array([0.2126, 0.7152, 0.0722]), np.float32)
