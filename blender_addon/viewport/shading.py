"""The 3D viewports' shading: textures in Solid, and back from Material Preview. No bpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..link import runtime


def show_textures_in_solid(context: Any) -> None:
    """Let every 3D viewport that is in Solid shading show textures."""
    for area in _viewports(context):
        shading = area.spaces.active.shading
        if shading.type == "SOLID":
            shading.color_type = "TEXTURE"


def show_nodes(context: Any) -> None:
    """Put the viewports that are in Solid shading into Material Preview for a while: Solid shows
    one image only, so a mask without what it is painted on."""
    switched = runtime.live().switched_areas
    for area in _viewports(context):
        if area.spaces.active.shading.type == "SOLID":
            area.spaces.active.shading.type = "MATERIAL"
            switched.add(area.as_pointer())


def show_as_before(context: Any) -> None:
    """Undo `show_nodes`."""
    switched = runtime.live().switched_areas
    for area in _viewports(context):
        shading = area.spaces.active.shading
        if area.as_pointer() in switched and shading.type == "MATERIAL":
            shading.type = "SOLID"
    switched.clear()


def _viewports(context: Any) -> Iterator[Any]:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                yield area
