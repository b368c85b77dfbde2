"""Controls whose pictures are drawn here: silhouettes, people, strokes of annotations. No bpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from underpaint.buffers import Array
from underpaint.cameras import Camera, project
from underpaint.errors import ErrorCode, RequestError

from ..capture import Viewport, object_ids
from ..capture.sources import as_matrix
from .kinds import ControlSettings, ControlSource
from .lines import Image8, blank, draw_line
from .pose import draw_person
from .silhouettes import line_width, silhouettes
from .skeleton import Bone, Points, body
from .strokes import strokes

_FAR = 1e6


@dataclass(frozen=True, slots=True)
class Seen:
    """What pictures are drawn for: the view's `camera`, the `viewport` that it is of, if it is of
    one, and its `object_id` (h, w), where that was captured."""

    camera: Camera
    viewport: Viewport | None = None
    object_id: Array | None = None


def drawn(context: Any, control: ControlSettings, seen: Seen) -> Image8:
    """A control's picture, (h, w, 3) uint8. Raises RequestError(BAD_REQUEST) when there is nothing
    to draw."""
    if control.read_from is ControlSource.OBJECTS:
        return _objects(context, control, seen)
    if control.read_from is ControlSource.ARMATURE:
        return _people(context, control, seen)
    return _strokes(context, control, seen)


def _objects(context: Any, control: ControlSettings, seen: Seen) -> Image8:
    ids = object_ids(context.evaluated_depsgraph_get())
    chosen = [ids[name] for name in control.shows if name in ids]
    if not control.shows:
        _refuse(
            "no object is chosen to follow",
            "Choose an object or a collection in the control's fold, or follow this view.",
        )
    assert seen.object_id is not None
    picture = silhouettes(control.kind, seen.object_id, chosen)
    if picture is None:
        _refuse(
            "the chosen object is not seen from here",
            "Point the camera or the viewport at it, or choose another.",
        )
    return picture


def _people(context: Any, control: ControlSettings, seen: Seen) -> Image8:
    camera = seen.camera
    picture, found = blank(camera.width, camera.height), False
    for item in _armatures(context, control.shows):
        joints = body(_bones(item, context.evaluated_depsgraph_get()), _eye(camera))
        if not joints:
            continue
        pixels, depth = project(camera, np.stack(list(joints.values())))
        places = zip(joints, pixels, depth, strict=True)
        shown = {joint: at for joint, at, far in places if far > 0}
        draw_person(picture, shown)
        found = True
    if not found:
        _refuse(
            "no armature here has the bones of a person",
            "Name its bones as Rigify, Mixamo or Unreal do (upper_arm.L, LeftArm, upperarm_l), or "
            "follow an image of the pose.",
        )
    if not picture.any():
        _refuse(
            "the armature is not seen from here",
            "Point the camera or the viewport at it, or choose another.",
        )
    return picture


def _armatures(context: Any, names: tuple[str, ...]) -> list[Any]:
    """Those of these names; without names all that are shown."""
    every = [item for item in context.view_layer.objects if item.type == "ARMATURE"]
    if names:
        return [item for item in every if item.name_full in names]
    return [item for item in every if not item.hide_get()]


def _bones(item: Any, depsgraph: Any) -> dict[str, Bone]:
    posed = item.evaluated_get(depsgraph)
    world = as_matrix(posed.matrix_world)
    return {bone.name: _bone(bone, world) for bone in posed.pose.bones}


def _bone(bone: Any, world: Points) -> Bone:
    rest = bone.bone
    turn = as_matrix(bone.matrix)[:3, :3] @ np.linalg.inv(as_matrix(rest.matrix_local)[:3, :3])
    ends = [_placed(end, world) for end in (bone.head, bone.tail)]
    rests = [_placed(end, world) for end in (rest.head_local, rest.tail_local)]
    # The world's own turn comes before and after: rest axes are taken in the world, too.
    turned = world[:3, :3] @ turn @ np.linalg.inv(world[:3, :3])
    return Bone(ends[0], ends[1], turned, rests[0], rests[1])


def _placed(point: Any, world: Points) -> Points:
    return world[:3, :3] @ np.asarray(point, np.float64) + world[:3, 3]


def _eye(camera: Camera) -> Points:
    """Where the view is seen from; without perspective, from far behind the camera."""
    back = np.linalg.inv(camera.view_matrix)[:3, 2]
    return camera.position + back * (_FAR if camera.orthographic else 0.0)


def _strokes(context: Any, control: ControlSettings, seen: Seen) -> Image8:
    camera = seen.camera
    picture = blank(camera.width, camera.height)
    width = line_width(control.kind, camera.width, camera.height)
    for points in strokes(context.scene, camera, seen.viewport):
        draw_line(picture, points, width)
    if not picture.any():
        _refuse(
            "no annotation is seen from here",
            "Draw with the Annotate tool in the viewport, placed on the surface or the cursor.",
        )
    return picture


def _refuse(message: str, hint: str) -> NoReturn:
    raise RequestError(ErrorCode.BAD_REQUEST, message, hint=hint)
