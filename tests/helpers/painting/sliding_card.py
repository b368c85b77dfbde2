"""A card that slides before the camera by whole pixels: frames that are known without Blender."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from underpaint.animation.captures import Taken
from underpaint.animation.tracks import Placing, Track, shape_of
from underpaint.buffers import Buffers, Kind
from underpaint.cameras import Camera, look_at, perspective, unproject
from underpaint.requests import View

SIDE, STEP = 64, 4  # px
_FAR, _HALF, _WIDE = 8.0, 1.5, 40.0


def take(frame: int, width: int = SIDE, height: int = SIDE) -> Taken:
    """Frame 1 has the card in the middle; each later one `STEP` px (of SIDE) further right. The
    scene's number `wet` is the frame's."""
    projection = perspective(width, height, 0.8, 0.1, 50.0)
    camera = Camera(
        look_at((0, 0, _FAR), (0, 0, 0), (0, 1, 0)), projection, width, height, 0.1, 50.0
    )
    at = unproject(camera, np.full((height, width), _FAR))
    slid = (frame - 1) * STEP * 2 * _FAR * np.tan(0.4) / SIDE
    own = at - (slid, 0, 0)
    card = np.abs(own[..., :2]).max(-1) < _HALF
    depth = np.where(card, _FAR, np.inf).astype(np.float32)
    second, third = (own[..., axis] + _WIDE / 2 for axis in (0, 1))
    weights = np.stack([_WIDE * 2 - second - third, second, third], -1) / (_WIDE * 2)
    corners = np.array([(0, 0, 0), (2, 0, 0), (0, 2, 0)], np.float32) * _WIDE
    shape = shape_of(corners - (_WIDE / 2, _WIDE / 2, 0), np.arange(3, dtype=np.int32))
    to_world = np.eye(4)
    to_world[0, 3] = slid
    track = Track(
        camera,
        depth,
        np.where(card, 0, -1).astype(np.int32),
        np.broadcast_to(np.arange(3, dtype=np.int32), (height, width, 3)),
        weights.astype(np.float32),
        (Placing("Card", shape, to_world),),
    )
    buffers = Buffers()
    normal = np.full((height, width, 3), (128, 128, 255), np.uint8)
    view = View(camera, buffers.add(Kind.DEPTH, depth), buffers.add(Kind.NORMAL, normal))
    return Taken(view, buffers, track, {"wet": float(frame)})


def coloured(frame, width=SIDE, height=SIDE):
    """The card and what is behind it in the scene's own colours."""
    taken = take(frame, width, height)
    card = np.isfinite(taken.track.depth)[..., None]
    colours = np.where(card, (200, 40, 30, 255), (20, 60, 180, 255)).astype(np.uint8)
    view = replace(taken.view, color=taken.buffers.add(Kind.COLOR, colours))
    return replace(taken, view=view)
