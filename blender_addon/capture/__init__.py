"""Capture: what a camera or a 3D viewport sees of the evaluated scene, as exact buffers.

    view, buffers = capture_view(bpy.context, None, 512, 512)

`sources` finds the camera, `geometry` reads the evaluated scene into numpy arrays, `gpu_passes`
draws them into a float framebuffer (`raster` does the same in numpy where there is no GPU
context), `color` takes the viewport's colour, `view` puts it together. The user's scene is read
only; what must be switched for the viewport colour is switched back.
"""

from .geometry import object_ids
from .kept import Kept
from .rendered import not_captured
from .sources import Source, Viewport, main_region
from .view import DEFAULT_WANTS, capture_view

__all__ = [
    "DEFAULT_WANTS",
    "Kept",
    "Source",
    "Viewport",
    "capture_view",
    "main_region",
    "not_captured",
    "object_ids",
]
