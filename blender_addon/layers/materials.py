"""Which material a texture goes into. Objects may have been renamed, deleted or given other
materials since the job began."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..plain.surfaces import Named, Surface

_ALWAYS_NODES = (5, 0)


def named(item: Any) -> Named:
    """How to find a data-block again."""
    return Named(item.name_full, item.session_uid)


def found(collection: Any, what: Named) -> Any:
    """The data-block of a collection; None when it is gone."""
    by_uid = next((item for item in collection if item.session_uid == what.uid), None)
    if by_uid is not None:
        return by_uid
    return next((item for item in collection if item.name_full == what.name), None)


def to_paint(surface: Surface, name: str) -> Any:
    """The material that is to get a surface's layer; None when nothing wears it any more.

    Slots without one get a new material, called `name`. A material that other meshes wear, or
    that is linked from another file, is copied, so that only what was painted changes.
    """
    slots = list(_slots(surface))
    worn = next((slot.material for slot in slots if slot.material is not None), None)
    if worn is None and slots:
        return _made(slots, name)
    if worn is None:
        worn = found(bpy.data.materials, surface.material) if surface.material else None
        return worn if worn is not None and worn.users else None
    if worn.library is not None or _worn_elsewhere(worn, slots):
        return _copied(worn, slots)
    return worn


def use_nodes(material: Any) -> None:
    """Turn a plain material into nodes of the same colour; newer Blenders know no other."""
    if bpy.app.version >= _ALWAYS_NODES or material.use_nodes:
        return
    material.underpaint.without_nodes = True
    fresh = material.node_tree is None
    material.use_nodes = True
    if fresh:
        shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
        shader.inputs["Base Color"].default_value = material.diffuse_color
        shader.inputs["Roughness"].default_value = material.roughness
        shader.inputs["Metallic"].default_value = material.metallic


def stop_using_nodes(material: Any) -> None:
    """Undo `use_nodes`."""
    if material.underpaint.without_nodes:
        material.use_nodes = False
        material.underpaint.without_nodes = False


def give_back(material: Any) -> None:
    """Take away a material that was made or copied for the paint; its slots get what they had."""
    stack = material.underpaint
    if stack.original is None and not stack.made:
        return
    for item in bpy.data.objects:
        for slot in item.material_slots:
            if slot.material == material:
                slot.material = stack.original
    bpy.data.materials.remove(material)


def of_slot(item: Any, index: int) -> Any:
    """The material that faces with this index wear; None when there is none."""
    slots = item.material_slots
    return slots[min(index, len(slots) - 1)].material if len(slots) else None


def _slots(surface: Surface) -> Iterator[Any]:
    for slot in surface.slots:
        item = found(bpy.data.objects, slot.object)
        if item is None or not hasattr(item.data, "materials"):
            continue
        if not len(item.material_slots):
            item.data.materials.append(None)
        yield item.material_slots[min(slot.index, len(item.material_slots) - 1)]


def _made(slots: list[Any], name: str) -> Any:
    material = bpy.data.materials.new(name)
    use_nodes(material)
    material.underpaint.without_nodes = False
    material.underpaint.made = True
    for slot in slots:
        slot.material = material
    return material


def _copied(worn: Any, slots: list[Any]) -> Any:
    copy = worn.copy()
    copy.name = f"{worn.name} painted"
    copy.underpaint.original = worn
    for slot in slots:
        if slot.material == worn:
            slot.material = copy
    return copy


def _worn_elsewhere(material: Any, slots: list[Any]) -> bool:
    """Whether a mesh that was not painted wears a material too."""
    painted = {slot.id_data.data for slot in slots}
    return any(
        item.data not in painted
        for item in bpy.data.objects
        if item.type == "MESH" and item.users_scene
        for slot in item.material_slots
        if slot.material == material
    )
