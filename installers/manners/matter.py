"""What is photographed, built or lit, by the styles' names; see `looks`."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from .looks import (
    WHITE,
    Look,
    Pixels,
    Scene,
    coloured,
    darkened,
    grey,
    lines,
    lit,
    mix,
    noise,
    pixels,
    richer,
    sky,
    smooth,
)

_INK, _NIGHT = (0.08, 0.07, 0.1), (0.03, 0.06, 0.16)
_DAY_TOP, _DAY_LOW = (0.3, 0.58, 0.9), (0.85, 0.93, 1.0)


def _matte(scene: Scene) -> Pixels:
    made = sky(scene, (0.35, 0.45, 0.62), (0.95, 0.82, 0.66))
    columns = np.arange(made.shape[1])
    rows = np.arange(made.shape[0])[:, None]
    above = 1 - np.clip(scene.thing, 0, 1)
    for low, height, shade in ((0.36, 0.12, 0.55), (0.44, 0.09, 0.4), (0.5, 0.05, 0.28)):
        wave = np.sin(columns / (60 * low) + low * 40) + 0.5 * np.sin(columns / (19 * low))
        ridge = made.shape[0] * (low - height * wave / 2)
        made = mix(made, (shade, shade * 1.05, shade * 1.25), (rows > ridge) * above)
    made = made * (0.35 + 0.75 * lit(scene, 0.8, 0.5, 0.1)[..., None])
    return darkened(mix(made, (0.9, 0.78, 0.66), 0.15), 0.5)


def _photograph(scene: Scene) -> Pixels:
    green = mix(sky(scene, _DAY_TOP, _DAY_LOW), (0.36, 0.42, 0.22), scene.ground * 0.75)
    far = cv2.GaussianBlur(green + (noise(scene, 24, 3)[..., None] - 0.5) * 0.25, (0, 0), 5)
    shaded = scene.rgb * (0.55 + 0.55 * lit(scene, 0.5, 0.7, 0.5)[..., None])
    return darkened(
        mix(far, richer(shaded, 0.75), cv2.GaussianBlur(scene.thing, (0, 0), 0.7)), 0.45
    )


def _product(scene: Scene) -> Pixels:
    height = scene.thing.shape[0]
    down = np.linspace(1.0, 0.86, height, dtype=np.float32)[:, None, None]
    shadow = np.roll(cv2.GaussianBlur(scene.thing, (0, 0), 9), 10, axis=0)
    plain = np.ones_like(scene.rgb) * down * (1 - 0.3 * shadow[..., None])
    gloss = np.clip(lit(scene, -0.3, 0.8, 0.5) - 0.75, 0, 1) * 1.5
    return mix(plain, mix(scene.rgb, WHITE, gloss), scene.thing)


def _film(scene: Scene) -> Pixels:
    shaded = sky(scene, (0.05, 0.16, 0.2), (0.3, 0.4, 0.38)) * (
        0.2 + 0.9 * lit(scene, 0.9, 0.3, 0.2)[..., None]
    )
    graded = mix(
        shaded * (0.85, 1.0, 1.05), (1.0, 0.6, 0.25), np.clip(grey(shaded) - 0.3, 0, 1) * 0.6
    )
    made, bar = darkened(graded, 0.7), scene.thing.shape[0] // 7
    made[:bar] = made[-bar:] = 0
    return made


def _architecture(scene: Scene) -> Pixels:
    made = mix(sky(scene, _DAY_TOP, _DAY_LOW), (0.55, 0.7, 0.4), scene.ground * 0.9)
    white = coloured(lit(scene, 0.7, 0.7, 0.3), (0.55, 0.6, 0.68), (0.95, 0.95, 0.93), WHITE)
    return mix(made, mix(white, scene.rgb, 0.12), scene.thing)


def _clay(scene: Scene) -> Pixels:
    bumps = (noise(scene, 7) - 0.5) * 0.16 + (noise(scene, 3, 4) - 0.5) * 0.1
    light = cv2.GaussianBlur(lit(scene, -0.5, 0.7, 0.5), (0, 0), 1.5) + bumps
    made = coloured(light, (0.28, 0.17, 0.12), (0.68, 0.46, 0.36), (0.86, 0.68, 0.58))
    return mix(np.ones_like(made) * (0.75, 0.73, 0.7), made, scene.thing)


def _stop_motion(scene: Scene) -> Pixels:
    fibres = cv2.GaussianBlur(noise(scene, 1, 7), (0, 0), 0.7) - 0.5
    felt = smooth(richer(scene.rgb, 0.9), 5) * (0.5 + 0.6 * lit(scene, -0.6, 0.6, 0.5)[..., None])
    felt = mix(np.ones_like(felt) * (0.62, 0.45, 0.28), felt, scene.thing)
    grain = np.sin(np.arange(felt.shape[0])[:, None] / 3 + noise(scene, 40) * 9) * 0.05
    felt = felt + (fibres * 0.5 * scene.thing + grain * (1 - scene.thing))[..., None]
    return darkened(np.clip(felt * (1.1, 1.0, 0.85), 0, 1).astype(np.float32), 0.8)


def _low_poly(scene: Scene) -> Pixels:
    height, width = scene.thing.shape
    chance = np.random.default_rng(3)
    net = cv2.Subdiv2D((0, 0, width, height))
    on_edges = np.argwhere(lines(scene, 1, 9) > 0.4)
    places = [
        on_edges[chance.integers(len(on_edges), size=110)],
        chance.random((90, 2)) * (height, width),
    ]
    for row, column in np.concatenate(places):
        net.insert((float(min(column, width - 1)), float(min(row, height - 1))))
    made, backed = scene.rgb.copy(), sky(scene, (0.4, 0.6, 0.8), (0.8, 0.9, 0.95))
    backed = backed * (0.5 + 0.6 * lit(scene, -0.6, 0.6, 0.4)[..., None])
    for triangle in np.reshape(net.getTriangleList(), (-1, 3, 2)):
        inside = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(inside, triangle.astype(np.int32), 1)
        for part in ((inside > 0) & (scene.thing > 0), (inside > 0) & (scene.thing == 0)):
            made[part] = backed[part].mean(0) * chance.uniform(0.88, 1.1) if part.any() else 0
    return pixels(np.clip(made, 0, 1))


def _voxel(scene: Scene) -> Pixels:
    side, made = 16, sky(scene, (0.5, 0.75, 0.95), (0.8, 0.92, 1.0))
    made = mix(made, (0.45, 0.7, 0.35), scene.ground * 0.9)
    for top in range(0, made.shape[0], side):
        for left in range(0, made.shape[1], side):
            cube = made[top : top + side, left : left + side]
            if scene.thing[top : top + side, left : left + side].mean() < 0.45:
                continue
            colour = scene.rgb[top : top + side, left : left + side].mean((0, 1))
            cube[:] = colour
            cube[:5] = mix(cube[:5], WHITE, 0.45)
            cube[5:, side // 2 :] *= 0.6
            cube[-1:], cube[:, -1:] = 0.15, cube[:, -1:] * 0.5
    return made


def _pixel(scene: Scene) -> Pixels:
    backed = richer(sky(scene, (0.35, 0.55, 0.85), (0.7, 0.85, 0.95)), 1.3)
    lined = mix(backed, _INK, lines(scene, 5, 9))
    small = cv2.resize(lined, (32, 32), interpolation=cv2.INTER_AREA)
    few, size = np.round(small * 4) / 4, scene.thing.shape[::-1]
    return pixels(cv2.resize(few, size, interpolation=cv2.INTER_NEAREST))


def _game(scene: Scene) -> Pixels:
    made = richer(smooth(sky(scene, (0.28, 0.5, 0.62), (0.62, 0.85, 0.75)), 4), 1.7)
    height = np.linspace(1.15, 0.75, made.shape[0], dtype=np.float32)[:, None]
    made = mix(made, (0.42, 0.66, 0.28), scene.ground * 0.7) * height[..., None]
    rim = np.clip(cv2.GaussianBlur(scene.thing, (0, 0), 4) * scene.thing, 0, 1)
    rim = np.clip(1.05 - rim, 0, 1) * scene.thing * 1.2
    return mix(
        mix(made, (1.0, 0.95, 0.7), np.clip(rim, 0, 0.8)),
        (0.2, 0.1, 0.15),
        lines(scene, 2, 9) * 0.8,
    )


def _weathered(scene: Scene) -> Pixels:
    dirt = np.clip(noise(scene, 26, 8) * 0.6 + noise(scene, 7, 9) * 0.5 - 0.3, 0, 1) * scene.thing
    made = mix(richer(scene.rgb, 0.45), (0.24, 0.19, 0.13), dirt * 1.1)
    chance, marks = np.random.default_rng(1), np.zeros_like(scene.thing)
    for _ in range(45):
        row, column = (int(number) for number in chance.integers(scene.thing.shape[0], size=2))
        end = (column + int(chance.integers(-22, 22)), row + int(chance.integers(4, 22)))
        cv2.line(marks, (column, row), end, 1.0, 1, cv2.LINE_AA)
    made = mix(made, (0.85, 0.8, 0.7), marks * scene.thing * 0.6)
    return mix(made, (0.8, 0.74, 0.64), lines(scene, 4, 9) * noise(scene, 5, 3) * scene.thing)


def _stone(scene: Scene) -> Pixels:
    chips = (noise(scene, 3, 5) - 0.5) * 0.3 + (noise(scene, 9, 6) - 0.5) * 0.25
    carved = lit(scene, -0.7, 0.6, 0.3) * 0.8 + chips - lines(scene, 1) * 0.35
    made = coloured(np.clip(carved, 0, 1), (0.2, 0.2, 0.21), (0.6, 0.59, 0.56), (0.86, 0.85, 0.82))
    return mix(np.ones_like(made) * (0.42, 0.44, 0.46), made, scene.thing)


def _bronze(scene: Scene) -> Pixels:
    shine = lit(scene, -0.5, 0.7, 0.5) * 0.75 + np.clip(lit(scene, -0.2, 0.9, 0.4) - 0.8, 0, 1) * 3
    shine = shine - lines(scene, 1) * 0.25
    made = coloured(np.clip(shine, 0, 1), (0.1, 0.05, 0.02), (0.5, 0.3, 0.12), (0.95, 0.75, 0.4))
    green = np.clip(noise(scene, 18, 4) + noise(scene, 5, 2) * 0.5 - 0.75, 0, 1) * 1.8
    made = mix(made, (0.3, 0.6, 0.52), np.clip(green, 0, 0.8))
    return mix(np.ones_like(made) * (0.2, 0.19, 0.19), made, scene.thing)


def _glass(scene: Scene) -> Pixels:
    chance = np.random.default_rng(2)
    seeds = chance.random((80, 2)) * scene.thing.shape
    rows, columns = np.mgrid[: scene.thing.shape[0], : scene.thing.shape[1]]
    apart = np.stack([np.hypot(rows - row, columns - column) for row, column in seeds])
    cells = apart.argmin(0) * 2 + (scene.thing > 0)
    backed, made = richer(sky(scene, (0.1, 0.25, 0.75), (0.95, 0.75, 0.2)), 1.9), scene.rgb.copy()
    backed = mix(backed, (0.1, 0.5, 0.25), scene.ground * 0.8)
    for cell in np.unique(cells):
        made[cells == cell] = backed[cells == cell].mean(0) * chance.uniform(0.75, 1.25)
    border = cv2.morphologyEx(cells.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((5, 5))) > 0
    return mix(np.clip(made * 1.15, 0, 1).astype(np.float32), (0.03, 0.03, 0.04), border)


def _moonlight(scene: Scene) -> Pixels:
    made = sky(scene, _NIGHT, (0.14, 0.22, 0.42))
    made = made * (0.12 + 0.75 * lit(scene, 0.7, 0.7, -0.1)[..., None]) * (0.5, 0.7, 1.15)
    height, width = scene.thing.shape
    moon = np.zeros_like(scene.thing)
    cv2.circle(moon, (int(width * 0.84), int(height * 0.1)), width // 16, 1.0, -1, cv2.LINE_AA)
    glow = cv2.GaussianBlur(moon, (0, 0), 14) * 0.9
    return mix(
        mix(np.clip(made, 0, 1).astype(np.float32), (0.6, 0.75, 1.0), glow), (0.97, 0.97, 0.9), moon
    )


def _golden(scene: Scene) -> Pixels:
    made = sky(scene, (0.5, 0.45, 0.62), (1.0, 0.68, 0.3)) * (
        0.35 + 0.85 * lit(scene, -0.95, 0.25, 0.15)[..., None]
    )
    shadow = np.zeros_like(scene.thing)
    for step in range(8, 120, 4):
        moved = np.roll(scene.thing, (step // 10, step), (0, 1))
        moved[:, :step] = 0
        shadow = np.maximum(shadow, moved)
    shadow = cv2.GaussianBlur(shadow, (0, 0), 2) * scene.ground
    made = mix(made * (1.15, 0.95, 0.66), (0.22, 0.13, 0.2), shadow * 0.7)
    return mix(made, (1.0, 0.7, 0.3), 0.18)


def _fog(scene: Scene) -> Pixels:
    shaded = replace(scene, rgb=richer(scene.rgb, 0.6))
    made = sky(shaded, (0.82, 0.85, 0.87), (0.82, 0.85, 0.87))
    thick = 0.62 + 0.3 * noise(scene, 60, 2) + 0.3 * scene.far * (1 - scene.thing)
    return mix(made, (0.83, 0.86, 0.88), np.clip(thick, 0, 0.97))


MATTER: dict[str, Look] = {
    "Matte Painting": _matte,
    "Photograph": _photograph,
    "Product Photo": _product,
    "Film Still": _film,
    "Architecture": _architecture,
    "Clay Model": _clay,
    "Stop Motion": _stop_motion,
    "Low Poly": _low_poly,
    "Voxel": _voxel,
    "Pixel Art": _pixel,
    "Stylised Game": _game,
    "Weathered": _weathered,
    "Stone Carving": _stone,
    "Bronze": _bronze,
    "Stained Glass": _glass,
    "Moonlight": _moonlight,
    "Golden Hour": _golden,
    "Fog": _fog,
}
