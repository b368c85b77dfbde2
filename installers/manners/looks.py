"""How styles look: one small picture drawn over in thirty manners. numpy and OpenCV, no model.

The starter paints materials; what oil or etching are, it has never seen. So these are drawn: signs
by which a style is found in a list, not what a model makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.floating[Any]]
"""(h, w, 3) or (h, w), 0–1, sRGB as it is shown."""
WHITE, BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """`rgb`: (h, w, 3), painted. `normal`: (h, w, 3) camera space. `thing`, `ground`: (h, w) masks,
    0 or 1. `far`: (h, w), 0 near to 1 far."""

    rgb: Pixels
    normal: Pixels
    thing: Pixels
    ground: Pixels
    far: Pixels


def pixels(values: object) -> Pixels:
    """float32, as OpenCV reads them."""
    return np.asarray(values, np.float32)


def noise(scene: Scene, size: int, seed: int = 0) -> Pixels:
    """Even noise in spots of `size` pixels, 0–1."""
    height, width = scene.thing.shape
    small = np.random.default_rng(seed).random((height // size + 2, width // size + 2))
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return pixels(np.clip(large, 0, 1))


def grey(rgb: Pixels) -> Pixels:
    """Lightness, 0–1."""
    return pixels(rgb @ np.array([0.3, 0.59, 0.11], np.float32))


def mix(first: Pixels, second: object, part: object) -> Pixels:
    """`part` of the second in the first's place; parts are (h, w) or a number."""
    share = np.asarray(part, np.float32)
    share = share[..., None] if share.ndim == 2 else share
    return np.clip(first * (1 - share) + np.asarray(second, np.float32) * share, 0, 1).astype(
        np.float32
    )


def coloured(light: Pixels, *colours: tuple[float, float, float]) -> Pixels:
    """Lightness as a ramp of colours, dark to light."""
    at = np.linspace(0, 1, len(colours))
    bands = [np.interp(light, at, [colour[band] for colour in colours]) for band in range(3)]
    return pixels(np.stack(bands, -1))


def smooth(rgb: Pixels, rounds: int = 3) -> Pixels:
    """Even areas with sharp borders."""
    for _ in range(rounds):
        rgb = cv2.bilateralFilter(rgb, 9, 0.16, 5)
    return rgb


def lines(scene: Scene, width: int = 1, within: float = 0.22) -> Pixels:
    """1 on outlines, and on what is drawn inside where it differs by more than `within`."""
    blurred = cv2.GaussianBlur(scene.rgb, (0, 0), 1.2)
    inner = np.abs(cv2.Laplacian(grey(blurred), cv2.CV_32F)) * 4 > within
    bent = np.abs(np.diff(scene.normal, axis=0, prepend=scene.normal[:1])).sum(-1)
    bent += np.abs(np.diff(scene.normal, axis=1, prepend=scene.normal[:, :1])).sum(-1)
    found = ((inner & (scene.thing > 0)) | (bent > 0.5)).astype(np.float32)
    brush = np.ones((width, width), np.uint8)
    return pixels(cv2.GaussianBlur(cv2.dilate(found, brush), (0, 0), 0.6))


def hatching(light: Pixels, angle: float, apart: float, below: float) -> Pixels:
    """Parallel lines where it is darker than `below`, thicker where darker; 1 on a line."""
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]].astype(np.float32)
    turn = np.deg2rad(angle)
    across = (columns * np.cos(turn) + rows * np.sin(turn)) / apart % 1
    thick = np.clip((below - light) / below, 0, 1) * 0.8
    return pixels(np.abs(across - 0.5) * 2 < thick)


def strokes(rgb: Pixels, count: int, length: int, width: int, seed: int = 0) -> Pixels:
    """The picture in strokes of a brush, along what is alike."""
    chance, made = np.random.default_rng(seed), rgb.copy()
    soft = cv2.GaussianBlur(grey(rgb), (0, 0), 3)
    down, right = np.gradient(soft)
    height, across = soft.shape
    for _ in range(count):
        row, column = int(chance.integers(height)), int(chance.integers(across))
        turn = np.arctan2(right[row, column], -down[row, column]) + chance.normal(0, 0.4)
        step = np.array([np.cos(turn), np.sin(turn)]) * length / 2
        shade = np.clip(rgb[row, column] * (1 + chance.normal(0, 0.08)), 0, 1)
        begun, ended = (
            (int(column + sign * step[0]), int(row + sign * step[1])) for sign in (-1, 1)
        )
        cv2.line(made, begun, ended, shade.tolist(), width, cv2.LINE_AA)
    return made


def flat(rgb: Pixels, levels: int) -> Pixels:
    """Few tones of each colour."""
    return pixels(np.round(smooth(rgb) * levels) / levels)


def lit(scene: Scene, *towards: float) -> Pixels:
    """How much light of a direction (camera space) falls on what is there, 0–1."""
    direction = np.array(towards) / np.linalg.norm(towards)
    shade = np.clip(scene.normal @ direction, 0, 1) * 0.8 + 0.2
    known = np.abs(scene.normal).sum(-1) > 0
    return pixels(np.where(known, shade, 0.9))


def richer(rgb: Pixels, times: float) -> Pixels:
    """More, or less, colour."""
    light = grey(rgb)[..., None]
    return pixels(np.clip(light + (rgb - light) * times, 0, 1))


def darkened(rgb: Pixels, strength: float = 0.5) -> Pixels:
    """Darker corners."""
    height, width = rgb.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    part = np.clip(rows**2 + columns**2 - 0.4, 0, 1.6) / 1.6 * strength
    return mix(rgb, BLACK, part.astype(np.float32))


def sky(scene: Scene, top: tuple[float, ...], low: tuple[float, ...]) -> Pixels:
    """The picture with another sky."""
    height = scene.thing.shape[0]
    down = np.linspace(0, 1.6, height, dtype=np.float32)[:, None, None]
    shown = np.array(top, np.float32) * (1 - down) + np.array(low, np.float32) * down
    there = np.clip(scene.thing + scene.ground, 0, 1)[..., None]
    return pixels(np.clip(scene.rgb * there + shown * (1 - there), 0, 1))


Look = Callable[[Scene], Pixels]
