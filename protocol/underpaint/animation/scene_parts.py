"""What each frame of a series is asked for by what it shows itself: pictures that are drawn of its
armatures, objects and annotations, objects that stay as they are, objects' own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..buffers import Buffers, Kind
from ..files.viewfile import SceneObject
from ..following.drawing import Drawing, DrawnFrom, drawn_if_seen, unseen
from ..following.leaving import where_left
from ..following.lines import blank
from ..following.sights import Sighted
from ..requests import Control, Prompt, RegionPrompt
from .motion import Mask

Objects = Mapping[int, SceneObject]


@dataclass(frozen=True, slots=True)
class Parts:
    """`drawings`: one for each of the request's controls, None for those that need none; empty is
    none at all. `left`: full names of objects that stay as the scene shows them; `locked`: and
    those that the scene says itself. `object_words`: objects are painted by prompts of their own.
    """

    drawings: tuple[Drawing | None, ...] = ()
    left: tuple[str, ...] = ()
    locked: bool = False
    object_words: bool = False


def drawings_in(
    parts: Parts, controls: tuple[Control, ...] | None, seen: Sighted, buffers: Buffers
) -> tuple[tuple[Control, ...] | None, Buffers]:
    """The controls with what is drawn of a frame; black where it shows nothing of that. And the
    arrays, with those pictures."""
    if not any(parts.drawings) or controls is None:
        return controls, buffers
    out, followed = Buffers(), []
    out.take(buffers)
    for control, drawing in zip(controls, parts.drawings, strict=True):
        if drawing is not None:
            picture = drawn_if_seen(control.kind, drawing, seen)
            shown = blank(*seen.size) if picture is None else picture
            control = replace(control, image=out.add(Kind.COLOR, shown))
        followed.append(control)
    return tuple(followed), out


def unseen_in(
    parts: Parts, controls: tuple[Control, ...] | None, seen: Sighted
) -> list[tuple[str, str]]:
    """The controls that a frame shows nothing of: kind, and why."""
    if not any(parts.drawings) or controls is None:
        return []
    return [
        (control.kind.value, unseen(drawing).message)
        for control, drawing in zip(controls, parts.drawings, strict=True)
        if drawing is not None and drawn_if_seen(control.kind, drawing, seen) is None
    ]


def kept_in(parts: Parts, objects: Objects, seen: Sighted) -> Mask | None:
    """Where a frame stays as the scene shows it, (h, w); None is nowhere."""
    left = {one.name for one in objects.values() if parts.locked and one.left} | {*parts.left}
    if not left or seen.object_id is None:
        return None
    return where_left(seen.object_id, seen.names, left)


def words_in(parts: Parts, objects: Objects, negative: str) -> tuple[RegionPrompt, ...]:
    """What objects of a frame are to look like by their own words and LoRAs."""
    if not parts.object_words:
        return ()
    return tuple(
        RegionPrompt(Prompt(one.prompt, negative), object_id=number, name=one.name, loras=one.loras)
        for number, one in sorted(objects.items())
        if one.prompt.strip() or one.loras
    )


def to_plain(parts: Parts) -> dict[str, Any]:
    """As JSON has it."""
    drawings = [
        one and {"source": one.source.value, "shows": list(one.shows)} for one in parts.drawings
    ]
    return {
        "drawings": drawings,
        "left": list(parts.left),
        "locked": parts.locked,
        "object_words": parts.object_words,
    }


def from_plain(told: Mapping[str, Any]) -> Parts:
    """What `to_plain` made. Raises KeyError, TypeError, ValueError."""
    drawings = tuple(
        None if one is None else Drawing(DrawnFrom(one["source"]), tuple(map(str, one["shows"])))
        for one in told["drawings"]
    )
    left = tuple(map(str, told["left"]))
    return Parts(drawings, left, bool(told["locked"]), bool(told["object_words"]))
