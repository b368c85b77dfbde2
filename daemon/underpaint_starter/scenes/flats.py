"""Materials that are lattices on the surface: bricks, boards, cloth, scales, stripes."""

import torch

from underpaint_starter.scenes.patterns import mix, smoothstep
from underpaint_starter.scenes.surfaces import (
    Look,
    Samples,
    Surface,
    coloured,
    joint_colour,
    rgb,
    tinted,
    wave,
)


def brick(x: Samples, look: Look) -> Surface:
    solid = smoothstep(0.05, 0.11, torch.minimum(1 - x.across, x.row_edge))
    albedo = mix(joint_colour(x, look), tinted(look.base, 0.7 + 0.6 * x.noise), solid)
    return Surface(albedo, 0.12 * solid + 0.05 * x.noise, 0.08)


def tiles(x: Samples, look: Look) -> Surface:
    solid = smoothstep(0.04, 0.09, torch.minimum(x.column_edge, x.row_edge))
    albedo = mix(joint_colour(x, look), tinted(look.base, 0.9 + 0.2 * x.noise), solid)
    return Surface(albedo, 0.1 * solid, 0.15 + 0.5 * solid)


def planks(x: Samples, look: Look) -> Surface:
    gap = smoothstep(0.03, 0.08, x.row_edge)
    grain = wave(2 * x.v + 2 * x.noise) - 0.5
    tint = torch.where(x.row, 0.72, 1.08) + 0.3 * grain
    albedo = mix(rgb(x, 0.03, 0.02, 0.015), tinted(look.base, tint), gap)
    return Surface(albedo, 0.12 * gap, 0.2)


def woven(x: Samples, look: Look) -> Surface:
    upright = (x.u < 0.5) != x.row
    within = torch.where(upright, x.column_edge * 2, x.row_edge * 2)
    strand = wave(within - 0.25)  # two to a cell
    edge = smoothstep(0.0, 0.12, torch.minimum(x.column_edge, x.row_edge))
    level = (0.25 + 0.85 * strand) * (0.35 + 0.65 * edge) * torch.where(upright, 1.0, 0.8)
    return Surface(tinted(look.base, level), 0.1 * strand * edge, 0.06)


def scales(x: Samples, look: Look) -> Surface:
    """Rows of round scales that hang down, each over the next row's."""
    above = x.rise - 0.7 * x.across**2  # the scale's rim
    front = smoothstep(0.0, 0.06, above)
    mine = 0.5 + 0.75 * above.clamp(0, 1)
    below = 0.22 + 0.25 * x.rise
    level = below + (mine - below) * front
    return Surface(tinted(look.base, level), 0.16 * front * (1 - 0.5 * above), 0.55)


def leaves(x: Samples, look: Look) -> Surface:
    """Rows of leaves that point down, with a pale rib."""
    width = 0.95 * (x.rise * (1.35 - x.rise)).clamp(min=0).sqrt() * 1.4
    inside = smoothstep(0.0, 0.1, width - x.across)
    rib = 1 - smoothstep(0.03, 0.1, x.across)
    level = 0.6 + 0.7 * x.noise - 0.2 * x.across + 0.5 * rib
    albedo = tinted(look.base, 0.14 + (level - 0.14) * inside)
    return Surface(albedo, 0.2 * inside * (1 - 0.6 * x.across), 0.3)


def zigzag(x: Samples, look: Look) -> Surface:
    second = ((x.v + x.u) % 2) < 1
    return Surface(mix(coloured(x, look.base), look.second, second.float()), None, 0.2)


def checkered(x: Samples, look: Look) -> Surface:
    second = (x.u < 0.5) != x.row
    return Surface(mix(coloured(x, look.base), look.second, second.float()), None, 0.4)


def striped(x: Samples, look: Look) -> Surface:
    return Surface(mix(coloured(x, look.base), look.second, x.row.float()), None, 0.5)


def spotted(x: Samples, look: Look) -> Surface:
    spot = smoothstep(0.38, 0.33, torch.hypot(x.across, x.rise - 0.5))
    return Surface(mix(coloured(x, look.base), look.second, spot), None, 0.35)
