"""What objects and parts of the picture have of their own: words and LoRAs."""

from __future__ import annotations

from typing import Any

import bpy

from underpaint.files.viewfile import SceneObject
from underpaint.requests import Lora

from ..link import runtime
from ..plain.painting_settings import tidy
from ..ui.curves import curve_in
from ..ui.model_defaults import can


def own_of(item: Any) -> SceneObject | None:
    """An object's words and LoRAs; None of one that has neither."""
    words, loras = item.underpaint_prompt.strip(), read_loras(item.underpaint_loras)
    return SceneObject(item.name_full, words, loras) if words or loras else None


def read_loras(items: Any) -> tuple[Lora, ...]:
    """The LoRAs of a list that are on; files as full paths."""
    return tuple(
        Lora(
            bpy.path.abspath(item.path, library=item.id_data.library),
            tidy(item.weight),
            curve_in(item, "curve"),
        )
        for item in items
        if item.enabled and item.path
    )


def can_wear(scene: Any) -> bool:
    """Whether the chosen model takes LoRAs for single objects and parts, as far as is known."""
    if scene.underpaint.mode != "IMAGE":  # textures: whatever takes LoRAs at all
        return can(runtime.record_of(scene.underpaint_texture.model), "loras")
    record = runtime.record_of(scene.underpaint.model)
    return can(record, "loras") and can(record, "regions")
