"""Flat materials: a repeating picture's maps, and how it looks on a plane and on a ball."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from underpaint.requests import ImageRequest, TileAxes
from underpaint.srgb import linear, srgb
from underpaint_daemon.common.job_contract import Artifact

from ..pipelines.loading.cache import ModelCache
from ..pipelines.tiling import axes_of, circular, wrap_deviations, wrap_ratios
from ..provenance import encode_png, origin_of
from .estimates import FAINTEST, luminance, stuff_of, surface
from .maps import Maps, map_artifacts
from .marigold import INTRINSICS, NORMALS, intrinsics, networks_of, normals, shared_marigold
from .preview import preview_sheet

Array = npt.NDArray[Any]
Image8 = npt.NDArray[np.uint8]
_SHADING_SPAN = 0.2  # of the image's shorter side: light changes no faster than this
_RELIEF_SPAN = 0.06
_SHARPEST_PX = 1.0
_SPREAD = 3.0  # heights beyond so many standard deviations are clipped
_RELIEF_DEPTH = 0.02  # of the image's width, from the lowest to the highest
_CAVITY = 1.6
_HOW_COLOR = "estimated: light that changes slowly was divided out"
_HOW_HEIGHT = "estimated: darker is deeper, slow changes left out"
_HOW_NORMAL = "estimated from height"
_HOW_AO = "estimated from height: what lies below its surroundings"


def material_artifacts(
    images: Sequence[Image8],
    request: ImageRequest,
    recipe: Mapping[str, Any],
    models: ModelCache,
    cell: int,
) -> list[Artifact]:
    """What a repeating image or one with maps brings besides its pictures: the maps, and with
    both axes a preview on a plane and a ball; `material.json` says how good and how made. Names
    carry the image's number when there are several. recipe: the first image's. cell: pixels of a
    cell of the coarsest grid that the networks work on."""
    if request.tile is TileAxes.OFF and request.pbr is None:
        return []
    artifacts = list[Artifact]()
    for number, image in enumerate(images):
        suffix = f"_{number}" if len(images) > 1 else ""
        own = {**recipe, "index": number, "seed": recipe["seed"] + number}
        report = _seams(image, request.tile, cell)
        maps = flat_maps(image, request, models, number) if request.pbr else None
        if maps is not None:
            artifacts += map_artifacts(maps, own, origin_of(request), suffix=suffix)
            report |= {"maps": dict(maps.made), "height_range": maps.height_range}
        if request.tile is TileAxes.XY:
            sheet = preview_sheet(_plain_maps(image) if maps is None else maps)
            png = encode_png(sheet, own, origin_of(request))
            artifacts.append(Artifact(f"preview{suffix}.png", "image/png", png, report))
        text = json.dumps(report, indent=1, sort_keys=True).encode()
        artifacts.append(Artifact(f"material{suffix}.json", "application/json", text, report))
    return artifacts


def _seams(image: Image8, tile: TileAxes, cell: int) -> dict[str, Any]:
    """How visible the seams are, along the axes that repeat (definitions: `tiling`)."""
    ratios, deviations = wrap_ratios(image, cell), wrap_deviations(image, cell)
    report = dict[str, Any]()
    for number, repeats in enumerate(axes_of(tile)):
        if repeats:
            report[f"wrap_{'xy'[number]}_ratio"] = ratios[number]
            report[f"wrap_{'xy'[number]}_deviation"] = deviations[number]
    return report


def flat_maps(image: Image8, request: ImageRequest, models: ModelCache, number: int) -> Maps:
    """The maps of a picture (h, w, 3) that is a flat surface. Raises RequestErrors of models."""
    assert request.pbr is not None
    blur = _Blur(image.shape[:2], request.tile)
    stuff = stuff_of(request.prompt.text)
    seed = request.sampling.seed + number
    known = dict[str, Array]()
    if request.pbr.model is not None:
        pipe = shared_marigold(models, request.pbr.model, INTRINSICS)
        with circular(networks_of(pipe), request.tile):
            known |= {k: v.numpy() for k, v in intrinsics(pipe, image, seed).items()}
    color = known.get("albedo", delit(image.astype(np.float32) / 255, blur))
    relief = _relief(luminance(color), blur)
    roughness, metallic = surface(color, relief, stuff)
    height = (0.5 + relief / (2 * max(FAINTEST, _SPREAD * float(relief.std())))).clip(0, 1)
    height = height.astype(np.float32)
    normal = normal_of_height(height, request.tile)
    if request.pbr.normal_model is not None:
        pipe = shared_marigold(models, request.pbr.normal_model, NORMALS)
        with circular(networks_of(pipe), request.tile):
            normal = _levelled(normals(pipe, image, seed).numpy(), blur)
    guess = f"estimated: {stuff.said}"
    return Maps(
        base_color=color,
        roughness=known.get("roughness", roughness),
        metallic=known.get("metallic", metallic),
        normal=normal,
        height=height,
        ao=_cavities(height, blur),
        made={
            "base_color": "Marigold" if "albedo" in known else _HOW_COLOR,
            "roughness": "Marigold" if "roughness" in known else guess,
            "metallic": "Marigold" if "metallic" in known else guess,
            "normal": "Marigold" if request.pbr.normal_model is not None else _HOW_NORMAL,
            "height": _HOW_HEIGHT,
            "ao": _HOW_AO,
        },
        height_range=_RELIEF_DEPTH,
    )


@dataclass(frozen=True, slots=True)
class _Blur:
    """Gaussian blur that reaches around the edge along repeating axes."""

    size: tuple[int, ...]
    tile: TileAxes

    def __call__(self, values: Array, span: float) -> Array:
        """values (h, w[, c]) blurred; span: of the shorter side."""
        return self.pixels(values, span * min(self.size[:2]))

    def pixels(self, values: Array, sigma: float) -> Array:
        modes = ["wrap" if repeats else "nearest" for repeats in reversed(axes_of(self.tile))]
        blurred = gaussian_filter(values, sigma, mode=modes, axes=(0, 1))
        return np.asarray(blurred, np.float32)


def delit(color: Array, blur: _Blur) -> Array:
    """Colours (h, w, 3) sRGB 0..1 without shading that changes slowly: divided, in linear light,
    by their blurred luminance over its mean; hues stay."""
    flat = linear(color.astype(np.float32))
    light = np.maximum(blur(luminance(flat), _SHADING_SPAN), 1e-4)
    even = flat * (light.mean() / light)[..., None]
    return np.asarray(srgb(even), np.float32)


def _relief(light: Array, blur: _Blur) -> Array:
    """(h, w) luminance above its surroundings, its grain smoothed."""
    return blur.pixels(light, _SHARPEST_PX) - blur(light, _RELIEF_SPAN)


def normal_of_height(height: Array, tile: TileAxes) -> Array:
    """(h, w, 3) float32 unit tangent-space normals (OpenGL) of a flat height field (h, w) 0..1
    that is `_RELIEF_DEPTH` of its width deep."""
    deep = height * (_RELIEF_DEPTH * height.shape[1])
    wrap_x, wrap_y = axes_of(tile)
    right = _slope(deep, 1, wrap=wrap_x)
    down = _slope(deep, 0, wrap=wrap_y)
    normal = np.stack([-right, down, np.ones_like(deep)], -1)
    return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True), np.float32)


def _slope(height: Array, axis: int, *, wrap: bool) -> Array:
    """Central differences per pixel; one-sided at an edge that does not repeat."""
    if not wrap:
        return np.asarray(np.gradient(height, axis=axis))
    return (np.roll(height, -1, axis) - np.roll(height, 1, axis)) / 2


def _levelled(normal: Array, blur: _Blur) -> Array:
    """A model sees a flat material tilted or bulged: what changes slowly is turned upright."""
    detail = normal.copy()
    detail[..., :2] -= blur(normal[..., :2], _SHADING_SPAN)
    detail[..., 2] = detail[..., 2].clip(0.05)
    return np.asarray(detail / np.linalg.norm(detail, axis=-1, keepdims=True), np.float32)


def _cavities(height: Array, blur: _Blur) -> Array:
    """(h, w) 0..1 ambient occlusion: how far a place lies below what is around it."""
    depth = sum(((blur(height, span) - height).clip(0) for span in (0.01, 0.03)), height * 0)
    return np.asarray((1 - _CAVITY * depth).clip(0.2, 1), np.float32)


def _plain_maps(image: Image8) -> Maps:
    """A picture without maps, as flat matt paint."""
    size = image.shape[:2]
    flat = np.zeros((*size, 3), np.float32)
    flat[..., 2] = 1
    even = np.ones(size, np.float32)
    color = image.astype(np.float32) / 255
    return Maps(color, even * 0.8, even * 0, flat, even * 0.5, even, {}, 0.0)
