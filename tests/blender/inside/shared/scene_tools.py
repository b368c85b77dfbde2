"""For scripts inside Blender: small scenes, captures of them, and what a scene's state is.

Imported after the checkout is on the path.
"""

from __future__ import annotations

import bpy

# isort: split
import bmesh
from mathutils import Vector

from blender_addon.capture import DEFAULT_WANTS, Viewport, capture_view
from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, UnderpaintError

GEOMETRY = DEFAULT_WANTS - {Kind.COLOR} | {Kind.POSITION, Kind.UV}


def capture(source=None, size=(120, 100), wants=GEOMETRY, **options):
    view, buffers = capture_view(bpy.context, source, *size, wants, **options)
    refs = {kind: getattr(view, kind.value) for kind in wants}
    return view, {kind: buffers[ref.sha256] for kind, ref in refs.items()}


def failure(action, code):
    """The UnderpaintError that an action ends in."""
    try:
        action()
    except UnderpaintError as error:
        caught = error
    else:
        raise AssertionError("it should have been refused")
    assert caught.code is code, caught
    assert caught.hint
    return caught.message


def refused(source=None, size=(32, 32)):
    return failure(lambda: capture(source, size), ErrorCode.CAPTURE_FAILED)


def viewport():
    areas = bpy.context.window.screen.areas
    found = Viewport.of_area(next(area for area in areas if area.type == "VIEW_3D"))
    found.region_3d.view_perspective = "PERSP"
    return found


def add(name, make, location=(0, 0, 0)):
    mesh, draft = bpy.data.meshes.new(name), bmesh.new()
    make(draft)
    draft.to_mesh(mesh)
    draft.free()
    item = bpy.data.objects.new(name, mesh)
    item.location = location
    bpy.context.scene.collection.objects.link(item)
    return item


def cube(name, location=(0, 0, 0), size=2.0):
    return add(name, lambda draft: bmesh.ops.create_cube(draft, size=size), location)


def camera(location, target=(0, 0, 0)):
    item = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    item.location = location
    towards = Vector(target) - Vector(location)
    item.rotation_euler = towards.to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(item)
    bpy.context.scene.camera = item
    return item


def state():
    """Everything an artist could miss: all data blocks, and the settings that a capture touches
    or could touch."""
    blocks = {
        kind: [item.name_full for item in getattr(bpy.data, kind)]
        for kind in dir(bpy.data)
        if isinstance(getattr(bpy.data, kind), bpy.types.bpy_prop_collection)
    }
    scene, view = bpy.context.scene, viewport()
    groups = [scene.render, scene.view_settings, view.space.shading, view.space.overlay]
    groups += [view.space, view.region_3d, scene, *scene.objects]
    values = [{name: repr(getattr(g, name)) for name in g.bl_rna.properties.keys()} for g in groups]  # noqa: SIM118
    selected = [item.name for item in bpy.context.view_layer.objects if item.select_get()]
    return {
        "blocks": blocks,
        "values": values,
        "selected": selected,
        "active": bpy.context.view_layer.objects.active.name,
        "mode": bpy.context.mode,
    }


def differences(before, after):
    if not isinstance(before, list):
        return (before, after)
    return [(n, b[n], a[n]) for b, a in zip(before, after, strict=True) for n in b if a[n] != b[n]]
