"""A picture onto the scene, from the view that it was painted for: by nodes, as a slide projector
does it. What that view does not see, behind something else or turned away, stays as it is."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
from mathutils import Matrix

from underpaint.cameras import Camera
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, InpaintRequest

from ..image import results
from ..layers import nodes
from ..operators.recall import folder_of
from .reaching import reach

_OWN, _NAME = "underpaint", "Underpaint Projection"
_STEP = 260
_HALF = 0.5


def project(context: Any, image: Any) -> list[Any]:
    """Show a picture on what its view sees of the selected objects, or of all that are visible;
    their materials.

    Raises RequestError: FILE for a picture that was not painted by us, CAPTURE_FAILED for one that
    shows no view, BAD_REQUEST where there is nothing that can show it.
    """
    request = results.request_of(image)
    view = getattr(request, "view", None)
    if view is None or not isinstance(request, ImageRequest | InpaintRequest):
        raise RequestError(
            ErrorCode.CAPTURE_FAILED,
            "this painting was not made of a view of a scene",
            hint="Choose a picture that was painted over a camera's or a viewport's view.",
        )
    materials = _materials(context)
    depth = _depth_image(image, reach(context, request, folder_of(image)))
    group = _group(image, depth, _projector(context, image, view.camera), view.camera)
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


def _depth_image(image: Any, limit: npt.NDArray[np.float32]) -> Any:
    """How far the picture reaches, as an image, kept in the file."""
    height, width = limit.shape
    made = bpy.data.images.new(
        f"{image.name} depth", width, height, alpha=False, float_buffer=True, is_data=True
    )
    made.use_half_precision = False
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = limit[::-1, :, None]
    made.pixels.foreach_set(pixels.ravel())
    made.update()
    made.pack()  # renders read it anew
    return made


def _group(image: Any, depth_image: Any, projector: Any, camera: Camera) -> Any:
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
    reached = _node(tree, "ShaderNodeTexImage", 5)
    reached.image, reached.extension, reached.interpolation = depth_image, "CLIP", "Closest"
    tree.links.new(at.outputs[0], reached.inputs["Vector"])
    away = _row(tree, place.outputs["Object"], (0, 0, -1, 0))
    seen = _all(
        tree,
        picture.outputs["Alpha"],
        _sum(tree, "GREATER_THAN", 5, depth, 0.0),
        _sum(tree, "LESS_THAN", 5, away, reached.outputs["Color"]),
        _faces(tree, camera),
    )
    _mix(tree, seen, picture.outputs["Color"])
    return tree


def _faces(tree: Any, camera: Camera) -> Any:
    """Whether the side that is looked at is that which the view saw: of a sheet, one of both."""
    place = _node(tree, "ShaderNodeNewGeometry", 1)
    to_world = np.linalg.inv(np.asarray(camera.view_matrix))
    if camera.orthographic:
        return _dot(tree, place.outputs["True Normal"], tuple(to_world[:3, 2]))
    from_eye = _node(tree, "ShaderNodeVectorMath", 2)
    from_eye.operation = "SUBTRACT"
    from_eye.inputs[0].default_value = [float(number) for number in to_world[:3, 3]]
    tree.links.new(place.outputs["Position"], from_eye.inputs[1])
    return _dot(tree, place.outputs["True Normal"], from_eye.outputs["Vector"])


def _dot(tree: Any, normal: Any, towards: Any) -> Any:
    """1 where a normal points towards the eye."""
    product = _node(tree, "ShaderNodeVectorMath", 3)
    product.operation = "DOT_PRODUCT"
    tree.links.new(normal, product.inputs[0])
    if isinstance(towards, tuple):
        product.inputs[1].default_value = [float(number) for number in towards]
    else:
        tree.links.new(towards, product.inputs[1])
    return _sum(tree, "GREATER_THAN", 4, product.outputs["Value"], 0.0)


def _all(tree: Any, first: Any, *others: Any) -> Any:
    """The product."""
    for other in others:
        first = _sum(tree, "MULTIPLY", 6, first, other)
    return first


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
