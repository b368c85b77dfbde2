"""Annotations, drawn in Blender as the artist draws them."""

from __future__ import annotations

import bpy


def annotate(points) -> None:
    """Draw a stroke as the artist does, in the viewport: `points` in pixels of its region."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = [region for region in area.regions if region.type == "WINDOW"][-1]
    bpy.context.scene.tool_settings.annotation_stroke_placement_view3d = "CURSOR"
    still = {"name": "", "location": (0, 0, 0), "mouse_event": (0, 0), "pressure": 1.0, "size": 1}
    if bpy.app.version < (4, 3):
        still["pen_flip"] = False
    stroke = [
        {**still, "mouse": point, "time": n / 10, "is_start": n == 0, "x_tilt": 0, "y_tilt": 0}
        for n, point in enumerate(points(region.width, region.height))
    ]
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.gpencil.annotate("EXEC_DEFAULT", mode="DRAW", stroke=stroke, wait_for_input=False)
