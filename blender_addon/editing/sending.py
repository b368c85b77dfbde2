"""A picture into the scene: as a reference, on a plane, or as a node of the compositor."""

from __future__ import annotations

from typing import Any

import bpy

_UPRIGHT = 1.5707963267948966
_HEIGHT_M = 2.0
_BELOW = 400.0


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


def as_compositor_node(context: Any, image: Any) -> Any:
    """An image node in the scene's compositor, linked to nothing; the node."""
    scene = context.scene
    if bpy.app.version < (5, 0):
        scene.use_nodes = True
        tree = scene.node_tree
    else:
        tree = scene.compositing_node_group
        if tree is None:
            tree = bpy.data.node_groups.new(scene.name, "CompositorNodeTree")
            scene.compositing_node_group = tree
    node = tree.nodes.new("CompositorNodeImage")
    node.image, node.label = image, image.name
    lowest = min((other.location.y for other in tree.nodes if other != node), default=0.0)
    node.location = (0.0, lowest - _BELOW)
    return node


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
