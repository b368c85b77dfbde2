"""A look at a material: its maps lit on a plane, three by three, and on a ball.

One light and a plain sky; the microfacet model that glTF describes (GGX, Smith, Schlick), so that
what is seen here is what engines will show.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from underpaint.srgb import linear, srgb

from .maps import Maps

Array = npt.NDArray[Any]
Image8 = npt.NDArray[np.uint8]
_SIDE = 512
_REPEATS = 3
_BALL_TILES = (2.0, 1.0)  # around, from pole to pole: for half of it that is seen
_BALL_RADIUS = 0.9  # of half the picture
_SUN = np.array([-0.45, 0.55, 0.7], np.float32)
_EYE = np.array([0.0, 0.0, 1.0], np.float32)
_SUN_POWER = 2.6
_SKY, _GROUND = 0.75, 0.25
_BACKGROUND = 0.09


def preview_sheet(maps: Maps) -> Image8:
    """(512, 1024, 3) uint8: the plane, three by three repeats seen from above, and the ball."""
    both = np.concatenate([_plane(maps), _ball(maps)], 1)
    return np.asarray((srgb(both) * 255).round(), np.uint8)


def shade(
    normal: Array, base_color: Array, roughness: Array, metallic: Array, ao: Array, view: Array
) -> Array:
    """Light (…, 3), linear, from surfaces: normal, view (…, 3) unit; base_color sRGB 0..1;
    the others (…)."""
    sun = _SUN / np.linalg.norm(_SUN)
    albedo = linear(base_color[..., :3])
    metal = metallic[..., None]
    mirror = 0.04 * (1 - metal) + albedo * metal
    half = sun + view
    half = half / np.linalg.norm(half, axis=-1, keepdims=True)
    to_sun = (normal @ sun).clip(0)
    to_eye = (normal * view).sum(-1).clip(1e-3)
    fresnel = mirror + (1 - mirror) * (1 - (half * view).sum(-1).clip(0, 1))[..., None] ** 5
    alpha = roughness.clip(0.05, 1) ** 2
    glint = _ggx((normal * half).sum(-1).clip(0), alpha) * _smith(to_sun, to_eye, alpha)
    lit = (1 - fresnel) * (1 - metal) * albedo / math.pi + fresnel * glint[..., None]
    sky = (_GROUND + (_SKY - _GROUND) * (normal[..., 1] * 0.5 + 0.5))[..., None]
    around = (albedo * (1 - metal) + mirror * (1 - 0.5 * roughness[..., None])) * sky
    light: Array = lit * (_SUN_POWER * to_sun)[..., None] + around * ao[..., None]
    return light


def _ggx(cosine: Array, alpha: Array) -> Array:
    square = alpha**2
    return np.asarray(square / (math.pi * (cosine**2 * (square - 1) + 1) ** 2))


def _smith(to_sun: Array, to_eye: Array, alpha: Array) -> Array:
    """Height-correlated visibility, already over 4·(n·l)·(n·v)."""
    square = alpha**2
    a = to_sun * np.sqrt(to_eye**2 * (1 - square) + square)
    b = to_eye * np.sqrt(to_sun**2 * (1 - square) + square)
    return np.asarray(0.5 / np.maximum(a + b, 1e-4))


def _stack(maps: Maps) -> Array:
    """(h, w, 9): colour, normal, roughness, metallic, ao."""
    rest = np.stack([maps.roughness, maps.metallic, maps.ao], -1)
    return np.concatenate([maps.base_color[..., :3], maps.normal, rest], -1).astype(np.float32)


def _lit(values: Array, normal: Array, view: Array) -> Array:
    return shade(normal, values[..., :3], values[..., 6], values[..., 7], values[..., 8], view)


def _plane(maps: Maps) -> Array:
    tiled = np.tile(_stack(maps), (_REPEATS, _REPEATS, 1))
    threes = [np.ascontiguousarray(tiled[..., i : i + 3]) for i in range(0, 9, 3)]
    shrunk = [cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for part in threes]
    values = np.concatenate(shrunk, -1)
    normal = _unit(values[..., 3:6])
    return _lit(values, normal, np.broadcast_to(_EYE, normal.shape))


def _ball(maps: Maps) -> Array:
    """The ball from the front, its texture wound around it; two samples a pixel and axis."""
    side = 2 * _SIDE
    steps = ((np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1) / _BALL_RADIUS
    x, y = np.meshgrid(steps, -steps)
    inside = x**2 + y**2 < 1
    z = np.sqrt((1 - x**2 - y**2).clip(0))
    u = np.arctan2(x, np.maximum(z, 1e-9)) / math.pi * _BALL_TILES[0]
    v = np.arcsin(y.clip(-1, 1)) / math.pi * _BALL_TILES[1] * 2
    values = _sampled(_stack(maps), u, v)[inside]
    x, y, z = x[inside], y[inside], z[inside]
    normal = np.stack([x, y, z], -1)
    right = _unit(np.stack([z, np.zeros_like(z), -x], -1) + 1e-9)
    up = np.cross(normal, right)
    bump = values[..., 3:6]
    bent = right * bump[..., :1] + up * bump[..., 1:2] + normal * bump[..., 2:]
    light = np.full((side, side, 3), _BACKGROUND, np.float32)
    light[inside] = _lit(values, _unit(bent), np.broadcast_to(_EYE, normal.shape))
    small: Array = cv2.resize(light, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return small


def _sampled(image: Array, u: Array, v: Array) -> Array:
    """Bilinear samples of a repeating image, v up."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="wrap")
    x = ((u % 1) * width + 0.5).astype(np.float32)
    y = ((1 - v % 1) % 1 * height + 0.5).astype(np.float32)
    parts = [
        cv2.remap(np.ascontiguousarray(padded[..., i : i + 3]), x, y, cv2.INTER_LINEAR)
        for i in range(0, image.shape[2], 3)
    ]
    return np.concatenate(parts, -1)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(1e-9))
