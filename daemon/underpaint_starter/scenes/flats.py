"""Materials that wrap a flat pattern around the shape: bricks, boards, cloth, scales."""

import torch

from underpaint_starter.scenes.patterns import hashed, mix, noise, smoothstep
from underpaint_starter.scenes.surfaces import (
    Look,
    Samples,
    Surface,
    grain,
    joint_colour,
    rgb,
    tinted,
    uv_coordinates,
)


def brick(x: Samples, look: Look) -> Surface:
    uv = uv_coordinates(x, look, 0.9)
    row = (uv[:, 1] * 2.2).floor()
    u = uv[:, 0] + 0.5 * (row % 2)
    column = u.floor()
    du = 0.5 - (u - column - 0.5).abs()
    dv = (0.5 - (uv[:, 1] * 2.2 - row - 0.5).abs()) / 2.2
    rough = grain(x, look, 1.7)
    solid = smoothstep(0.03, 0.065, torch.minimum(du, dv) + 0.02 * (rough - 0.5))
    tint = 0.68 + 0.5 * hashed(column, row, salt=look.variant) + 0.35 * (rough - 0.5)
    albedo = mix(joint_colour(x, look).expand_as(x.p), tinted(look.base, tint), solid)
    return Surface(albedo, (0.035 * solid + 0.012 * rough) / look.repeats * 4, 0.08)


def tiles(x: Samples, look: Look) -> Surface:
    uv = uv_coordinates(x, look, 1.1)
    cell = uv.floor()
    edge = (0.5 - (uv - cell - 0.5).abs()).amin(-1)
    solid = smoothstep(0.03, 0.07, edge)
    tint = 0.8 + 0.35 * hashed(cell[:, 0], cell[:, 1], salt=look.variant)
    albedo = mix(joint_colour(x, look).expand_as(x.p), tinted(look.base, tint), solid)
    return Surface(albedo, 0.12 * smoothstep(0.02, 0.12, edge) / look.repeats, 0.15 + 0.6 * solid)


def planks(x: Samples, look: Look) -> Surface:
    uv = uv_coordinates(x, look, 1.0)
    board = (uv[:, 1] if look.variant < 0.5 else uv[:, 0]).contiguous()
    along = (uv[:, 0] if look.variant < 0.5 else uv[:, 1]).contiguous()
    row = (board * 1.3).floor()
    shifted = along * 0.28 + hashed(row) * 3
    piece = shifted.floor()
    across = (0.5 - (board * 1.3 - row - 0.5).abs()) / 1.3
    end = (0.5 - (shifted - piece - 0.5).abs()) / 0.28
    gap = smoothstep(0.015, 0.05, torch.minimum(across, end))
    grain_at = torch.stack((along * 0.05, board * 1.1, piece * 0.37 + row * 0.13), -1)
    grain = noise(grain_at + look.offset)
    tint = 0.72 + 0.45 * hashed(row, piece, salt=look.variant) + 0.8 * (grain - 0.5)
    albedo = mix(rgb(x, 0.03, 0.02, 0.015).expand_as(x.p), tinted(look.base, tint), gap)
    return Surface(albedo, (0.05 * gap + 0.02 * grain) / look.repeats * 3, 0.22)


def woven(x: Samples, look: Look) -> Surface:
    uv = uv_coordinates(x, look, 2.0)
    cell = uv.floor()
    f = uv - cell - 0.5
    over = (cell.sum(-1) % 2) == 0
    across = torch.where(over, f[:, 1], f[:, 0])
    along = torch.where(over, f[:, 0], f[:, 1])
    bulge = (1 - (2 * across) ** 2).clamp(min=0).sqrt() * (1 - 0.5 * (2 * along) ** 2)
    level = 0.35 + 0.75 * bulge + 0.3 * (noise(x.p * 3.1 + look.offset) - 0.5)
    level = level * torch.where(over, 1.0, 0.82)
    return Surface(tinted(look.base, level), 0.11 * bulge / look.repeats, 0.06)


def scales(x: Samples, look: Look) -> Surface:
    uv = uv_coordinates(x, look, 1.2) * x.p.new_tensor([1.35, 1.3])
    row = uv[:, 1].floor()
    u = uv[:, 0] + 0.5 * (row % 2)
    column = u.floor()
    fu, fv = u - column - 0.5, uv[:, 1] - row
    upper, lower = torch.hypot(fu, 1 - fv), torch.hypot(fu.abs() - 0.5, fv)
    front = upper < 0.82
    tint_upper = hashed(column, row)
    tint_lower = hashed(column + torch.where(fu > 0, 1.0, 0.0) - (row % 2), row - 1)
    reach = torch.where(front, upper / 0.82, 0.55 + 0.35 * lower)
    tint = torch.where(front, tint_upper, tint_lower)
    rim = smoothstep(0.84, 0.98, upper / 0.82) * front
    shadow = (1 - front.float()) * smoothstep(1.3, 1.0, upper / 0.82)
    level = 1.15 - 0.4 * reach + 0.3 * (tint - 0.5) - 0.3 * rim - 0.45 * shadow
    height = torch.where(front, 1 - 0.6 * reach, 0.1)
    return Surface(tinted(look.base, level), 0.1 * height / look.repeats, 0.55)


def leaves(x: Samples, look: Look) -> Surface:
    uv = uv_coordinates(x, look, 1.15)
    base = uv.floor()
    best = torch.full((len(uv),), -1.0, device=uv.device)
    level, height = torch.full_like(best, 0.12), torch.zeros_like(best)
    for k in range(9):
        cell = base + uv.new_tensor([k % 3 - 1.0, k // 3 - 1.0])
        r = hashed(cell[:, 0], cell[:, 1], salt=look.variant)
        d = uv - cell - 0.5 - 0.5 * (torch.stack(((r * 9.7).frac(), (r * 5.3).frac()), -1) - 0.5)
        angle = r * 6.2832
        along = d[:, 0] * angle.cos() + d[:, 1] * angle.sin()
        across = -d[:, 0] * angle.sin() + d[:, 1] * angle.cos()
        width = 0.36 * (1 - (along / 0.78) ** 2)
        inside = across.abs() < width
        rank = torch.where(inside, (r * 7.9).frac(), -1.0)
        top = rank > best
        vein = 1 - smoothstep(0.0, 0.05, across.abs())
        tone = 0.55 + 0.6 * (r * 3.3).frac() - 0.35 * across.abs() / 0.36 + 0.25 * vein
        level, best = torch.where(top, tone, level), torch.where(top, rank, best)
        height = torch.where(top, rank + 0.3 * (1 - across.abs() / 0.36), height)
    return Surface(tinted(look.base, level * 1.1), 0.14 * height / look.repeats, 0.3)


def zigzag(x: Samples, look: Look) -> Surface:
    uv = uv_coordinates(x, look, 0.8)
    tooth = (uv[:, 0] - uv[:, 0].floor() - 0.5).abs()
    wave = uv[:, 1] * 1.25 + tooth
    wave = wave - wave.floor()
    second = smoothstep(0.58, 0.61, wave) * smoothstep(1.0, 0.97, wave)
    return Surface(mix(look.base.expand_as(x.p), look.second, second), None, 0.2)


def checkered(x: Samples, look: Look) -> Surface:
    cell = uv_coordinates(x, look, 1.0).floor().sum(-1) % 2
    return Surface(mix(look.base.expand_as(x.p), look.second, cell), None, 0.4)
