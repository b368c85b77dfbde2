"""More of a painting of the gallery: by other seeds, or beginning from the painting itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from underpaint.buffers import Buffers
from underpaint.events import ResultFile
from underpaint.pictures.variations import variations
from underpaint.requests import Request
from underpaint.wire.messages import PictureInfo

from ..image import results
from ..image.pictures import color_of
from ..link import runtime
from ..ui.painting_properties import new_seed
from .looking import Looking


@dataclass(frozen=True, slots=True)
class Variations:
    """How many, of which `strength` (0–1, 1 = anew), shown in which scene."""

    scene: str
    count: int
    strength: float


def vary(looking: Looking, picture: PictureInfo, request: Request, how: Variations) -> None:
    """Ask for them; below full strength once the painting's pixels are here. Raises
    RequestError(BAD_REQUEST) for what has no variations."""
    anew = [_one(request, None, how, Buffers()) for _ in range(how.count)]
    if how.strength >= 1:
        for again in anew:
            _submit(again, Buffers(), how)
        return

    def came(files: Sequence[ResultFile]) -> None:
        data = next(file.data for file in files if file.name == picture.name)
        pixels = _pixels(picture.name, bytes(data))
        for _ in range(how.count):
            buffers = Buffers()
            _submit(_one(request, pixels, how, buffers), buffers, how)

    looking.session.ask(lambda up: up.fetch_results(picture.job), came, looking.fail)


def _one(request: Request, pixels: Any, how: Variations, buffers: Buffers) -> Request:
    strength = 1.0 if pixels is None else how.strength
    seed = new_seed()
    return variations(request, pixels, buffers, strength=strength, count=1, seed=seed)


def _submit(request: Request, buffers: Buffers, how: Variations) -> None:
    folder = results.results_folder()
    runtime.live().session.submit(request, buffers, scene=how.scene, folder=folder)


def _pixels(name: str, data: bytes) -> Any:
    file = Path(bpy.app.tempdir) / f"variation-{name}"
    file.write_bytes(data)
    image = bpy.data.images.load(str(file), check_existing=False)
    try:
        return color_of(image)
    finally:
        bpy.data.images.remove(image)
        file.unlink()
