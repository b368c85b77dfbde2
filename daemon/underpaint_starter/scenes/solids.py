"""Materials carved from solid noise and cells: stone, wood, metal, fur, ice."""

import torch

from underpaint_starter.scenes.patterns import mix, noise, smoothstep, worley
from underpaint_starter.scenes.surfaces import Look, Samples, Surface, grain, rgb, tinted


def plain(x: Samples, look: Look) -> Surface:
    return Surface(tinted(look.base, 0.95 + 0.1 * grain(x, look, 0.3)), gloss=0.15)


def plastic(x: Samples, look: Look) -> Surface:
    return Surface(look.base.expand(len(x.p), 3), gloss=0.85)


def wooden(x: Samples, look: Look) -> Surface:
    p = x.p + 0.35 * (noise(x.p * 0.22 + look.offset)[:, None] - 0.5)
    centre = 0.5 + 0.4 * look.variant
    ring = ((p[:, 0] + centre) ** 2 + (p[:, 2] + 0.3) ** 2).sqrt() * (3.2 + look.repeats * 0.8)
    saw = ring.frac()
    line = smoothstep(0.0, 0.75, saw) * smoothstep(1.0, 0.88, saw)
    fibre = noise(x.p * x.p.new_tensor([3.3, 0.22, 3.3]) + look.offset)
    level = 1.12 - 0.55 * line + 0.5 * (fibre - 0.5)
    return Surface(tinted(look.base, level), -0.012 * line + 0.012 * fibre, 0.3)


def bark(x: Samples, look: Look) -> Surface:
    at = x.p * x.p.new_tensor([1.0, 0.3, 1.0]) * look.repeats * 0.36
    ridge = 1 - (noise(at + look.offset) - 0.5).abs() * 5
    ridge = ridge.clamp(0, 1)
    level = 1.15 - 0.9 * ridge + 0.4 * (grain(x, look, 2.3) - 0.5)
    return Surface(tinted(look.base, level), -0.06 * ridge, 0.05)


def marble(x: Samples, look: Look) -> Surface:
    swirl = torch.stack([noise(x.p * 0.3 + look.offset + k) for k in (0.0, 0.31, 0.62)], -1)
    at = x.p * 0.28 + 0.35 * swirl + look.offset
    vein = 1 - smoothstep(0.0, 0.07, (noise(at) - 0.5).abs())
    thin = 1 - smoothstep(0.0, 0.035, (noise(at * 2.1) - 0.45).abs())
    cloud = 0.9 + 0.3 * (noise(x.p * 0.35 + look.offset) - 0.5)
    lines = (vein * 0.85 + thin * 0.45).clamp(0, 0.95)
    return Surface(mix(tinted(look.base, cloud), look.second.expand_as(x.p), lines), None, 0.75)


def stone(x: Samples, look: Look) -> Surface:
    broad, fine = grain(x, look, 0.6), grain(x, look, 2.1)
    level = 0.55 + 0.45 * broad + 0.65 * fine
    level = level - 0.35 * smoothstep(0.6, 0.7, noise(x.p * 3.3 + look.offset))
    return Surface(tinted(look.base, level), 0.06 * broad + 0.05 * fine, 0.05)


def concrete(x: Samples, look: Look) -> Surface:
    fine = grain(x, look, 2.6)
    pits = smoothstep(0.7, 0.77, noise(x.p * 4.4 + look.offset.flip(0)))
    level = 0.85 + 0.25 * grain(x, look, 0.4) + 0.15 * fine - 0.4 * pits
    return Surface(tinted(look.base, level), -0.015 * pits, 0.05)


def mossy(x: Samples, look: Look) -> Surface:
    rock = stone(x, look)
    patch = noise(x.p * 0.45 + look.offset.flip(0)) + 0.22 * x.n[:, 1]
    patch = patch + 0.25 * (grain(x, look, 3.1) - 0.5)
    moss = smoothstep(0.46, 0.56, patch)
    fluff = noise(x.p * 4.1 + look.offset)
    green = tinted(rgb(x, 0.13, 0.27, 0.035), 0.4 + 1.3 * fluff)
    height = (rock.height if rock.height is not None else fluff) + 0.06 * moss + 0.04 * moss * fluff
    return Surface(mix(rock.albedo, green, moss), height, 0.04)


def cracked(x: Samples, look: Look) -> Surface:
    wobble = 0.35 * (grain(x, look, 0.9)[:, None] - 0.5)
    cells = worley((x.p + wobble) * look.repeats * 0.55 + look.offset * 9, 0.9)
    crack = 1 - smoothstep(0.02, 0.09, cells.second - cells.nearest)
    level = 0.65 + 0.3 * cells.label + 0.55 * (grain(x, look, 2.0) - 0.3)
    dark = rgb(x, 0.015, 0.013, 0.012).expand_as(x.p)
    albedo = mix(tinted(look.base, level), dark, crack)
    return Surface(albedo, -0.09 * crack + 0.03 * cells.label, 0.08)


def rusty(x: Samples, look: Look) -> Surface:
    broad = noise(x.p * 0.5 + look.offset) + 0.5 * (grain(x, look, 2.4) - 0.5)
    rust = smoothstep(0.36, 0.5, broad)
    fine = noise(x.p * 3.7 + look.offset)
    brown = mix(rgb(x, 0.36, 0.11, 0.025).expand_as(x.p), rgb(x, 0.1, 0.028, 0.012), fine)
    steel = tinted(rgb(x, 0.3, 0.31, 0.33), 0.8 + 0.4 * fine)
    return Surface(
        mix(steel, brown * 1.5, rust), 0.05 * rust * fine, 0.6 - 0.55 * rust, 0.8 - 0.8 * rust
    )


def metal(x: Samples, look: Look) -> Surface:
    stretch = x.p.new_tensor([0.12, 4.5, 0.12])
    brushed = noise(x.p * stretch + look.offset)
    return Surface(tinted(look.base, 0.75 + 0.5 * brushed), 0.006 * brushed, 0.6, 1.0)


def chrome(x: Samples, look: Look) -> Surface:
    return Surface(rgb(x, 0.9, 0.91, 0.93).expand_as(x.p), None, 0.97, 1.0)


def gold(x: Samples, look: Look) -> Surface:
    cells = worley(x.p * look.repeats * 0.9 + look.offset * 9)
    dents = 0.05 * cells.nearest if look.variant > 0.6 else 0.0 * cells.nearest
    tone = 0.92 + 0.16 * grain(x, look, 0.5)
    return Surface(tinted(rgb(x, 1.0, 0.66, 0.14), tone), dents, 0.85, 1.0)


def copper(x: Samples, look: Look) -> Surface:
    tone = 0.85 + 0.3 * grain(x, look, 0.6)
    return Surface(tinted(rgb(x, 0.9, 0.4, 0.24), tone), None, 0.75, 1.0)


def leather(x: Samples, look: Look) -> Surface:
    at = x.p + 0.1 * (grain(x, look, 0.8)[:, None] - 0.5)
    cells = worley(at * look.repeats * 3.0 + look.offset * 9, 0.9)
    crease = 1 - smoothstep(0.0, 0.22, cells.second - cells.nearest)
    level = 0.8 + 0.35 * grain(x, look, 0.5) - 0.5 * crease
    return Surface(tinted(look.base, level), -0.03 * crease, 0.42)


def fur(x: Samples, look: Look) -> Surface:
    """Tufts of short hair hanging down, pale at the tips."""
    bend = 0.25 * (grain(x, look, 0.45)[:, None] - 0.5)
    hair = noise((x.p + bend) * x.p.new_tensor([4.6, 0.8, 4.6]) + look.offset)
    tuft_at = (x.p + bend) * x.p.new_tensor([1.0, 0.7, 1.0]) * look.repeats * 0.9
    tuft = worley(tuft_at + look.offset * 9, 0.95)
    hang = (0.6 - tuft.nearest).clamp(min=0)
    tips = smoothstep(0.5, 0.8, hair) * smoothstep(0.1, 0.5, hang)
    level = 0.42 + 0.75 * hair + 0.5 * hang + 0.15 * (tuft.label - 0.5)
    pale = mix(tinted(look.base, level), (look.base * 0.5 + 0.5).expand_as(x.p), 0.45 * tips)
    return Surface(pale, 0.035 * hair + 0.13 * hang / look.repeats * 3, 0.02)


def striped(x: Samples, look: Look) -> Surface:
    tilt = (
        x.p.new_tensor([0.35, 0.75, 0.35]) if look.variant < 0.6 else x.p.new_tensor([0.9, 0, 0.3])
    )
    wave = (x.p @ tilt * look.repeats * 0.85 + look.offset[0] * 5).frac()
    wave = wave + (wave < 0).float()
    second = smoothstep(0.6, 0.62, wave) * smoothstep(1.0, 0.98, wave)
    return Surface(mix(look.base.expand_as(x.p), look.second, second), None, 0.7)


def spotted(x: Samples, look: Look) -> Surface:
    cells = worley(x.p * look.repeats * 0.75 + look.offset * 9, 0.5)
    spot = 1 - smoothstep(0.36, 0.39, cells.nearest)
    return Surface(mix(look.base.expand_as(x.p), look.second, spot), None, 0.35)


def clay(x: Samples, look: Look) -> Surface:
    broad, fine = grain(x, look, 0.35), grain(x, look, 1.5)
    return Surface(tinted(look.base, 0.9 + 0.2 * broad), 0.06 * broad + 0.012 * fine, 0.1)


def glass(x: Samples, look: Look) -> Surface:
    return Surface(look.base.expand_as(x.p), None, 1.0, 0.0, None, 1.0)


def lava(x: Samples, look: Look) -> Surface:
    wobble = 0.4 * (grain(x, look, 0.7)[:, None] - 0.5)
    cells = worley((x.p + wobble) * look.repeats * 0.6 + look.offset * 9, 0.9)
    heat = 1 - smoothstep(
        0.03, 0.3, cells.second - cells.nearest + 0.15 * (grain(x, look, 2) - 0.5)
    )
    crust = tinted(rgb(x, 0.05, 0.035, 0.03), 0.5 + noise(x.p * 2.7 + look.offset))
    hot = mix(rgb(x, 0.9, 0.07, 0.005).expand_as(x.p), rgb(x, 1.0, 0.62, 0.08), heat**3)
    return Surface(crust, -0.1 * heat, 0.1, 0.0, hot * (heat * 1.3)[:, None])


def ice(x: Samples, look: Look) -> Surface:
    cells = worley(x.p * look.repeats * 0.4 + 0.5 * grain(x, look, 0.4)[:, None], 0.9)
    crack = 1 - smoothstep(0.0, 0.05, cells.second - cells.nearest)
    frost = smoothstep(0.45, 0.75, grain(x, look, 0.8))
    blue = tinted(rgb(x, 0.35, 0.68, 0.85), 0.75 + 0.4 * cells.label)
    white = rgb(x, 0.88, 0.96, 1.0).expand_as(x.p)
    albedo = mix(blue, white, (0.75 * crack + 0.55 * frost).clamp(0, 1))
    return Surface(albedo, 0.03 * frost - 0.02 * crack, 0.95 - 0.5 * frost)
