"""What a view of the scene shows beside its surfaces: people by their bones, strokes. No bpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from underpaint.cameras import Camera, project
from underpaint.following.lines import Points
from underpaint.following.sights import Person, Sights

from ..capture import Viewport
from ..capture.sources import as_matrix
from .skeleton import Bone, body
from .strokes import is_annotated, strokes

_FAR = 1e6


def sights(context: Any, camera: Camera, viewport: Viewport | None = None) -> Sights:
    """What is seen by `camera` of the scene as it is now; `viewport`: the one that it is of, if it
    is of one."""
    return Sights(
        tuple(people(context, camera)),
        tuple(strokes(context.scene, camera, viewport)),
        is_annotated(context.scene),
    )


def people(context: Any, camera: Camera) -> list[Person]:
    """The armatures with the bones of a person."""
    depsgraph, found = context.evaluated_depsgraph_get(), list[Person]()
    for item in context.view_layer.objects:
        joints = _joints(item, depsgraph, camera) if item.type == "ARMATURE" else {}
        if not joints:
            continue
        pixels, depth = project(camera, np.stack(list(joints.values())))
        places = zip(joints, pixels, depth, strict=True)
        shown = {joint: at for joint, at, far in places if far > 0}
        found.append(Person(item.name_full, bool(item.hide_get()), shown))
    return found


def _joints(item: Any, depsgraph: Any, camera: Camera) -> Any:
    return body(_bones(item, depsgraph), _eye(camera))


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
