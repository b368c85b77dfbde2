"""A picture into the scene: as a reference, or on a plane."""

from __future__ import annotations

from typing import Any

import bpy

_UPRIGHT = 1.5707963267948966
_HEIGHT_M = 2.0


def as_reference(context: Any, image: Any) -> Any:
    """An image empty, upright at the 3D cursor; the new object."""
    item = bpy.data.objects.new(image.name, None)
    item.empty_display_type, item.empty_display_size, item.data = "IMAGE", _HEIGHT_M, image
    return _place(context, item)


def as_plane(context: Any, image: Any) -> Any:
    """A plane that shows the picture as it is, without light; the new object."""
    width, height = image.size
    x, y = _HEIGHT_M * width / height / 2, _HEIGHT_M / 2
    mesh = bpy.data.meshes.new(image.name)
    mesh.from_pydata([(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)], [], [(0, 1, 2, 3)])
    corners = mesh.uv_layers.new(name="UVMap").data
    for corner, uv in zip(corners, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        corner.uv = uv
    mesh.materials.append(_material(image))
    return _place(context, bpy.data.objects.new(image.name, mesh))


def _material(image: Any) -> Any:
    material = bpy.data.materials.new(image.name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    picture, light, out = (
        tree.nodes.new(kind)
        for kind in ("ShaderNodeTexImage", "ShaderNodeEmission", "ShaderNodeOutputMaterial")
    )
    picture.image = image
    tree.links.new(picture.outputs["Color"], light.inputs["Color"])
    tree.links.new(light.outputs["Emission"], out.inputs["Surface"])
    for place, node in enumerate((picture, light, out)):
        node.location = (place * 300 - 300, 0)
    return material


def _place(context: Any, item: Any) -> Any:
    item.rotation_euler = (_UPRIGHT, 0.0, 0.0)
    item.location = context.scene.cursor.location
    context.scene.collection.objects.link(item)
    return item
