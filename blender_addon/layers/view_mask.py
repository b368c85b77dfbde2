"""What one view painted of a layer, as a mask: from the provenance that the job left beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError

from ..link.marks import TARGET_KEY
from ..plain.surfaces import Surface, target_from_json
from ..plain.udim import cells, tile_numbers
from .compose import to_rgba

_FILE = "provenance.npz"
Bytes = npt.NDArray[np.uint8]


def painted_by_the_view_at(
    material: Any, layer: Any, uv: tuple[float, float]
) -> Mapping[int, Bytes]:
    """(h, w, 4) masks by UDIM number: white where the view painted that painted the spot at `uv`.

    Raises RequestError(FILE, BAD_REQUEST).
    """
    surface, file = _surface(material, layer.paint.image), _beside(layer.paint.image)
    at = np.array([uv], np.float64)
    corner = np.repeat(at, 3, axis=0)
    cell, own = cells(corner)[0], int(tile_numbers(cells(corner))[0])
    with np.load(file) as told:
        views = {mine: told[f"view_{job}"] for job, mine in surface.tiles if f"view_{job}" in told}
    if own not in views:
        raise _nothing_there()
    view = views[own]
    height, width = view.shape
    x, y = at[0] - cell
    here = view[min(int((1 - y) * height), height - 1), min(int(x * width), width - 1)]
    if here < 0:
        raise _nothing_there()
    return {number: to_rgba(part == here) for number, part in views.items()}


def _surface(material: Any, image: Any) -> Surface:
    """Which part of the job this material is."""
    text = image.get(TARGET_KEY) if image is not None else None
    if not text:
        raise _unknown()
    surfaces = target_from_json(text).surfaces
    named = [s for s in surfaces if s.material is not None and s.material.name == material.name]
    if not named and len(surfaces) > 1:
        raise _unknown()
    return (named or list(surfaces))[0]


def _beside(image: Any) -> Path:
    file = Path(bpy.path.abspath(image.filepath)).with_name(_FILE)
    if not image.filepath or not file.exists():
        raise _unknown()
    return file


def _unknown() -> RequestError:
    return RequestError(
        ErrorCode.FILE,
        "nothing tells which view painted what of this layer",
        hint="New textures tell it, in a file beside their own; paint the mask by hand.",
    )


def _nothing_there() -> RequestError:
    return RequestError(
        ErrorCode.BAD_REQUEST,
        "no view painted this spot",
        hint="Click another spot, or paint the mask by hand.",
    )
