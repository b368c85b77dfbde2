"""What Solid shading shows: one image, since it knows no nodes.

A single whole layer is shown as it is. A stack is put together in numpy at a moderate size, a
moment after the last change, a piece a tick.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from ..link import runtime
from ..link.work import Work, awaited
from . import nodes, pixels, reading, visible
from .compose import grey, resampled, stacked, to_bytes
from .ready import Ready, ready
from .visible import Found, Visible, lowest_first

SIDE = 512
QUIET_S = 0.25
_PREFIX = "Underpaint: "
_OURS = "underpaint_shown"
_MASK_RED = np.array([0.95, 0.2, 0.15], np.float32)
_MASK_STRENGTH = 0.6


def refresh(material: Any) -> None:
    """Show the present stack; what takes longer than a moment is left to later ticks."""
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


def refresh_lost() -> None:
    """After a file was opened: tiled pictures that were put together are not in it."""
    for material in bpy.data.materials:
        node = nodes.display_node(material)
        image = None if node is None else node.image
        if image is not None and _OURS in image and image.source == "TILED":
            refresh(material)


def begin(live: runtime.Runtime, now: float) -> None:
    """Begin the picture of one material that has been left alone for a while, if there is one."""
    quiet = (uid for uid, since in live.old_pictures.items() if now - since >= QUIET_S)
    uid = None if live.works else next(quiet, None)
    if uid is not None:
        del live.old_pictures[uid]
        live.works.append(Work(_pieces(live, uid)))


def _pieces(live: runtime.Runtime, uid: int) -> Generator[float, None, None]:
    material = _material(uid)
    if material is None or nodes.display_node(material) is None:
        return
    seen, name = visible.visible(material), f"{_PREFIX}{material.name}"
    wanted = list(visible.places(seen, seen.all_tiles))
    if seen.marked is not None:
        wanted += [(seen.marked, tile) for tile in seen.all_tiles]
    found = yield from reading.in_pieces(live.background, wanted)
    folder = Path(bpy.app.tempdir) / "underpaint"
    picture = yield from awaited(
        live.background.submit(lambda: ready(name, _put_together(seen, found), folder)), 1.0
    )
    material = _material(uid)
    if material is not None and uid not in live.old_pictures:
        _show(material, name, picture)


def _whole_layer(material: Any) -> Any:
    """The image that alone is what is seen; None when there is more to it."""
    seen = [x for x in lowest_first(material) if x.visible and x.opacity > 0]
    top = seen[-1] if seen else None
    if top is None or top.opacity < 1 or top.mask is not None or top.partial:
        return None
    return None if material.underpaint.edit_mask is not None else top.look.image


def _put_together(seen: Visible, found: Found) -> dict[int, npt.NDArray[np.uint8]]:
    """The picture by UDIM tile."""
    return {tile: _tile(seen, found, tile) for tile in seen.all_tiles}


def _tile(seen: Visible, found: Found, tile: int) -> npt.NDArray[np.uint8]:
    size = (SIDE, SIDE)
    picture = stacked(visible.sheets(seen, found, tile), size, visible.below(seen, found, tile))
    if seen.marked is not None:
        mark = resampled(grey(found[seen.marked, tile])[..., None], size) * _MASK_STRENGTH
        picture[..., :3] = picture[..., :3] * (1 - mark) + _MASK_RED * mark
    return to_bytes(picture)


def _show(material: Any, name: str, picture: Ready) -> None:
    node = nodes.display_node(material)
    if node is None:
        return
    # A new image each time: the viewport may go on with its own copy of an old one's pixels.
    before = node.image
    node.image = pixels.of_ready(name, picture)
    node.image[_OURS] = True
    if before is not None and _OURS in before and not before.users:
        bpy.data.images.remove(before)


def _material(uid: int) -> Any:
    return next((m for m in bpy.data.materials if m.session_uid == uid), None)
