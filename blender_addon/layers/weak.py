"""Where a layer is weak: the heat map that its job left beside it, shown in Solid shading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from underpaint.errors import ErrorCode, RequestError

from . import nodes, shown

_OURS = "underpaint_weak"


def toggle(material: Any, layer: Any) -> bool:
    """Show the heat map, or what is painted again; whether the map is shown now.

    Raises RequestError(FILE) for a layer that has none.
    """
    node = nodes.display_node(material)
    if node is not None and is_shown(material):
        heat, node.image = node.image, None
        if not heat.users:
            bpy.data.images.remove(heat)
        shown.refresh(material)
        return False
    file = _beside(layer)
    if node is None or file is None:
        raise RequestError(
            ErrorCode.FILE,
            "this layer has no heat map",
            hint="New textures bring one; it lies beside their files.",
        )
    heat = bpy.data.images.load(str(file))
    heat[_OURS] = True
    node.image = heat
    return True


def is_shown(material: Any) -> bool:
    """Whether Solid shading shows a heat map on this material now."""
    node = nodes.display_node(material)
    return node is not None and node.image is not None and _OURS in node.image


def _beside(layer: Any) -> Path | None:
    """The map's file: beside the texture's own, for the same tile."""
    image = layer.look.image
    if image is None or not image.filepath:
        return None
    painted = Path(bpy.path.abspath(image.filepath))
    name = painted.name.replace("base_color", "texture").replace("texture", "heat_map")
    file = painted.with_name(name)
    return file if name.startswith("heat_map") and file.exists() else None
