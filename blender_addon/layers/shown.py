"""What Solid shading shows: one image, since it knows no nodes.

A single whole layer is shown as it is. A stack is put together in numpy at a moderate size, a
moment after the last change, by the pump.
"""

from __future__ import annotations

import time
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from .. import runtime
from . import nodes, pixels
from .compose import Floats, Sheet, grey, resampled, srgb, stacked, to_bytes

SIDE = 512
QUIET_S = 0.25
_PREFIX = "Underpaint: "
_OURS = "underpaint_shown"
_MASK_RED = np.array([0.95, 0.2, 0.15], np.float32)
_MASK_STRENGTH = 0.6


def lowest_first(material: Any) -> list[Any]:
    """A material's layers, lowest first; those whose image was deleted are left out."""
    return [layer for layer in reversed(material.underpaint.layers) if layer.look.image is not None]


def refresh(material: Any) -> None:
    """Show the present stack; what takes longer than a moment is left to `tick`."""
    node = nodes.display_node(material)
    if node is None:
        return
    old, whole = runtime.live().old_pictures, _whole_layer(material)
    if whole is None:
        old[material.session_uid] = time.monotonic()
        return
    node.image = whole
    old.pop(material.session_uid, None)


def refresh_all() -> None:
    """After an undo: pixels are not part of it, so pictures that were put together may be old."""
    for material in bpy.data.materials:
        if len(material.underpaint.layers):
            refresh(material)


def tick(live: runtime.Runtime, now: float) -> None:
    """Begin one picture whose material has been left alone for a while, or show one that is
    ready. Only reading and writing pixels is done here; the sums run in a thread."""
    ready = next((uid for uid, picture in live.pictures.items() if picture.done()), None)
    if ready is not None:
        picture, material = live.pictures.pop(ready).result(), _material(ready)
        if material is not None and ready not in live.old_pictures:
            _show(material, picture)
        return
    quiet = (uid for uid, since in live.old_pictures.items() if now - since >= QUIET_S)
    uid = None if live.pictures else next(quiet, None)
    if uid is not None:
        del live.old_pictures[uid]
        material = _material(uid)
        if material is not None and nodes.display_node(material) is not None:
            mask = material.underpaint.edit_mask
            seen = None if mask is None else grey(pixels.read(mask))
            parts = (sheets(material), original(material), seen)
            live.pictures[uid] = live.background.submit(_put_together, *parts)


def sheets(material: Any, *, tile: int = 1001, below: str = "") -> list[Sheet]:
    """The visible layers as numbers, lowest first. `below`: only those under that layer (its
    uid)."""
    found = []
    for layer in lowest_first(material):
        if layer.uid == below:
            break
        if layer.visible and layer.opacity > 0:
            mask = None if layer.mask is None else grey(pixels.read_tile(layer.mask, tile))
            image = pixels.read_tile(layer.look.image, tile)
            found.append(Sheet(image, layer.opacity, mask))
    return found


def original(material: Any, *, tile: int = 1001) -> Floats:
    """The artist's own colour as pixels: its image where one is plugged in, else one colour."""
    socket = nodes.underlying(material)
    if not socket.is_linked:
        return plain(socket.default_value)
    source = socket.links[0].from_node
    if source.type == "TEX_IMAGE" and source.image is not None:
        return pixels.read_tile(source.image, tile)
    return plain(material.diffuse_color)


def _whole_layer(material: Any) -> Any:
    """The image that alone is what is seen; None when there is more to it."""
    seen = [x for x in lowest_first(material) if x.visible and x.opacity > 0]
    top = seen[-1] if seen else None
    if top is None or top.opacity < 1 or top.mask is not None or top.partial:
        return None
    return None if material.underpaint.edit_mask is not None else top.look.image


def _put_together(parts: list[Sheet], below: Floats, mask: Floats | None) -> npt.NDArray[np.uint8]:
    seen = stacked(parts, (SIDE, SIDE), below)
    if mask is not None:
        strength = resampled(mask[..., None], (SIDE, SIDE)) * _MASK_STRENGTH
        seen[..., :3] = seen[..., :3] * (1 - strength) + _MASK_RED * strength
    return to_bytes(seen)


def _show(material: Any, picture: npt.NDArray[np.uint8]) -> None:
    node = nodes.display_node(material)
    if node is None:
        return
    # A new image each time: the viewport may go on with its own copy of an old one's pixels.
    before = node.image
    node.image = pixels.new(f"{_PREFIX}{material.name}", picture)
    node.image[_OURS] = True
    if before is not None and _OURS in before and not before.users:
        bpy.data.images.remove(before)


def _material(uid: int) -> Any:
    return next((m for m in bpy.data.materials if m.session_uid == uid), None)


def plain(light: Any) -> Floats:
    """One pixel of a linear colour."""
    colour = srgb(np.array(light[:3], np.float32))
    return np.concatenate([colour, np.ones(1, np.float32)]).reshape(1, 1, 4)
