"""Runs inside a bare Blender: a scene with all that is followed, and what the panel draws of it.

    BLENDER_PYTHON followed_scene.py -- SCENE.blend DRAWN.npz

The armature is another in each frame, and so are the annotations: none before frame 2.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "blender_addon" / "scripts"))

import bare

bare.install()

import bpy  # noqa: E402
import numpy as np  # noqa: E402
from annotating import annotate  # noqa: E402

from blender_addon.following.kinds import ControlSettings, ControlSource  # noqa: E402
from blender_addon.following.taking import take  # noqa: E402
from blender_addon.image.request import ImageSettings  # noqa: E402
from underpaint.buffers import Buffers  # noqa: E402
from underpaint.requests import ControlKind  # noqa: E402

SIDE, FRAMES = 64, (1, 2, 3)
ROWS = (
    ControlSettings(ControlKind.OPENPOSE, True, source=ControlSource.ARMATURE),
    ControlSettings(ControlKind.SCRIBBLE, True, source=ControlSource.STROKES),
    ControlSettings(ControlKind.CANNY, True, source=ControlSource.OBJECTS, shows=("Cube",)),
)


def person() -> None:
    """Arms and legs, named as Rigify's; the left arm goes up."""
    armature = bpy.data.objects.new("Person", bpy.data.armatures.new("Person"))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for side, x in (("L", 1), ("R", -1)):
        for name, head, tail in (
            ("upper_arm", (0.2 * x, 0, 1.5), (0.5 * x, 0, 1.5)),
            ("forearm", (0.5 * x, 0, 1.5), (0.8 * x, 0, 1.5)),
            ("thigh", (0.1 * x, 0, 1.0), (0.1 * x, 0, 0.5)),
        ):
            bone = armature.data.edit_bones.new(f"{name}.{side}")
            bone.head, bone.tail = head, tail
    bpy.ops.object.mode_set(mode="OBJECT")
    bone = armature.pose.bones["forearm.L"]
    bone.rotation_mode = "XYZ"
    for frame, turn in ((1, 0.0), (3, 1.2)):
        bone.rotation_euler = (0.0, 0.0, turn)
        bone.keyframe_insert("rotation_euler", frame=frame)


def strokes() -> None:
    """None in frame 1; in the others each another."""
    for frame in (2, 3):
        bpy.context.scene.frame_set(frame)
        annotate(partial(_across, frame / 5))


def _across(high: float, width: int, height: int) -> list[tuple[float, float]]:
    return [(width * (0.4 + n / 50), height * high) for n in range(10)]


def keyed_fields() -> None:
    """Keyframes on the panel's own fields."""
    scene = bpy.context.scene
    group = type("Fields", (bpy.types.PropertyGroup,), {})
    for name in ("seed", "depth_scale"):
        group.__annotations__ = {**getattr(group, "__annotations__", {})}
        group.__annotations__[name] = bpy.props.FloatProperty()
    bpy.utils.register_class(group)
    bpy.types.Scene.underpaint = bpy.props.PointerProperty(type=group)
    for frame in (1, 3):
        scene.underpaint.seed, scene.underpaint.depth_scale = 10.0 * frame, frame / 2
        for name in ("seed", "depth_scale"):
            scene.underpaint.keyframe_insert(name, frame=frame)
    scene["underpaint_guidance"] = 4.0


def drawn(frame: int) -> list[np.ndarray]:
    """What the button draws in a frame; black where it says that there is nothing."""
    from underpaint.errors import RequestError

    bpy.context.scene.frame_set(frame)
    pictures = []
    for row in ROWS:
        asked = ImageSettings(model_controls=False, width=SIDE, height=SIDE, controls=(row,))
        try:
            arrays = Buffers()
            taken = take(bpy.context, asked, arrays, None, SIDE)
            pictures.append(arrays[taken.settings.controls[0].image.sha256])
        except RequestError:
            pictures.append(np.zeros((SIDE, SIDE, 3), np.uint8))
    return pictures


def main(blend: str, out: str) -> None:
    item = bpy.types.Object
    item.underpaint_prompt = bpy.props.StringProperty()
    item.underpaint_leave = bpy.props.BoolProperty()
    worn = type("Worn", (bpy.types.PropertyGroup,), {})
    worn.__annotations__ = {
        "path": bpy.props.StringProperty(),
        "weight": bpy.props.FloatProperty(default=1.0),
    }
    bpy.utils.register_class(worn)
    item.underpaint_loras = bpy.props.CollectionProperty(type=worn)
    cube = bpy.data.objects["Cube"]
    cube.underpaint_prompt, cube.underpaint_leave = "red bricks", True
    lora = cube.underpaint_loras.add()
    lora.path, lora.weight = "ink", 0.3
    person()
    strokes()
    keyed_fields()
    np.savez(out, **{str(frame): np.stack(drawn(frame)) for frame in FRAMES})
    bpy.context.scene.frame_set(FRAMES[0])
    bpy.ops.wm.save_as_mainfile(filepath=blend)


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
    sys.stdout.flush()
    os._exit(0)
