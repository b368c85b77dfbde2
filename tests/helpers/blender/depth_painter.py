"""A small real runner: paints the depth of the view it was given, in as many steps as told.

A texture gets its UVs as colours (red grows with u, green with v, blue tells the seed), over the
base, except where it is locked: so tests can say what every texel must be.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from underpaint.paths import Paths
from underpaint.requests import ImageRequest, InpaintRequest, TextureRequest, UpscaleRequest
from underpaint_daemon.common.job_contract import Artifact

from ..daemon.small_runners import Walker

_GOLD = np.array([1.0, 0.72, 0.25])
_SIDE = 256  # no model, so none to say what its own size is
_GREYS = {"roughness": 200, "metallic": 40, "height": 128, "ao": 255}


def build_runner(paths: Paths) -> DepthPainter:
    return DepthPainter(paths)


class DepthPainter(Walker):
    """Obeys the prompt like `Walker`; near things are bright gold, the background is black."""

    def __call__(self, request, buffers: Mapping[str, Any], reporter):
        if isinstance(request, ImageRequest) and request.only_controls:
            return _controls(request, buffers, self._paths, reporter)
        textures = isinstance(request, TextureRequest)
        pictures = (
            _textures(request, buffers) if textures else {"image_0.png": _picture(request, buffers)}
        )
        first = next(iter(pictures.values()))
        super().__call__(request, buffers, _Shows(reporter, first[..., :3]))
        facts = {"seed": request.sampling.seed}
        return [
            Artifact(name, "image/png", _png(picture), facts) for name, picture in pictures.items()
        ]


def _controls(request, buffers, paths: Paths, reporter) -> list[Artifact]:
    """As the daemon's own runner makes them; what that takes is imported only here."""
    from underpaint_daemon.common.defaults.settle import settle
    from underpaint_daemon.worker.pipelines.controls.shown import control_artifacts

    return control_artifacts(settle(request, paths), buffers, paths, reporter.warn)


class _Shows:
    """A reporter whose previews are the picture."""

    def __init__(self, reporter, picture: np.ndarray) -> None:
        self._reporter = reporter
        self._picture = picture

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)

    def preview(self, step: int, _image: np.ndarray) -> None:
        self._reporter.preview(step, np.ascontiguousarray(self._picture[::2, ::2]))


def _png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def _repainted(request: InpaintRequest, buffers: Mapping[str, Any]) -> np.ndarray:
    """The picture, with the masked spot in blue of the seed's brightness."""
    picture = buffers[request.image.sha256][..., :3].copy()
    picture[buffers[request.mask.sha256] > 0] = (0, 0, request.sampling.seed % 256)
    return picture


def _picture(request, buffers: Mapping[str, Any]) -> np.ndarray:
    if isinstance(request, InpaintRequest):
        return _repainted(request, buffers)
    if isinstance(request, UpscaleRequest):
        times = round(request.factor)
        return buffers[request.image.sha256][..., :3].repeat(times, axis=0).repeat(times, axis=1)
    size = (request.height or _SIDE, request.width or _SIDE)
    shade = np.full(size, (request.sampling.seed % 256) / 255)
    if request.view is not None and request.view.depth is not None:
        depth = buffers[request.view.depth.sha256]
        shade = np.where(np.isfinite(depth), 1 / (1 + depth / 8), 0)
    return (shade[..., None] * _GOLD * 255).astype(np.uint8)


def _textures(request: TextureRequest, buffers: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The files of a texture: one a tile, numbered when there are several, and its maps."""
    corners = buffers[request.mesh.uv.sha256].reshape(-1, 3, 2)
    cell = np.floor(corners.mean(axis=1)).astype(int)
    cell[(cell < 0).any(axis=1) | (cell[:, 0] > 9)] = 0  # outside every tile: the first again
    numbers = sorted({1001 + int(u) + 10 * int(v) for u, v in cell})
    there = {1001: (request.base, request.lock)}
    there |= {tile.number: (tile.base, tile.lock) for tile in request.more_tiles}
    files = {}
    for number in numbers:
        end = f"_{number}" if len(numbers) > 1 else ""
        base, lock = (
            None if ref is None else buffers[ref.sha256] for ref in there.get(number, (None, None))
        )
        files[f"texture{end}.png"] = _texture(request, number, base, lock)
        if request.pbr is not None:
            files |= _maps(request.size, end)
    return files | {"views.png": np.zeros((8, 8, 3), np.uint8)}


def _texture(request, number: int, base, lock) -> np.ndarray:
    side = request.size
    at = ((np.arange(side) + 0.5) / side * 255).astype(np.uint8)
    picture = np.empty((side, side, 4), np.uint8)
    picture[..., 0], picture[..., 1] = at[None, :], at[::-1, None]
    picture[..., 2] = (request.sampling.seed + 16 * (number - 1001)) % 256
    picture[..., 3] = 255
    if base is not None and request.strength < 1:
        mixed = base * (1 - request.strength) + picture * request.strength
        picture[..., :3] = mixed[..., :3].round()
    if lock is not None:
        picture[lock == 255] = base[lock == 255]
    return picture


def _maps(side: int, end: str) -> dict[str, np.ndarray]:
    maps = {f"{n}{end}.png": np.full((side, side), v, np.uint8) for n, v in _GREYS.items()}
    bent = np.full((side, side, 3), (160, 128, 240), np.uint8)
    return {**maps, f"normal{end}.png": bent}
