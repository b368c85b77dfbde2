"""Runs inside a bare Blender: the files of a user who works in Blender.

    BLENDER_PYTHON scenes_of_a_user.py -- FOLDER

scene.blend and view.npz of it: a vase on a floor before a wall. shot.blend: the same with a person
who lifts an arm while the camera goes by.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "blender_addon" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blender" / "inside" / "shared"))

import bare

bare.install()

import bpy  # noqa: E402
import capture_cli  # noqa: E402
from followed_scene import person  # noqa: E402

from underpaint.blenders import script_arguments  # noqa: E402

_SIDE = "128x128"


def room() -> None:
    """Floor, wall and vase, which has words of its own, seen by a camera."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.types.Object.underpaint_prompt = bpy.props.StringProperty()
    bpy.ops.mesh.primitive_plane_add(size=6)
    bpy.context.object.name = "Floor"
    bpy.ops.mesh.primitive_plane_add(size=6, location=(0, 1.5, 1), rotation=(1.5708, 0, 0))
    bpy.context.object.name = "Wall"
    bpy.ops.mesh.primitive_cylinder_add(vertices=24, radius=0.4, depth=1, location=(-0.8, 0, 0.5))
    bpy.context.object.name = "Vase"
    bpy.context.object.underpaint_prompt = "blue china"
    bpy.ops.object.camera_add(location=(0, -5, 1.2), rotation=(1.5, 0, 0))
    bpy.context.scene.camera = bpy.context.object


def shot() -> None:
    """A person in it, and the camera in motion."""
    camera = bpy.context.scene.camera
    for frame, x in ((1, 0.0), (48, 0.4)):
        camera.location.x = x
        camera.keyframe_insert("location", frame=frame)
    person()


def main(folder: Path) -> int:
    room()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
    shot()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    del bpy.types.Object.underpaint_prompt  # as where the add-on is not
    own = ["--blend", str(folder / "scene.blend"), "--out", str(folder / "view.npz")]
    return capture_cli.main([*own, "--size", _SIDE])


if __name__ == "__main__":
    bare.run(lambda: main(Path(script_arguments(sys.argv)[0])))
