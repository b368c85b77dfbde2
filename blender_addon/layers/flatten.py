"""One layer from all that are visible, by the sums of the shader nodes.

Three parts, so that they can be done apart: a plan, the sums (in any thread), the new layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError
from underpaint.wire.envelope import new_id

from ..plain.srgb import Floats
from . import nodes, pixels, stack
from .compose import Sheet, flat_values, stacked, to_bytes
from .ready import Ready, ready
from .stack import NewLayer
from .visible import MAPS, Found, Place, Visible, places, sheets, visible

_FLAT_NORMAL = (0.5, 0.5, 1.0)
_COLOUR = "image"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is flattened. `below`: what is below the layers, by the maps that some layer has.
    `name`: of the colour image. `folder`: where the tiles of a tiled texture are written."""

    seen: Visible
    below: Mapping[str, tuple[float, float, float]]
    name: str
    folder: Path


def plan(material: Any, folder: Path) -> Plan:
    """What flattening a material means now.

    Raises RequestError(BAD_REQUEST) when nothing is visible, or UV maps differ.
    """
    seen = visible(material)
    if not seen.layers:
        raise RequestError(
            ErrorCode.BAD_REQUEST, "no layer is visible", hint="Show a layer, or remove them."
        )
    if len({layer.uv_map for layer in seen.layers}) > 1:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "the layers lie in different UV maps",
            hint="Hide those of one map, and flatten the others.",
        )
    used = [what for what in MAPS if any(what in layer.maps for layer in seen.layers)]
    below = {what: _below(material, what) for what in used}
    return Plan(seen, below, f"{material.name} flat", folder)


def wanted(planned: Plan) -> Iterator[Place]:
    """What to read for the sums."""
    yield from places(planned.seen, planned.seen.tiles)
    for tile in planned.seen.tiles:
        for layer in planned.seen.layers:
            yield from ((uid, tile) for uid in layer.maps.values())


def sums(planned: Plan, found: Found) -> dict[str, Ready]:
    """The flat images by what they are. Mixing them over what the artist had below gives what the
    layers gave, to a byte's rounding."""
    parts: dict[str, dict[int, npt.NDArray[np.uint8]]] = {}
    for tile in planned.seen.tiles:
        layers = sheets(planned.seen, found, tile)
        size = _size(layers)
        parts.setdefault(_COLOUR, {})[tile] = to_bytes(stacked(layers, size))
        for what in planned.below:
            parts.setdefault(what, {})[tile] = _values(planned, found, what, tile, layers)
    return {
        what: ready(_name(planned, what), tiles, planned.folder) for what, tiles in parts.items()
    }


def put(material: Any, planned: Plan, flat: Mapping[str, Ready]) -> None:
    """Put one layer in the place of the visible ones; hidden ones go.

    Raises RequestError(BAD_REQUEST) when the layers are not those of the plan any more.
    """
    if visible(material).layers != planned.seen.layers:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "the layers changed while they were flattened, and are left as they are",
            hint="Press Flatten again.",
        )
    look = {
        what: pixels.of_ready(_name(planned, what), picture, data=what != _COLOUR)
        for what, picture in flat.items()
    }
    whole, uv_map = any(x.whole for x in planned.seen.layers), planned.seen.layers[0].uv_map
    stack.replace_all(material, NewLayer(new_id(), "Flattened", look, uv_map, partial=not whole))


def _name(planned: Plan, what: str) -> str:
    return planned.name if what == _COLOUR else f"{planned.name} {what}"


def _values(
    planned: Plan, found: Found, what: str, tile: int, layers: list[Sheet]
) -> npt.NDArray[np.uint8]:
    images = [layer.maps.get(what) for layer in planned.seen.layers]
    values = [None if uid is None else found[uid, tile][..., :3] for uid in images]
    size = _size(layers)
    ground: Floats = np.array(planned.below[what], np.float32)
    colour = flat_values(values, layers, size, ground)
    return to_bytes(np.concatenate([colour, np.ones((*size, 1), np.float32)], axis=2))


def _below(material: Any, what: str) -> tuple[float, float, float]:
    """What is below the layers, of a thing that is not colour."""
    if what == "normal":
        return _FLAT_NORMAL
    node = nodes.group_node(material)
    socket = node.inputs.get(what.title())
    value = 0.5 if socket is None or socket.is_linked else float(socket.default_value)
    return value, value, value


def _size(layers: list[Sheet]) -> tuple[int, int]:
    """The largest of the sheets."""
    shapes = [sheet.pixels.shape for sheet in layers]
    return max(s[0] for s in shapes), max(s[1] for s in shapes)
