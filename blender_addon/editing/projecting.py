"""A picture onto the scene, from the view that it was painted for: by nodes, as a slide projector
does it. What lies behind something else gets it, too."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from underpaint.cameras import Camera
from underpaint.errors import ErrorCode, RequestError

from ..image import results
from ..layers import nodes

_OWN, _NAME = "underpaint", "Underpaint Projection"
_STEP = 260
_HALF = 0.5


def project(context: Any, image: Any) -> list[Any]:
    """Show a picture on the selected objects, or on all that are visible; their materials.

    Raises RequestError: FILE for a picture that was not painted by us, CAPTURE_FAILED for one that
    shows no view, BAD_REQUEST where there is nothing that can show it.
    """
    view = getattr(results.request_of(image), "view", None)
    if view is None:
        raise RequestError(
            ErrorCode.CAPTURE_FAILED,
            "this painting was not made of a view of a scene",
            hint="Choose a picture that was painted over a camera's or a viewport's view.",
        )
    materials = _materials(context)
    group = _group(image, _projector(context, image, view.camera), view.camera)
    for material in materials:
        _insert(material, group)
    return materials


def _materials(context: Any) -> list[Any]:
    """Those that are to show it; bare objects get one."""
    seen = [item for item in context.view_layer.objects if item.visible_get()]
    chosen = [item for item in seen if item.select_get() and item.type == "MESH"]
    meshes = chosen or [item for item in seen if item.type == "MESH"]
    own = [item for item in meshes if item.data.library is None and item.library is None]
    if not own:
        raise RequestError(
            ErrorCode.BAD_REQUEST, "no mesh is selected", hint="Select the objects to paint."
        )
    found = list[Any]()
    for item in own:
        if not any(item.data.materials):
            item.data.materials.clear()
            item.data.materials.append(bpy.data.materials.new(item.name))
        found += [one for one in item.data.materials if one and one not in found]
    return [one for one in found if one.library is None]


def _projector(context: Any, image: Any, camera: Camera) -> Any:
    """An empty that stands where the view was taken from, looking along its -Z."""
    item = bpy.data.objects.new(f"{image.name} view", None)
    item.matrix_world = Matrix(np.linalg.inv(np.asarray(camera.view_matrix)).tolist())
    item.empty_display_type = "CONE"
    context.scene.collection.objects.link(item)
    return item


def _group(image: Any, projector: Any, camera: Camera) -> Any:
    """A node group: its colour over what comes in, where the picture reaches."""
    tree = bpy.data.node_groups.new(f"{_NAME}: {image.name}", "ShaderNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Color", in_out=way, socket_type="NodeSocketColor")
    place = _node(tree, "ShaderNodeTexCoord", 0)
    place.object = projector
    across, up, depth = (
        _row(tree, place.outputs["Object"], np.asarray(camera.projection_matrix)[i])
        for i in (0, 1, 3)
    )
    at = _node(tree, "ShaderNodeCombineXYZ", 4)
    for socket, clip in zip(at.inputs, (across, up), strict=False):
        part = _sum(tree, "DIVIDE", 2, clip, depth)
        tree.links.new(_sum(tree, "MULTIPLY_ADD", 3, part, _HALF, _HALF), socket)
    picture = _node(tree, "ShaderNodeTexImage", 5)
    picture.image, picture.extension = image, "CLIP"
    tree.links.new(at.outputs[0], picture.inputs["Vector"])
    before = _sum(tree, "GREATER_THAN", 5, depth, 0.0)
    seen = _sum(tree, "MULTIPLY", 6, picture.outputs["Alpha"], before)
    _mix(tree, seen, picture.outputs["Color"])
    return tree


def _mix(tree: Any, seen: Any, colour: Any) -> None:
    mix = _node(tree, "ShaderNodeMix", 7)
    mix.data_type = "RGBA"
    entry, end = _node(tree, "NodeGroupInput", 6), _node(tree, "NodeGroupOutput", 8)
    sockets = [s for s in mix.inputs if s.enabled]
    for source, socket in zip((seen, entry.outputs[0], colour), sockets, strict=True):
        tree.links.new(source, socket)
    tree.links.new(next(s for s in mix.outputs if s.enabled), end.inputs[0])


def _row(tree: Any, point: Any, row: Any) -> Any:
    """A row of a projection matrix times a point."""
    product = _node(tree, "ShaderNodeVectorMath", 1)
    product.operation = "DOT_PRODUCT"
    product.inputs[1].default_value = [float(number) for number in row[:3]]
    tree.links.new(point, product.inputs[0])
    return _sum(tree, "ADD", 1, product.outputs["Value"], float(row[3]))


def _sum(tree: Any, operation: str, column: int, *terms: Any) -> Any:
    node = _node(tree, "ShaderNodeMath", column)
    node.operation = operation
    for term, socket in zip(terms, node.inputs, strict=False):
        if isinstance(term, float):
            socket.default_value = term
        else:
            tree.links.new(term, socket)
    return node.outputs[0]


def _node(tree: Any, kind: str, column: int) -> Any:
    node = tree.nodes.new(kind)
    rows = sum(1 for other in tree.nodes if other.location.x == column * _STEP)
    node.location = (column * _STEP, -rows * _STEP)
    return node


def _insert(material: Any, group: Any) -> None:
    """Below the layers, over the artist's own colour; in the place of an earlier projection."""
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    tree = material.node_tree
    present = next((node for node in tree.nodes if node.get(_OWN) == _NAME), None)
    if present is not None:
        present.node_tree = group
        return
    socket = nodes.underlying(material)
    node = tree.nodes.new("ShaderNodeGroup")
    node[_OWN], node.node_tree, node.name = _NAME, group, _NAME
    node.label = _NAME
    node.location = (socket.node.location.x - _STEP, socket.node.location.y)
    if socket.is_linked:
        tree.links.new(socket.links[0].from_socket, node.inputs[0])
    else:
        node.inputs[0].default_value = socket.default_value
    tree.links.new(node.outputs[0], socket)
