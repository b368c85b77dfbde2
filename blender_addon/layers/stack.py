"""The list of layers of a material, and what can be done with it.

`material.underpaint.layers` is the truth, topmost first; nodes and the picture for Solid shading
follow it. Each function leaves the material whole, so that an operator around it is one undo step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import materials, nodes, shown
from .visible import MAPS, lowest_first

LOOKS = ("image", *MAPS)


def find(material: Any, uid: str) -> Any:
    """The layer that a job made in a material; None when it is gone."""
    return next((layer for layer in material.underpaint.layers if layer.uid == uid), None)


@dataclass(frozen=True, slots=True)
class NewLayer:
    """A layer to be. `look`: images by what they are (`LOOKS`); `uv_map`: empty = the one for
    renders; `partial`: it leaves places unpainted; `mask`: an image, white where it shows."""

    uid: str
    name: str
    look: Mapping[str, Any]
    uv_map: str = ""
    partial: bool = False
    mask: Any = None


def add(material: Any, new: NewLayer) -> Any:
    """Put a layer on top; it. Raises RequestError(BAD_REQUEST) when the material has no colour
    to paint."""
    materials.use_nodes(material)
    nodes.insert(material)
    stack = material.underpaint
    layer = stack.layers.add()
    layer.uid, layer.name, layer.uv_map = new.uid, new.name, new.uv_map
    layer.partial, layer.mask = new.partial, new.mask
    set_look(layer.paint, new.look)
    stack.layers.move(len(stack.layers) - 1, 0)
    stack.active = 0
    changed(material)
    return stack.layers[0]


def replace_all(material: Any, new: NewLayer) -> Any:
    """One layer in the place of all; it."""
    material.underpaint.layers.clear()
    return add(material, new)


def remove(material: Any, index: int) -> None:
    """Take a layer away; with the last one the material is the artist's own again."""
    stack = material.underpaint
    stack.layers.remove(index)
    stack.active = max(0, min(stack.active, len(stack.layers) - 1))
    changed(material)


def move(material: Any, index: int, by: int) -> None:
    """Move a layer: -1 is up."""
    stack = material.underpaint
    to = max(0, min(index + by, len(stack.layers) - 1))
    stack.layers.move(index, to)
    stack.active = to
    changed(material)


def offer(layer: Any, look: Mapping[str, Any]) -> None:
    """Show another try at a layer; the old one stays until the artist decides."""
    set_look(layer.candidate, look)
    changed(layer.id_data)


def decide(layer: Any, *, accept: bool) -> None:
    """Take the other try, or go back to the old look."""
    if accept:
        set_look(layer.paint, {name: getattr(layer.candidate, name) for name in LOOKS})
    set_look(layer.candidate, {})
    changed(layer.id_data)


def set_mask(layer: Any, mask: Any) -> None:
    """Limit a layer to where an image is white; None lifts the limit."""
    layer.mask = mask
    changed(layer.id_data)


def masks(material: Any) -> list[Any]:
    """Every mask image of a material: where to repaint, and where its layers show."""
    stack = material.underpaint
    found = [stack.edit_mask, *(layer.mask for layer in stack.layers)]
    return [mask for mask in found if mask is not None]


def restore(material: Any) -> None:
    """Every layer away: the material as the artist made it. Materials that were made or copied
    for the paint go too."""
    stack = material.underpaint
    stack.layers.clear()
    stack.active = 0
    stack.edit_mask = None
    changed(material)
    materials.give_back(material)


def changed(material: Any) -> None:
    """Bring the nodes in line with the list."""
    present = lowest_first(material)
    if present or material.underpaint.edit_mask is not None:
        nodes.rebuild(material, present, material.underpaint.edit_mask)
        shown.refresh(material)
    else:
        nodes.remove(material)
        materials.stop_using_nodes(material)


def set_look(paint: Any, look: Mapping[str, Any]) -> None:
    """Put images into a look; what is not given is none."""
    for name in LOOKS:
        setattr(paint, name, look.get(name))
