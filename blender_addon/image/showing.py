"""Paintings in the Image Editors: the newest where one is looked at, and any in a large one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import bpy

from ..link import runtime
from ..link.marks import JOB_KEY
from ..link.work import Work

_TAB, _UNDRAWN, _LOOKS = "Underpaint", "UNSUPPORTED", 300
# Before, an operator within `temp_override` crashes while one of our threads runs (see `pump`).
_SAFE = (4, 3)


def show_newest(image: Any) -> None:
    """Show a painting in the Image Editors that are empty or show another as it was painted; what
    is pinned, drawn on or not ours stays."""
    for area in _editors():
        space = area.spaces.active
        shown = space.image
        if shown is not None and (JOB_KEY not in shown or shown.is_dirty):
            continue
        if space.use_image_pin or space.ui_mode != "VIEW":
            continue
        if shown is not None:  # undo brings back what was looked at before
            runtime.live().editors[area.as_pointer()] = (image.name, shown.name)
        space.image = image


def looked_at(context: Any) -> Any:
    """The picture that an Image Editor shows, this one before others; else the last painting."""
    here = [context.area] if getattr(context.area, "type", "") == "IMAGE_EDITOR" else []
    shown = (area.spaces.active.image for area in [*here, *_editors()])
    last = bpy.data.images.get(runtime.live().last_image)
    return next((image for image in shown if image is not None), last)


def show_large(image: Any) -> None:
    """Show a painting in an Image Editor; in a window of its own where none is open."""
    area = next(_editors(), None)
    if area is None:
        bpy.ops.wm.window_new()
        area = bpy.context.window_manager.windows[-1].screen.areas[0]
        area.type = "IMAGE_EDITOR"
        area.spaces.active.show_region_ui = True
        runtime.live().works.append(Work(_arranged(area.as_pointer())))
    area.spaces.active.image = image


def _arranged(address: int) -> Generator[float, None, None]:
    """Once a new editor has been drawn: our tab, and the picture as large as it goes."""
    for _ in range(_LOOKS):
        yield 0.0
        found = [area for area in _editors() if area.as_pointer() == address]
        sidebar = next((r for area in found for r in area.regions if r.type == "UI"), None)
        if sidebar is not None and sidebar.active_panel_category != _UNDRAWN:
            break
    else:
        return
    sidebar.active_panel_category = _TAB
    if bpy.app.version >= _SAFE:
        window = next(
            w for w in bpy.context.window_manager.windows if found[0] in [*w.screen.areas]
        )
        region = next(region for region in found[0].regions if region.type == "WINDOW")
        with bpy.context.temp_override(window=window, area=found[0], region=region):
            bpy.ops.image.view_all(fit_view=True)


def _editors() -> Iterator[Any]:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                yield area
