"""Views to ask for paint with."""

from __future__ import annotations

import numpy as np

import underpaint


def view_request(side: int = 64, text: str = "a vase"):
    buffers = underpaint.Buffers()
    rng = np.random.default_rng(side)
    depth = rng.uniform(1, 2, (side, side)).astype(np.float32)
    color = rng.integers(0, 255, (side, side, 4), np.uint8)
    view = underpaint.View(
        camera=underpaint.Camera(
            underpaint.look_at((0, -3, 1), (0, 0, 0)),
            underpaint.perspective(side, side, 0.7, 0.1, 100.0),
            side,
            side,
            0.1,
            100.0,
        ),
        depth=buffers.add(underpaint.Kind.DEPTH, depth),
        color=buffers.add(underpaint.Kind.COLOR, color),
    )
    return underpaint.ImageRequest(underpaint.Prompt(text), view=view), buffers, color
