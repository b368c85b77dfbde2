"""Upscaling: an enlarged picture, painted over tile by tile.

Each tile is image-to-image at the model's own size, so that memory is that of one tile. It fades
in where it lies on those before it: at its own edges nothing of it shows, so nothing tells where
they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from underpaint.requests import UpscaleRequest
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.checks.validation import enlarged
from underpaint_daemon.common.job_contract import Phase, Reporter
from underpaint_daemon.common.refusals import tile_request

from .batch import Plan, finished, ready, shown
from .canvas import Canvas, flatten, part, resize
from .controls.images import Sources
from .controls.networks import prepare_controls
from .denoise import Denoising, denoise
from .families import Task
from .latents import from_image8
from .loading.components import LoadedModel
from .memory import Tier
from .references.beside import read_beside, through_networks
from .steps import changes_nothing
from .watch import StepWatch

Image8 = npt.NDArray[np.uint8]
Arrays = Mapping[str, npt.NDArray[Any]]
Box = tuple[int, int, int, int]
_PREVIEW_SIDE = 512
_ENLARGED_ALONE = (
    "Model {name!r} paints no detail onto a picture without a view, only noise: the picture was "
    "enlarged as it is. Choose another model to have detail painted."
)


def run_upscale(
    model: LoadedModel, request: UpscaleRequest, arrays: Arrays, tier: Tier, reporter: Reporter
) -> Image8:
    """The enlarged picture, of the image's channels. When it is enough, the tiles that are left
    stay as they were enlarged. Raises UnderpaintErrors and JobCancelled."""
    size, image = enlarged(request), arrays[request.image.sha256]
    board = resize(flatten(image), size)
    if not model.upscales:
        reporter.warn(_ENLARGED_ALONE.format(name=request.model))
    elif not changes_nothing(request.strength):
        _paint_over(board, model, request, arrays, tier, reporter)
    if image.shape[2] == 3:
        return board
    alpha = cv2.resize(image[..., 3], size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.dstack([board, alpha])


def boxes(size: tuple[int, int], side: int, overlap: int) -> list[Box]:
    """Tiles (top, left, bottom, right) of `side` pixels, or of the picture's where that is less,
    that cover `size` (height, width); neighbours share `overlap` pixels or more."""
    rows, columns = (_starts(length, side, overlap) for length in size)
    return [
        (top, left, min(top + side, size[0]), min(left + side, size[1]))
        for top in rows
        for left in columns
    ]


def fade_in(box: Box, overlap: int) -> npt.NDArray[np.float32]:
    """How much of a tile shows, 0–1, over those above it and to its left."""
    top, left, bottom, right = box
    down = _ramp(bottom - top, overlap if top else 0)
    across = _ramp(right - left, overlap if left else 0)
    return (down[:, None] * across[None, :])[..., None]


def _paint_over(
    board: Image8,
    model: LoadedModel,
    request: UpscaleRequest,
    arrays: Arrays,
    tier: Tier,
    reporter: Reporter,
) -> None:
    """Paint over the enlarged picture, in place."""
    cell = ABILITIES[model.family.name].cell
    assert request.tile is not None
    side = max(cell, request.tile // cell * cell)
    overlap = min(request.overlap, side // 2)
    tiles = boxes((board.shape[0], board.shape[1]), side, overlap)
    canvases = [part((board.shape[0], board.shape[1]), tile, cell) for tile in tiles]
    reporter.progress(Phase.ENCODING, 0, 1)
    first = _plan(model, request, arrays, canvases[0], reporter)
    with ready(model, first, tier) as job:
        total = job.taken * len(tiles)
        reporter.progress(Phase.DENOISING, 0, total)
        for i, tile in enumerate(tiles):
            if i and reporter.enough():
                break
            plan = _plan(model, request, arrays, canvases[i], reporter) if i else first
            weight = fade_in(tile, overlap)
            watch = _watch(model, plan, board, weight, reporter, job.taken * i, total)
            seed = job.sampling.seed + i
            latents = denoise(_of_tile(job, plan), seed, watch)
            _lay(board, tile, finished(job, plan, latents, tier), weight)


def _plan(
    model: LoadedModel,
    request: UpscaleRequest,
    arrays: Arrays,
    canvas: Canvas,
    reporter: Reporter,
) -> Plan:
    """One tile, ready for denoising: it begins from what was enlarged, not from its neighbours'
    paint, so that no tile drifts after the last."""
    sources = Sources(None, arrays, canvas, request.image)
    asked = request.controls or ()
    networks = through_networks(asked, model.family.name)
    picture = canvas.colour(arrays[request.image.sha256])
    return Plan(
        request=tile_request(request),
        task=Task.IMAGE,
        canvas=canvas,
        conditioning=prepare_controls(model, networks, sources, reporter.warn),
        finish=canvas.back,
        strength=request.strength,
        start={"image": from_image8(picture)},
        beside=read_beside(model, (), asked, sources),
    )


def _of_tile(job: Denoising, plan: Plan) -> Denoising:
    return replace(job, size=plan.canvas.padded, conditioning=plan.conditioning, start=plan.start)


def _watch(
    model: LoadedModel,
    plan: Plan,
    board: Image8,
    weight: npt.NDArray[np.float32],
    reporter: Reporter,
    done: int,
    total: int,
) -> StepWatch:
    """Previews show the whole picture, this tile on it."""

    def whole(latents: Any) -> Image8 | None:
        small = shown(model, plan, latents)
        if small is None:
            return None
        scene, box = board.copy(), plan.canvas.box
        _lay(scene, box, resize(small, plan.canvas.box_size), weight)
        scale = min(1.0, _PREVIEW_SIDE / max(scene.shape[:2]))
        size = tuple(max(1, round(side * scale)) for side in scene.shape[:2])
        return np.ascontiguousarray(resize(scene, (size[0], size[1])))

    return StepWatch(reporter, whole, done, total)


def _lay(board: Image8, box: Box, painted: Image8, weight: npt.NDArray[np.float32]) -> None:
    top, left, bottom, right = box
    below = board[top:bottom, left:right]
    blend = below * (1 - weight) + painted * weight
    board[top:bottom, left:right] = blend.round().clip(0, 255).astype(np.uint8)


def _starts(length: int, side: int, overlap: int) -> Sequence[int]:
    if length <= side:
        return (0,)
    count = math.ceil((length - overlap) / (side - overlap))
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def _ramp(length: int, overlap: int) -> npt.NDArray[np.float32]:
    """0 to 1 over the first `overlap` pixels, smoothly, then 1."""
    if overlap == 0:
        return np.ones(length, np.float32)
    t = np.clip((np.arange(length) + 0.5) / overlap, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
