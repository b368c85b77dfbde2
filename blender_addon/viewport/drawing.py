"""A picture as a quad over the viewport, seen through and cut off as the artist likes. GUI only."""

from __future__ import annotations

from typing import Any

import gpu
from gpu_extras.batch import batch_for_shader

Frame = tuple[float, float, float, float]


def draw_picture(texture: Any, frame: Frame, opacity: float = 1.0, wipe: float = 1.0) -> None:
    """Draw it into x, y, width, height (pixels). `opacity`: 0–1. `wipe`: how much of its width is
    shown from the left, 0–1; what is behind is seen beside it."""
    x, y, width, height = frame
    right = x + width * wipe
    corners = ((x, y), (right, y), (right, y + height), (x, y + height))
    places = ((0, 0), (wipe, 0), (wipe, 1), (0, 1))
    shader = gpu.shader.from_builtin("IMAGE_COLOR")
    batch = batch_for_shader(shader, "TRI_FAN", {"pos": corners, "texCoord": places})
    gpu.state.blend_set("ALPHA")
    try:
        shader.bind()
        shader.uniform_float("color", (1.0, 1.0, 1.0, opacity))
        shader.uniform_sampler("image", texture)
        batch.draw(shader)
    finally:
        gpu.state.blend_set("NONE")
