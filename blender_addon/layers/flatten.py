"""One layer from all that are visible, by the sums of the shader nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.envelope import new_id
from underpaint.errors import ErrorCode, UnderpaintError

from . import nodes, pixels, shown, stack
from .compose import Floats, Sheet, flat_values, stacked, to_bytes
from .stack import NewLayer

_FLAT_NORMAL = np.array([0.5, 0.5, 1.0], np.float32)


def flatten(material: Any, folder: Path) -> None:
    """Put one layer in the place of the visible ones; hidden ones go. `folder`: where the tiles
    of a tiled texture are written.

    Mixing the result over what the artist had below gives what the layers gave, to a byte's
    rounding. Raises UnderpaintError(BAD_REQUEST) when nothing is visible, or UV maps differ.
    """
    seen = [x for x in shown.lowest_first(material) if x.visible and x.opacity > 0]
    if not seen:
        raise UnderpaintError(
            ErrorCode.BAD_REQUEST, "no layer is visible", hint="Show a layer, or remove them."
        )
    if len({layer.uv_map for layer in seen}) > 1:
        raise UnderpaintError(
            ErrorCode.BAD_REQUEST,
            "the layers lie in different UV maps",
            hint="Hide those of one map, and flatten the others.",
        )
    whole = any(not x.partial and x.mask is None and x.opacity == 1 for x in seen)
    look = _look(material, seen, folder)
    new = NewLayer(new_id(), "Flattened", look, seen[0].uv_map, partial=not whole)
    stack.replace_all(material, new)


def _look(material: Any, seen: Sequence[Any], folder: Path) -> dict[str, Any]:
    tiles = sorted({n for layer in seen for n in pixels.tile_numbers(layer.look.image)})
    sheets = {tile: shown.sheets(material, tile=tile) for tile in tiles}
    flat = {tile: to_bytes(stacked(sheets[tile], _size(sheets[tile]))) for tile in tiles}
    look = {"image": pixels.new_of_tiles(f"{material.name} flat", flat, folder)}
    for what in stack.LOOKS[1:]:
        if any(getattr(layer.look, what) is not None for layer in seen):
            below = _below(material, what)
            values = {t: _values(seen, what, t, sheets[t], below) for t in tiles}
            look[what] = pixels.new_of_tiles(
                f"{material.name} flat {what}", values, folder, data=True
            )
    return look


def _values(
    seen: Sequence[Any], what: str, tile: int, sheets: Sequence[Sheet], below: Floats
) -> npt.NDArray[np.uint8]:
    own = [getattr(layer.look, what) for layer in seen]
    values = [None if image is None else pixels.read_tile(image, tile)[..., :3] for image in own]
    size = _size(sheets)
    colour = flat_values(values, sheets, size, below)
    return to_bytes(np.concatenate([colour, np.ones((*size, 1), np.float32)], axis=2))


def _below(material: Any, what: str) -> Floats:
    """What is below the layers, of a thing that is not colour."""
    if what == "normal":
        return _FLAT_NORMAL
    node = nodes.group_node(material)
    socket = node.inputs.get(what.title())
    value = 0.5 if socket is None or socket.is_linked else socket.default_value
    return np.full(3, value, np.float32)


def _size(sheets: Sequence[Sheet]) -> tuple[int, int]:
    """The largest of the sheets."""
    shapes = [sheet.pixels.shape for sheet in sheets]
    return max(s[0] for s in shapes), max(s[1] for s in shapes)
