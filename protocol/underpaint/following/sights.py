"""What a view shows beside its surfaces, as lines and points of the picture: people and strokes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .lines import Points
from .pose import Joint


@dataclass(frozen=True, slots=True)
class Person:
    """An armature that has the bones of a person. `name`: its full name; `hidden`: by the artist;
    `joints`: those that lie before the camera, pixels, (x, y)."""

    name: str
    hidden: bool
    joints: Mapping[Joint, Points]


@dataclass(frozen=True, slots=True)
class Sights:
    """`people`: those of the scene. `strokes`: of annotations, each (N, 2) pixels, (x, y), as far
    as they lie before the camera; `annotated`: whether the scene has any, seen or not."""

    people: tuple[Person, ...] = ()
    strokes: tuple[Points, ...] = ()
    annotated: bool = False


@dataclass(frozen=True, slots=True)
class Sighted:
    """A view by what can be followed in it. `size`: width and height, pixels; `object_id` (h, w),
    where it was captured, and the full `names` of objects by its numbers."""

    size: tuple[int, int]
    sights: Sights = field(default_factory=Sights)
    object_id: Any = None
    names: Mapping[int, str] = field(default_factory=dict)


def to_plain(sights: Sights) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "people": [
            {
                "name": one.name,
                "hidden": one.hidden,
                "joints": {
                    str(int(joint)): list(map(float, at)) for joint, at in one.joints.items()
                },
            }
            for one in sights.people
        ],
        "strokes": [points.tolist() for points in sights.strokes],
        "annotated": sights.annotated,
    }


def from_plain(told: Mapping[str, Any]) -> Sights:
    """What `to_plain` made. Raises KeyError, TypeError, ValueError."""
    return Sights(
        tuple(
            Person(
                str(one["name"]),
                bool(one["hidden"]),
                {Joint(int(n)): np.array(at, np.float64) for n, at in one["joints"].items()},
            )
            for one in told["people"]
        ),
        tuple(np.array(points, np.float64).reshape(-1, 2) for points in told["strokes"]),
        bool(told["annotated"]),
    )
