"""A scene's numbers that stand for a painting's values, as they are in its present frame. No bpy.

Keyframes on the panel's own fields are read as curves, not as the fields' values: the Blender that
captures an animation has no add-on, and no such fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_FIELD = re.compile(r"^underpaint(?:_animation)?\.(?P<name>[a-z]+)(?:_scale)?$")
_PLAIN = frozenset({"seed", "guidance", "strength", "refresh"})


def numbers(scene: Any) -> dict[str, float]:
    """The custom properties that are numbers, and the panel's fields that have keyframes, called
    as the properties that stand for them are: `underpaint_seed`, `underpaint_depth`, …; where
    there are both, the property counts."""
    own = {name: scene[name] for name in scene.keys()}  # noqa: SIM118 (no mapping)
    values = {name: float(value) for name, value in own.items() if isinstance(value, (int, float))}
    return {**_of_fields(scene), **values}


def _of_fields(scene: Any) -> dict[str, float]:
    found = {}
    for curve in _curves(scene.animation_data):
        name = _value_of(curve.data_path)
        if name and not curve.mute:
            found[f"underpaint_{name}"] = float(curve.evaluate(scene.frame_current))
    return found


def _value_of(path: str) -> str:
    """What an F-curve's path stands for; empty for others."""
    found = _FIELD.match(path)
    if found is None:
        return ""
    is_scale = path.endswith("_scale")
    return found["name"] if is_scale or found["name"] in _PLAIN else ""


def _curves(data: Any) -> Iterator[Any]:
    """The F-curves that act on a datablock."""
    action = None if data is None else data.action
    if action is None:
        return
    if not hasattr(data, "action_slot"):  # before Blender 4.4
        yield from action.fcurves
        return
    for strip in (strip for layer in action.layers for strip in layer.strips):
        bag = None if data.action_slot is None else strip.channelbag(data.action_slot)
        yield from () if bag is None else bag.fcurves
