"""What artists rely on before they paint: which parts the chosen views will see."""

from __future__ import annotations

import bpy

# isort: split
import texture_tools as tools
from addon_tools import addon, draw, refusal
from addon_tools import settings as image_settings
from texture_checks import settings


def seen() -> float:
    """Press the button; the part that is seen."""
    assert bpy.ops.underpaint.coverage() == {"FINISHED"}
    return addon("coverage.shown").current(bpy.context).seen


def texts() -> list[str]:
    image_settings().mode = "TEXTURE"
    return draw("UNDERPAINT_PT_main").texts


def box(name: str, side: float):
    bpy.ops.mesh.primitive_cube_add(size=side)
    item = bpy.context.view_layer.objects.active
    item.name = name
    return item


def what_no_view_around_the_objects_sees_is_told_before_painting():
    outer = box("Outer", 2.0)
    tools.only(outer)
    assert seen() > 0.999
    assert "100 % seen, views: 10" in texts()
    bpy.ops.underpaint.coverage()
    assert "Preview Coverage" in texts(), "pressed again it hides"
    inner = box("Inner", 1.0)
    tools.only(outer, inner)
    assert abs(seen() - 24 / 30) < 0.002, "of 30 m², those 6 inside are hidden"


def a_preview_holds_while_objects_and_views_are_as_they_were():
    item = box("Cube", 2.0)
    tools.only(item)
    settings().view_count = 1
    assert abs(seen() - 1 / 6) < 0.002, "the front alone"
    now = addon("coverage.shown").current
    item.location.x = 3
    bpy.context.view_layer.update()
    assert now(bpy.context) is None, "it was of another place"
    item.location.x = 0
    bpy.context.view_layer.update()
    assert now(bpy.context) is not None
    settings().view_count = 2
    assert now(bpy.context) is None
    assert abs(seen() - 2 / 6) < 0.002


def what_stands_before_the_scenes_cameras_hides_what_is_behind():
    ground, roof = tools.quad("Ground"), tools.quad("Roof", at=(1, 0, 2))
    camera = bpy.data.objects.new("Above", bpy.data.cameras.new("Above"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 8
    camera.location = (0, 0, 5)
    bpy.context.scene.collection.objects.link(camera)
    tools.only(ground, roof, camera)
    camera.select_set(False)
    roof.select_set(False)
    settings().views = "CAMERAS"
    assert abs(seen() - 0.5) < 0.03, "the roof is over half of it"
    assert "50" in next(t for t in texts() if "% seen" in t)


def a_room_and_an_empty_selection_are_told():
    room = box("Room", 4.0)
    room.data.flip_normals()
    tools.only(room)
    assert "painted from within" in refusal(bpy.ops.underpaint.coverage)
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = None
    assert "no mesh is selected" in refusal(bpy.ops.underpaint.coverage)


BEHAVIOURS = (
    what_no_view_around_the_objects_sees_is_told_before_painting,
    a_preview_holds_while_objects_and_views_are_as_they_were,
    what_stands_before_the_scenes_cameras_hides_what_is_behind,
    a_room_and_an_empty_selection_are_told,
)
