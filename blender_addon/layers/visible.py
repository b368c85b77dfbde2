"""What is seen of a material's layers, as plain data: what to read, and the sheets it becomes.

Nothing of Blender's is kept: an undo between two ticks frees it. No bpy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..plain.srgb import Floats, srgb
from ..plain.udim import FIRST_TILE
from ..working_space import rec709
from . import nodes, pixels
from .compose import Sheet, grey

MAPS = ("roughness", "metallic", "normal", "height", "ao")
Place = tuple[int, int]
"""A tile of an image: the image's session id, and the UDIM number."""
Found = Mapping[Place, Floats]
"""Pixels (h, w, 4) of what was read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A visible layer. `image`, `mask` and, by their names, `maps`: session ids of images. `whole`:
    it hides all below it."""

    image: int
    mask: int | None
    maps: Mapping[str, int]
    opacity: float
    uv_map: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Visible:
    """A material's visible layers, lowest first, over the artist's own `ground` (an image's session
    id) or, without one, `colour` (linear Rec.709). `marked`: the mask of what to repaint. `tiles`:
    the UDIM tiles of the layers; `all_tiles`: and of what is below and above them."""

    layers: tuple[Seen, ...]
    ground: int | None
    colour: tuple[float, float, float]
    marked: int | None
    tiles: tuple[int, ...]
    all_tiles: tuple[int, ...]


def lowest_first(material: Any) -> list[Any]:
    """A material's layers, lowest first; those whose image was deleted are left out."""
    return [layer for layer in reversed(material.underpaint.layers) if layer.look.image is not None]


def visible(material: Any) -> Visible:
    """What is seen of a material that has nodes."""
    rows = [row for row in lowest_first(material) if row.visible and row.opacity > 0]
    (ground, colour), mark = _ground(material), material.underpaint.edit_mask
    paint = [row.look.image for row in rows]
    return Visible(
        tuple(map(_seen, rows)),
        None if ground is None else ground.session_uid,
        colour,
        None if mark is None else mark.session_uid,
        _tiles(paint),
        _tiles([image for image in (*paint, ground, mark) if image is not None]),
    )


def places(seen: Visible, tiles: Iterable[int]) -> Iterator[Place]:
    """What to read for the colours of some tiles."""
    for tile in tiles:
        for layer in seen.layers:
            yield layer.image, tile
            if layer.mask is not None:
                yield layer.mask, tile
        if seen.ground is not None:
            yield seen.ground, tile


def sheets(seen: Visible, found: Found, tile: int) -> list[Sheet]:
    """The layers as numbers, lowest first."""
    return [
        Sheet(
            found[layer.image, tile],
            layer.opacity,
            None if layer.mask is None else grey(found[layer.mask, tile]),
        )
        for layer in seen.layers
    ]


def below(seen: Visible, found: Found, tile: int) -> Floats:
    """The artist's own colour as pixels: its image where one is plugged in, else one pixel."""
    return plain(seen.colour) if seen.ground is None else found[seen.ground, tile]


def plain(light: Iterable[float]) -> Floats:
    """One pixel of a linear Rec.709 colour."""
    red, green, blue, *_ = light
    colour = srgb(np.array((red, green, blue), np.float32))
    return np.concatenate([colour, np.ones(1, np.float32)]).reshape(1, 1, 4)


def _seen(row: Any) -> Seen:
    maps = {name: getattr(row.look, name) for name in MAPS}
    return Seen(
        row.look.image.session_uid,
        None if row.mask is None else row.mask.session_uid,
        {name: image.session_uid for name, image in maps.items() if image is not None},
        row.opacity,
        row.uv_map,
        not row.partial and row.mask is None and row.opacity == 1,
    )


def _tiles(images: Iterable[Any]) -> tuple[int, ...]:
    """The UDIM tiles of those images that have some; the first when none has."""
    tiled = (image for image in images if image.source == "TILED")
    found = {number for image in tiled for number in pixels.tile_numbers(image)}
    return tuple(sorted(found)) or (FIRST_TILE,)


def _ground(material: Any) -> tuple[Any, tuple[float, float, float]]:
    socket = nodes.underlying(material)
    if not socket.is_linked:
        return None, rec709(socket.default_value)
    source = socket.links[0].from_node
    image = source.image if source.type == "TEX_IMAGE" else None
    return image, rec709(material.diffuse_color)
