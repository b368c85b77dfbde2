"""The material and the layer that the artist is at. No bpy."""

from __future__ import annotations

from typing import Any

from underpaint.errors import ErrorCode, RequestError


def active_material(context: Any) -> Any:
    """The active object's active material; None when there is none."""
    item = context.view_layer.objects.active
    return None if item is None else item.active_material


def active_layer(context: Any) -> Any:
    """The layer selected in the list; None when there is none."""
    material = active_material(context)
    if material is None:
        return None
    stack = material.underpaint
    return stack.layers[stack.active] if 0 <= stack.active < len(stack.layers) else None


def need_layer(context: Any) -> Any:
    """The layer selected in the list. Raises RequestError(BAD_REQUEST) when there is none."""
    hint = "Select the object and one of its layers."
    return _needed(active_layer(context), "no layer is selected", hint)


def need_material(context: Any) -> Any:
    """The active material. Raises RequestError(BAD_REQUEST) when there is none."""
    hint = "Paint a texture first, or give the object a material."
    return _needed(active_material(context), "the active object wears no material", hint)


def _needed(found: Any, problem: str, hint: str) -> Any:
    if found is None:
        raise RequestError(ErrorCode.BAD_REQUEST, problem, hint=hint)
    return found
