"""A model's own settings into the panel. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..image.request import PANEL_CONTROLS
from .painting_properties import MODELS_OWN


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


def _take_controls(group: Any, controls: list[Mapping[str, Any]]) -> None:
    by_kind = {control["kind"]: control for control in controls}
    for kind in PANEL_CONTROLS:
        control = by_kind.get(kind.value)
        setattr(group, f"{kind.value}_enabled", control is not None)
        for part, usual in (("scale", 1.0), ("start", 0.0), ("end", 1.0)):
            setattr(group, f"{kind.value}_{part}", (control or {}).get(part, usual))
    group.model_controls = True
