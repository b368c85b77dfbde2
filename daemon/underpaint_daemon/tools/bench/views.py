"""Views for measurements: the shapes and sizes of captured ones, filled with noise."""

from __future__ import annotations

import numpy as np

from underpaint.buffers import Array, Buffers, Kind
from underpaint.cameras import Camera, look_at, perspective
from underpaint.requests import View


def noise_arrays(side: int, seed: int) -> dict[Kind, Array]:
    """Depth (float32), normal (RGB8) and colour (RGBA8) of a view, side×side pixels."""
    rng = np.random.default_rng(seed)
    return {
        Kind.DEPTH: rng.uniform(1.0, 9.0, (side, side)).astype(np.float32),
        Kind.NORMAL: rng.integers(0, 256, (side, side, 3), np.uint8),
        Kind.COLOR: rng.integers(0, 256, (side, side, 4), np.uint8),
    }


def view_of(arrays: dict[Kind, Array], buffers: Buffers) -> View:
    """The view that these arrays make; they are added to `buffers`."""
    side = arrays[Kind.DEPTH].shape[0]
    projection = perspective(side, side, 0.7, 0.1, 100.0)
    camera = Camera(look_at((0, -5, 2), (0, 0, 0)), projection, side, side, 0.1, 100.0)
    refs = {kind.value: ref for kind, ref in buffers.add_all(arrays).items()}
    return View(camera, **refs)
