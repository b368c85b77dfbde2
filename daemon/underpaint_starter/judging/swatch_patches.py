"""Pictures that `swatches.render` made, and patches of them as others might have made them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError
from underpaint_starter.judging.materials import SIDE, WORDS, patch_of
from underpaint_starter.scenes.colours import FIXED
from underpaint_starter.scenes.shards import Image8

Floats = npt.NDArray[np.float32]
_ALPHA = 250  # a pixel is on the object from here
_EDGE = np.ones((5, 5), np.uint8)  # what is left out along an outline, as of paintings
_TURNED_HUE = 0.5  # share of the pictures whose colours are turned, where the word leaves them free


@dataclass(frozen=True, slots=True)
class Swatches:
    """Pictures (n, h, w, 4) uint8, alpha 255 on the object, and their words by index."""

    pictures: list[Image8]
    names: list[int]


def load_swatches(folder: Path) -> Swatches:
    """Read the pictures that `swatches.render` wrote. Raises RequestError when there are none."""
    pictures, names = [], []
    for path in sorted(folder.glob("*_*.png")):
        bgra = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        picture = np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA), np.uint8)
        picture[..., 3] = 255 * (cv2.erode(picture[..., 3], _EDGE) >= _ALPHA)
        pictures.append(picture)
        names.append(WORDS.index(path.stem.rpartition("_")[0]))
    if not pictures:
        raise RequestError(ErrorCode.FILE, f"No pictures of materials in {folder}")
    return Swatches(pictures, names)


def plain_patch(picture: Image8) -> Image8:
    """The patch of a swatch, as a painting's would be cut."""
    return patch_of(picture[..., :3], picture[..., 3] >= _ALPHA)


def varied_patch(picture: Image8, word: str, rng: np.random.Generator) -> Image8:
    """A patch of a swatch as somebody else might have rendered it: another part, size and side,
    light, focus, grain and file, and another colour where the word leaves the colour free."""
    rgb, alpha = _placed(picture, word, rng)
    if rng.random() < 0.6:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.3, 1.3))
    if rng.random() < 0.6:
        rgb = rgb + np.float32(rng.uniform(0, 0.04)) * _grain(rgb, rng)
    return _filed(rgb, alpha, rng)


def blurred_patch(picture: Image8, word: str, rng: np.random.Generator) -> Image8:
    """The same, so far out of focus that its pattern is gone."""
    rgb, alpha = _placed(picture, word, rng)
    return _filed(cv2.GaussianBlur(rgb, (0, 0), rng.uniform(2.0, 5.0)), alpha, rng)


def noisy_patch(picture: Image8, word: str, rng: np.random.Generator) -> Image8:
    """The same under noise, fine or coarse, grey or coloured."""
    rgb, alpha = _placed(picture, word, rng)
    noise = _grain(rgb, rng) * np.float32(rng.uniform(0.08, 0.25))
    if rng.random() < 0.5:
        noise = np.repeat(noise.mean(-1, keepdims=True) * np.float32(math.sqrt(3)), 3, -1)
    coarse = rng.uniform(0, 1.5)
    if coarse > 0.4:  # a blur takes from its strength
        noise = cv2.GaussianBlur(noise, (0, 0), coarse) * np.float32(1 + 1.5 * coarse)
    return _filed(rgb + noise, alpha, rng)


def _grain(rgb: Floats, rng: np.random.Generator) -> Floats:
    return rng.normal(size=rgb.shape).astype(np.float32)


def _placed(picture: Image8, word: str, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Colours (SIDE, SIDE, 3), 0..1, and alpha of another part of a swatch in another light."""
    mask = picture[..., 3:] >= _ALPHA
    planes = np.where(mask, picture, 0).astype(np.float32)
    planes[..., 3:] = 255 * mask
    planes = cv2.warpAffine(planes, _placing(picture.shape[0], rng), (SIDE, SIDE),
                            flags=cv2.INTER_AREA)  # fmt: skip
    rgb, alpha = planes[..., :3] / 255, planes[..., 3:] / 255
    rgb = _recoloured(rgb / np.maximum(alpha, 1e-3), word, rng)
    return (_lit(rgb, rng) if rng.random() < 0.6 else rgb), alpha


def _filed(rgb: Floats, alpha: Floats, rng: np.random.Generator) -> Image8:
    """As it comes out of a file, maybe mirrored."""
    image: Image8 = (rgb.clip(0, 1) * 255).round().astype(np.uint8)
    if rng.random() < 0.4:
        image = _compressed(image, rng)
    out = np.concatenate((image * alpha, alpha * 255), -1)
    if rng.random() < 0.5:
        out = out[:, ::-1]
    rounded: Image8 = out.round().astype(np.uint8)
    return rounded


def _lit(rgb: Floats, rng: np.random.Generator) -> Floats:
    """Lighter on one side than on the other."""
    angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.35)
    down, right = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
    slope = math.cos(angle) * right + math.sin(angle) * down
    out: Floats = rgb * (1 + reach * slope)[..., None].astype(np.float32)
    return out


def _compressed(image: Image8, rng: np.random.Generator) -> Image8:
    """As a JPEG shows it."""
    quality = int(rng.integers(35, 92))
    bgr = np.ascontiguousarray(image[..., ::-1])
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    again = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(again[..., ::-1])


def _placing(size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A turn of a few degrees, a stretch, a zoom and a shift, as a (2, 3) matrix."""
    zoom = SIDE / size * math.exp(rng.uniform(-0.25, 0.6))
    turn = rng.normal() * 0.12
    stretch = math.exp(rng.normal() * 0.08)
    a, b = zoom * math.cos(turn), zoom * math.sin(turn)
    linear = np.array([[a * stretch, -b], [b * stretch, a]])
    reach = 0.18 * size
    middle = size / 2 + rng.uniform(-reach, reach, 2)
    return np.concatenate((linear, (SIDE / 2 - linear @ middle)[:, None]), 1)


def _recoloured(rgb: Floats, word: str, rng: np.random.Generator) -> Floats:
    """Light and film; hue and saturation too, unless the word is a colour's as well."""
    out = rgb.clip(0, 1) ** math.exp(rng.normal() * 0.25) * rng.uniform(0.75, 1.2)
    out = out * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    if word in FIXED or word == "leaves" or rng.random() > _TURNED_HUE:
        return out.clip(0, 1)
    hsv = cv2.cvtColor(out.clip(0, 1).astype(np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(0, 360)) % 360
    hsv[..., 1] = (hsv[..., 1] * rng.choice((0.2, 0.6, 1.0, 1.3))).clip(0, 1)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
