"""Controls whose pictures are drawn: silhouettes, people, strokes of annotations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..errors import ErrorCode, RequestError
from ..requests import ControlKind
from .lines import Image8, blank, draw_line
from .pose import draw_person
from .sights import Person, Sighted
from .silhouettes import line_width, silhouettes


class DrawnFrom(StrEnum):
    """What of a scene is drawn."""

    OBJECTS = "objects"
    ARMATURE = "armature"
    STROKES = "annotations"


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a control's picture is drawn. `shows`: full names of objects, or of armatures: without
    any, of all that are not hidden."""

    source: DrawnFrom
    shows: tuple[str, ...] = ()


def drawn(kind: ControlKind, drawing: Drawing, seen: Sighted) -> Image8:
    """A control's picture, (h, w, 3) uint8. Raises RequestError(BAD_REQUEST) when there is nothing
    to draw."""
    problem = lacking(drawing, seen)
    picture = None if problem else _DRAWERS[drawing.source](kind, drawing, seen)
    if picture is None:
        raise problem or unseen(drawing)
    return picture


def drawn_if_seen(kind: ControlKind, drawing: Drawing, seen: Sighted) -> Image8 | None:
    """`drawn`, of a frame of many: None where this one shows nothing of it."""
    return _DRAWERS[drawing.source](kind, drawing, seen)


def lacking(drawing: Drawing, seen: Sighted) -> RequestError | None:
    """Why a scene has nothing that could be drawn, from wherever it is looked at."""
    if drawing.source is DrawnFrom.OBJECTS and not drawing.shows:
        return _refusal(
            "no object is chosen to follow",
            "Choose an object or a collection in the control's fold, or follow this view.",
        )
    if drawing.source is DrawnFrom.ARMATURE and not _people(drawing, seen):
        return _refusal(
            "no armature here has the bones of a person",
            "Name its bones as Rigify, Mixamo or Unreal do (upper_arm.L, LeftArm, upperarm_l), or "
            "follow an image of the pose.",
        )
    if drawing.source is DrawnFrom.STROKES and not seen.sights.annotated:
        return unseen(drawing)
    return None


def unseen(drawing: Drawing) -> RequestError:
    """That a view shows nothing of what is to be drawn."""
    if drawing.source is DrawnFrom.OBJECTS:
        return _refusal(
            "the chosen object is not seen from here",
            "Point the camera or the viewport at it, or choose another.",
        )
    if drawing.source is DrawnFrom.ARMATURE:
        return _refusal(
            "the armature is not seen from here",
            "Point the camera or the viewport at it, or choose another.",
        )
    return _refusal(
        "no annotation is seen from here",
        "Draw with the Annotate tool in the viewport, placed on the surface or the cursor.",
    )


def _objects(kind: ControlKind, drawing: Drawing, seen: Sighted) -> Image8 | None:
    chosen = [number for number, name in seen.names.items() if name in drawing.shows]
    if seen.object_id is None:
        return None
    return silhouettes(kind, seen.object_id, sorted(chosen))


def _armatures(_kind: ControlKind, drawing: Drawing, seen: Sighted) -> Image8 | None:
    picture = blank(*seen.size)
    for person in _people(drawing, seen):
        draw_person(picture, person.joints)
    return picture if picture.any() else None


def _people(drawing: Drawing, seen: Sighted) -> list[Person]:
    """Those of the names that are asked for; without names all that are shown."""
    if drawing.shows:
        return [one for one in seen.sights.people if one.name in drawing.shows]
    return [one for one in seen.sights.people if not one.hidden]


def _strokes(kind: ControlKind, _drawing: Drawing, seen: Sighted) -> Image8 | None:
    picture, width = blank(*seen.size), line_width(kind, *seen.size)
    for points in seen.sights.strokes:
        draw_line(picture, points, width)
    return picture if picture.any() else None


_DRAWERS: Mapping[DrawnFrom, Callable[[ControlKind, Drawing, Sighted], Image8 | None]] = {
    DrawnFrom.OBJECTS: _objects,
    DrawnFrom.ARMATURE: _armatures,
    DrawnFrom.STROKES: _strokes,
}


def _refusal(message: str, hint: str) -> RequestError:
    return RequestError(ErrorCode.BAD_REQUEST, message, hint=hint)
