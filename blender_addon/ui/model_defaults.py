"""A model's own settings into the panel. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..following.kinds import PANEL_CONTROLS
from ..link import runtime

MODELS_OWN = "MODEL"
_NAMES = {"width": "size", "height": "size", "view_size": "size"}
_USUAL = {
    **dict.fromkeys(("width", "height", "view_size"), 512),
    **{"steps": 20, "guidance": 5.0, "image_guidance": 1.5, "pattern_size": 0.1},
}
OWN_VALUES = tuple(_USUAL)
"""The properties of which 0 means the model's own."""


_FILES = (".safetensors", ".gguf")


def file_in_parts(group: Any) -> str:
    """The chosen model's file, where it cannot be painted with as it is and may be a part of a
    model; else nothing. A path that the daemon does not list may be one, too."""
    record = runtime.record_of(group.model)
    if record is not None:
        return "" if record.ready else record.file or ""
    return group.model if group.model.lower().endswith(_FILES) else ""


def take_defaults(group: Any, record: Any) -> None:
    """Size, sampler, steps, guidance and controls as the model wants them, as numbers that can be
    changed from there.

    `record`: the daemon's ModelInfo, or None while it is not known: then they are left to it.
    """
    wanted: Mapping[str, Any] = {} if record is None else record.defaults
    group.sampler = wanted.get("sampler", MODELS_OWN)
    group.steps, group.guidance = wanted.get("steps", 0), wanted.get("guidance", 0.0)
    side = wanted.get("size", 0)
    if hasattr(group, "view_size"):
        group.view_size = side
        return
    group.width = group.height = side
    if wanted:
        _take_controls(group, wanted["controls"])


def can(record: Any, ability: str) -> bool:
    """Whether a model can do this (the words of `ModelInfo.abilities`), as far as is known."""
    told = None if record is None else record.abilities
    return told is None or ability in told


def offered(group: Any, ability: str, name: str) -> bool:
    """Whether a field is shown: where the model can do it, or while something is set there."""
    return can(runtime.record_of(group.model), ability) or bool(getattr(group, name))


def own_value(group: Any, name: str) -> float | None:
    """What a value that is left to the model comes to, as far as the daemon has told."""
    record = runtime.record_of(group.model)
    wanted = record.defaults.get(_NAMES.get(name, name)) if record is not None else None
    return wanted if isinstance(wanted, int | float) else None


def take_by_hand(group: Any, name: str) -> None:
    """Set such a value to what it came to, so that it can be changed from there."""
    setattr(group, name, own_value(group, name) or _USUAL[name])


def take_controls(group: Any) -> None:
    """Set the rows of controls to what the model wants, and follow them from now on."""
    record = runtime.record_of(group.model)
    if record is not None and "controls" in record.defaults:
        _take_controls(group, record.defaults["controls"])
    group.model_controls = False


def wanted_controls(model: str) -> tuple[str, ...]:
    """The kinds of controls that a model follows by itself, as far as the daemon has told."""
    record = runtime.record_of(model)
    controls = record.defaults.get("controls", ()) if record is not None else ()
    return tuple(str(control["kind"]) for control in controls)


def _take_controls(group: Any, controls: list[Mapping[str, Any]]) -> None:
    by_kind = {control["kind"]: control for control in controls}
    for kind in PANEL_CONTROLS:
        control = by_kind.get(kind.value)
        setattr(group, f"{kind.value}_enabled", control is not None)
        for part, usual in (("scale", 1.0), ("start", 0.0), ("end", 1.0)):
            setattr(group, f"{kind.value}_{part}", (control or {}).get(part, usual))
    group.model_controls = True
