"""What artists rely on in a capture: colours stay what they are, and things that share a name are
two."""

from __future__ import annotations

import tempfile
from pathlib import Path

import bpy

# isort: split
import numpy as np
from mathutils import Color
from scene_tools import GEOMETRY, camera, capture, cube

from blender_addon.capture import object_ids
from blender_addon.image.pictures import color_of
from blender_addon.layers import materials, pixels
from blender_addon.plain.surfaces import Named
from blender_addon.texture.scene_mesh import extract_mesh
from blender_addon.texture.scene_surfaces import surfaces_of
from blender_addon.working_space import rec709, to_rec709
from underpaint.buffers import Kind

_BRIGHT = (0.9, 0.05, 0.2)  # linear Rec.709
_SHOWN = (243, 63, 124)


def colours_are_the_same_in_any_working_space():
    """Blender 5 keeps its colours in other primaries where the file says so."""
    item = cube("Cube")
    item.data.materials.append(bpy.data.materials.new("Red"))
    item.data.materials[0].diffuse_color = (*_BRIGHT, 1)
    camera((4, -5, 3))
    before = _shaded()
    _float_pictures_are_read_right(_BRIGHT)
    if bpy.app.version < (5, 0):
        assert (to_rec709() == np.eye(3)).all()
        return
    for space in ("ACEScg", "Linear Rec.2020"):
        bpy.ops.wm.set_working_color_space(working_space=space, convert_colors=True)
        light = Color(_BRIGHT).from_rec709_linear_to_scene_linear()
        assert np.abs(np.array(light) - _BRIGHT).max() > 0.02, "it is another space"
        assert np.abs(np.array(rec709(light)) - _BRIGHT).max() < 1e-4
        assert np.abs(_shaded() - before).max() <= 1
        _float_pictures_are_read_right(light)
    bpy.ops.wm.set_working_color_space(working_space="Linear Rec.709", convert_colors=True)
    assert (to_rec709() == np.eye(3)).all()


def _shaded():
    _, arrays = capture(wants=GEOMETRY | {Kind.COLOR}, use_gpu=False)
    return arrays[Kind.COLOR].astype(int)


def _float_pictures_are_read_right(light):
    picture = bpy.data.images.new("Linear", 4, 4, float_buffer=True)
    picture.pixels.foreach_set([*light, 1.0] * 16)
    assert np.abs(color_of(picture)[0, 0].astype(int) - _SHOWN).max() <= 1
    assert np.abs(pixels.read(picture)[0, 0, :3] * 255 - _SHOWN).max() <= 1
    bpy.data.images.remove(picture)


def things_of_one_name_are_two_things():
    """One is linked from another file, the other is local."""
    local = cube("Box", (-3, 0, 0))
    with tempfile.TemporaryDirectory() as folder:
        library = str(Path(folder) / "library.blend")
        bpy.data.libraries.write(library, {local})
        with bpy.data.libraries.load(library, link=True) as (_there, wanted):
            wanted.objects = ["Box"]
        (linked,) = wanted.objects
        bpy.context.scene.collection.objects.link(linked)
        local.location.x = 3
        assert linked.name == local.name
        camera((0, -14, 0))
        depsgraph = bpy.context.evaluated_depsgraph_get()
        found = extract_mesh([local, linked], depsgraph)
        assert set(map(id, found.objects.values())) == {id(local), id(linked)}
        ids = object_ids(depsgraph)
        _, arrays = capture()
        assert arrays[Kind.OBJECT_ID][50, 34] == ids[linked.name_full]
        assert arrays[Kind.OBJECT_ID][50, 86] == ids["Box"]
        for item in (local, linked):
            item.data.uv_layers.new(name="UVMap")
        _, _, surfaces = surfaces_of([local, linked], depsgraph)
        named = [slot.object for surface in surfaces for slot in surface.slots]
        assert {what.uid for what in named} == {local.session_uid, linked.session_uid}
        unknown = [Named(what.name, 0) for what in named]  # as after opening the file again
        again = {materials.found(bpy.data.objects, what).session_uid for what in unknown}
        assert again == {local.session_uid, linked.session_uid}


BEHAVIOURS = (
    colours_are_the_same_in_any_working_space,
    things_of_one_name_are_two_things,
)
