"""From an armature's bones to the points of a body, by the names that rigs use. No bpy.

Rigify (metarig and generated), Mixamo, Unreal, VRM, Character Studio and whatever else calls its
bones upper arm, forearm, thigh, shin … with a side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from underpaint.following.pose import Joint

Points = npt.NDArray[np.float64]
_PREFIX = re.compile(r"^(mixamorig\d*[:_]?|def[-_]|org[-_]|bip0*1?[ _]|j_bip_|j_)", re.IGNORECASE)
_SIDES = (
    ("L", re.compile(r"(^|[ ._-])l(?=[ ._-]|$)|left", re.IGNORECASE)),
    ("R", re.compile(r"(^|[ ._-])r(?=[ ._-]|$)|right", re.IGNORECASE)),
)
_NOT_OF_THE_BODY = re.compile(
    r"ik|fk|mch|pole|twist|roll|tweak|target|parent|ctrl|control|socket|\.\d\d\d$|_end$", re.I
)
_PARTS = {
    "upperarm": "shoulder", "arm": "shoulder", "uparm": "shoulder",
    "forearm": "elbow", "lowerarm": "elbow", "lowarm": "elbow",
    "hand": "wrist", "wrist": "wrist",
    "thigh": "hip", "upleg": "hip", "upperleg": "hip",
    "shin": "knee", "calf": "knee", "leg": "knee", "lowerleg": "knee", "lowleg": "knee",
    "foot": "ankle", "ankle": "ankle",
}  # fmt: skip
_AFTER = {"elbow": "wrist", "knee": "ankle"}
"""Without a hand or a foot, where the bone before it ends."""
_HEADS = ("head", "chead", "spine006")
_NEEDED = 4
# Of a head's height: how far up, before and beside its bone's base they lie.
_FACE = {
    Joint.NOSE: (0.35, 0.5, 0.0),
    Joint.RIGHT_EYE: (0.5, 0.42, -0.16),
    Joint.LEFT_EYE: (0.5, 0.42, 0.16),
    Joint.RIGHT_EAR: (0.45, 0.05, -0.36),
    Joint.LEFT_EAR: (0.45, 0.05, 0.36),
}
_AWAY = -0.35


@dataclass(frozen=True, slots=True)
class Bone:
    """A bone in the world, metres: `head`, `tail`, `turn` (3, 3) from its rest to its pose, and
    where it rests: `rest_head`, `rest_tail`."""

    head: Points
    tail: Points
    turn: Points
    rest_head: Points
    rest_tail: Points


def body(bones: Mapping[str, Bone], eye: Points) -> dict[Joint, Points]:
    """The points of the body in the world, (3,) metres, of bones by name; of the face those that
    are turned to `eye`. Empty when the bones are no person's: fewer than four points are found."""
    named = _named(bones)
    found = {
        _joint(side, part): bone.head for (side, part), bone in named.items() if part != "head"
    }
    for (side, part), bone in named.items():
        if part in _AFTER:
            found.setdefault(_joint(side, _AFTER[part]), bone.tail)
    if len(found) < _NEEDED:
        return {}
    shoulders = [found.get(Joint.LEFT_SHOULDER), found.get(Joint.RIGHT_SHOULDER)]
    if shoulders[0] is not None and shoulders[1] is not None:
        found[Joint.NECK] = (shoulders[0] + shoulders[1]) / 2
    if ("", "head") in named:
        found |= _face(named, eye)
    return found


def _face(named: Mapping[tuple[str, str], Bone], eye: Points) -> dict[Joint, Points]:
    """Nose, eyes and ears about the head's bone, as the body faces at rest."""
    head = named["", "head"]
    pair = [named.get((side, part)) for part in ("shoulder", "hip") for side in "LR"]
    left, right = next(
        ((a, b) for a, b in (pair[:2], pair[2:]) if a is not None and b is not None),
        (None, None),
    )
    if left is None or right is None:
        return {}
    height = float(np.linalg.norm(head.rest_tail - head.rest_head))
    up = _unit(head.rest_tail - head.rest_head)
    across = _unit(left.rest_head - right.rest_head)
    forward = _unit(np.cross(across, up))
    axes = [head.turn @ axis for axis in (up, forward, across)]
    to_eye = _unit(eye - head.head)
    found: dict[Joint, Points] = {}
    for joint, (high, before, beside) in _FACE.items():
        place = head.head + height * (high * axes[0] + before * axes[1] + beside * axes[2])
        faces = axes[2] * np.sign(beside) if "EAR" in joint.name else axes[1]
        if float(faces @ to_eye) > _AWAY:
            found[joint] = place
    return found


def _named(bones: Mapping[str, Bone]) -> dict[tuple[str, str], Bone]:
    """The bones of the body by side (L, R, or none) and part; of several, those that deform."""
    found: dict[tuple[str, str], Bone] = {}
    for name in sorted(bones, key=lambda name: (not name.upper().startswith("DEF"), len(name))):
        key = part_of(name)
        if key is not None:
            found.setdefault(key, bones[name])
    return found


def part_of(name: str) -> tuple[str, str] | None:
    """The side and part of the body that a bone's name speaks of; None for other bones."""
    bare = _PREFIX.sub("", name)
    letters = re.sub(r"[^a-z0-9]", "", bare.lower())
    if letters in _HEADS:
        return "", "head"
    if _NOT_OF_THE_BODY.search(bare):
        return None
    for side, pattern in _SIDES:
        if pattern.search(bare):
            part = re.sub(r"[^a-z]", "", pattern.sub(" ", bare).lower())
            return (side, _PARTS[part]) if part in _PARTS else None
    return None


def _joint(side: str, part: str) -> Joint:
    return Joint[f"{'LEFT' if side == 'L' else 'RIGHT'}_{part.upper()}"]


def _unit(vector: Points) -> Points:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
