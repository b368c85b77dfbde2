"""Materials of noise, and lattices that noise bends: stone, wood, metal, fur, ice."""

import torch
from torch import Tensor

from underpaint_starter.scenes.patterns import mix, smoothstep
from underpaint_starter.scenes.surfaces import (
    Look,
    Samples,
    Surface,
    coloured,
    line,
    rgb,
    tinted,
    wave,
)


def plain(x: Samples, look: Look) -> Surface:
    return Surface(tinted(look.base, 0.95 + 0.1 * x.noise), gloss=0.15)


def plastic(x: Samples, look: Look) -> Surface:
    return Surface(coloured(x, look.base), gloss=0.85)


def clay(x: Samples, look: Look) -> Surface:
    return Surface(tinted(look.base, 0.9 + 0.2 * x.noise), 0.05 * x.noise, 0.1)


def glass(x: Samples, look: Look) -> Surface:
    return Surface(coloured(x, look.base), None, 1.0, 0.0, None, 1.0)


def chrome(x: Samples, look: Look) -> Surface:
    return Surface(rgb(x, 0.9, 0.91, 0.93), None, 0.97, 1.0)


def gold(x: Samples, look: Look) -> Surface:
    return Surface(tinted(rgb(x, 1.0, 0.66, 0.14), 0.92 + 0.16 * x.noise), None, 0.85, 1.0)


def copper(x: Samples, look: Look) -> Surface:
    return Surface(tinted(rgb(x, 0.9, 0.4, 0.24), 0.85 + 0.3 * x.noise), None, 0.75, 1.0)


def metal(x: Samples, look: Look) -> Surface:
    """Brushed: fine level streaks."""
    brushed = wave(2 * x.v + 1.2 * x.noise)
    return Surface(tinted(look.base, 0.75 + 0.4 * brushed), 0.01 * brushed, 0.6, 1.0)


def wooden(x: Samples, look: Look) -> Surface:
    """Level bands of grain that wander."""
    grain = wave(1.5 * x.v + 2.4 * x.noise)
    return Surface(tinted(look.base, 0.62 + 0.55 * grain), 0.03 * grain, 0.3)


def bark(x: Samples, look: Look) -> Surface:
    ridge = 0.5 + 0.5 * (2 * torch.pi * x.u + 7 * (x.noise - 0.5)).cos()
    level = 0.18 + 0.95 * ridge + 0.4 * (x.noise - 0.5)
    return Surface(tinted(look.base, level), 0.3 * ridge, 0.05)


def fur(x: Samples, look: Look) -> Surface:
    """Fine upright hair, pale at the tips, in locks."""
    hair = 0.5 + 0.5 * (4 * torch.pi * x.u + 10 * (x.noise - 0.5)).cos()
    tips = smoothstep(0.55, 0.95, hair) * (1 - x.rise)
    level = 0.45 + 0.6 * hair + 0.5 * (x.noise - 0.5)
    pale = coloured(x, look.base * 0.5 + 0.5)
    return Surface(mix(tinted(look.base, level), pale, 0.5 * tips), 0.08 * hair, 0.02)


def marble(x: Samples, look: Look) -> Surface:
    """Pale, with long veins that wander."""
    vein = line((x.v / 2 + 1.7 * x.noise) % 1, 0.5, 0.16)
    lines = (0.95 * vein**1.5).clamp(0, 0.95)
    cloud = tinted(look.base, 0.85 + 0.25 * x.noise)
    return Surface(mix(cloud, coloured(x, look.second), lines), None, 0.75)


def stone(x: Samples, look: Look) -> Surface:
    return Surface(tinted(look.base, 0.3 + 1.3 * x.noise), 0.5 * x.noise, 0.05)


def concrete(x: Samples, look: Look) -> Surface:
    pits = smoothstep(0.72, 0.8, x.noise)
    level = 0.95 + 0.2 * (x.noise - 0.5) - 0.5 * pits
    return Surface(tinted(look.base, level), -0.1 * pits, 0.05)


def mossy(x: Samples, look: Look) -> Surface:
    moss = smoothstep(0.46, 0.54, x.noise)
    fluff = smoothstep(0.45, 0.85, x.noise)
    green = tinted(rgb(x, 0.13, 0.27, 0.035), 0.6 + 1.3 * fluff)
    rock = tinted(look.base, 0.35 + 1.3 * x.noise)
    return Surface(mix(rock, green, moss), 0.3 * x.noise + 0.12 * moss, 0.04)


def _wobbling(x: Samples) -> Tensor:
    """Distance to the edges of a brick lattice that noise bends."""
    return torch.minimum(1 - x.across, x.row_edge) + 0.28 * (x.noise - 0.5)


def cracked(x: Samples, look: Look) -> Surface:
    crack = 1 - smoothstep(0.04, 0.12, _wobbling(x))
    plate = tinted(look.base, 0.75 + 0.5 * x.noise)
    return Surface(mix(plate, rgb(x, 0.015, 0.013, 0.012), crack), -0.3 * crack, 0.08)


def lava(x: Samples, look: Look) -> Surface:
    heat = 1 - smoothstep(0.0, 0.22, _wobbling(x))
    crust = tinted(rgb(x, 0.05, 0.035, 0.03), 0.4 + 1.2 * x.noise)
    hot = mix(rgb(x, 0.9, 0.07, 0.005), rgb(x, 1.0, 0.62, 0.08), heat**3)
    return Surface(crust, -0.3 * heat, 0.1, 0.0, hot * (heat * 1.3)[:, None])


def leather(x: Samples, look: Look) -> Surface:
    """Small rounded grains that wobble, half a unit wide."""
    along = 0.5 + 0.5 * (4 * torch.pi * x.u + 6 * (x.noise - 0.5)).cos()
    up = wave(2 * x.v + 1.5 * (x.noise - 0.5))
    grain = (along * up).sqrt()
    return Surface(tinted(look.base, 0.35 + 0.8 * grain), 0.08 * grain, 0.42)


def rusty(x: Samples, look: Look) -> Surface:
    rust = smoothstep(0.43, 0.52, x.noise)
    deep = smoothstep(0.5, 0.8, x.noise)
    brown = mix(rgb(x, 0.5, 0.17, 0.04), rgb(x, 0.14, 0.04, 0.015), deep)
    steel = tinted(rgb(x, 0.3, 0.31, 0.33), 0.8 + 0.6 * x.noise)
    bare = 1 - rust
    return Surface(mix(steel, brown, rust), 0.15 * rust * deep, 0.05 + 0.5 * bare, 0.8 * bare)


def ice(x: Samples, look: Look) -> Surface:
    crack = line((x.v / 2 + 1.2 * x.noise) % 1, 0.5, 0.12)
    frost = smoothstep(0.6, 0.75, x.noise)
    blue = tinted(rgb(x, 0.3, 0.64, 0.85), 0.7 + 0.6 * x.noise)
    albedo = mix(blue, rgb(x, 0.88, 0.96, 1.0), (0.85 * crack + 0.75 * frost).clamp(0, 1))
    return Surface(albedo, 0.06 * frost, 0.9 - 0.5 * frost)
