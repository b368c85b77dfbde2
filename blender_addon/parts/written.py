"""LoRAs into a list that Blender keeps. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from underpaint.requests import Lora
from underpaint.requests.curves import curve_text


def write_loras(items: Any, loras: Sequence[Lora]) -> None:
    """Make these a list's LoRAs."""
    items.clear()
    for lora in loras:
        item = items.add()
        item.path, item.weight = lora.path, lora.weight
        item.curve = curve_text(lora.curve)
