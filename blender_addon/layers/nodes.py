"""Where the layers enter a material: one node group between the artist's inputs and the shader.

Nothing of the artist's is changed: the group takes in what the shader's sockets had, and taking
the group out puts that back. What is inside it: `inside`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import bpy

from underpaint.errors import ErrorCode, RequestError

from . import inside
from .inside import COLOUR, NORMAL, NUMBERS

GROUP = "Underpaint Layers"
DISPLAY = "Underpaint Shown"
_OWN = "underpaint"
_SHOWN_BEFORE = "underpaint_shown_before"
_STEP_X, _STEP_Y = 320, 60
_COLOUR_INPUTS = ("Base Color", "Color")


def colour_socket(material: Any) -> Any:
    """The input that gives a material its colour. Raises RequestError(BAD_REQUEST) when there
    is none: a shader of another kind."""
    for node in _shaders(material.node_tree):
        for name in _COLOUR_INPUTS:
            socket = node.inputs.get(name)
            if socket is not None and socket.type == "RGBA":
                return socket
    raise RequestError(
        ErrorCode.BAD_REQUEST,
        f"material {material.name!r} has no shader with a colour to paint",
        hint="Connect a Principled BSDF to its Material Output, or give the object a new material.",
    )


def group_node(material: Any) -> Any:
    """The node of our group in a material; None when it has none."""
    return _ours(material, GROUP)


def display_node(material: Any) -> Any:
    """The image node that Solid shading shows; None when there is none."""
    return _ours(material, DISPLAY)


def insert(material: Any) -> Any:
    """Put our group before the colour, and a node for Solid shading beside it; the group's node.

    Raises RequestError(BAD_REQUEST) when the material has no colour to paint.
    """
    present = group_node(material)
    if present is not None and present.node_tree is not None:
        return present
    remove(material)  # a node whose group was deleted
    tree, socket = material.node_tree, colour_socket(material)
    node = tree.nodes.new("ShaderNodeGroup")
    node[_OWN] = GROUP
    node.node_tree = inside.new_group(f"{GROUP}: {material.name}")
    node.name = node.label = GROUP
    node.width = 200
    node.location = (socket.node.location.x - _STEP_X, socket.node.location.y)
    _route(tree, socket, node, COLOUR.name)
    _add_display(tree, node)
    return node


def remove(material: Any) -> None:
    """Take our nodes out; what the artist had is as it was."""
    node, shown = group_node(material), display_node(material)
    tree = material.node_tree
    if node is not None:
        group = node.node_tree
        for output in node.outputs:
            _put_back(tree, node.inputs.get(output.name), [link.to_socket for link in output.links])
        tree.nodes.remove(node)
        if group is not None and not group.users:
            bpy.data.node_groups.remove(group)
    if shown is not None:
        before = tree.nodes.get(shown.get(_SHOWN_BEFORE, ""))
        tree.nodes.remove(shown)
        if before is not None:
            before.show_texture = True


def rebuild(material: Any, layers: Sequence[Any], mask_shown: Any = None) -> None:
    """Make the group's inside anew from the layers, lowest first. `mask_shown`: an image that is
    drawn in red on top, while the artist paints a mask."""
    node = insert(material)
    _own_group(node)
    _wire_channels(material, node, layers)
    inside.build(node.node_tree, layers, mask_shown)
    inside.set_opacities(node.node_tree, layers)


def set_opacities(material: Any, layers: Sequence[Any]) -> None:
    """Set what the layers' sliders say; no node is made or linked."""
    node = group_node(material)
    if node is not None and node.node_tree is not None:
        _own_group(node)
        inside.set_opacities(node.node_tree, layers)


def underlying(material: Any) -> Any:
    """The socket that holds the artist's own colour: our group's input, or the shader's."""
    node = group_node(material)
    return colour_socket(material) if node is None else node.inputs[COLOUR.name]


def _ours(material: Any, what: str) -> Any:
    tree = material.node_tree
    nodes = () if tree is None else tree.nodes
    return next((node for node in nodes if node.get(_OWN) == what), None)


def _own_group(node: Any) -> None:
    """A copied material shares the group until it changes."""
    if node.node_tree.users > 1:
        node.node_tree = node.node_tree.copy()


def _add_display(tree: Any, group: Any) -> None:
    shown = tree.nodes.new("ShaderNodeTexImage")
    shown[_OWN] = shown.name = DISPLAY
    shown.label = "What Solid shading shows"
    shown.location = (group.location.x, group.location.y + _STEP_Y)
    shown.hide = True
    others = [n for n in tree.nodes if n != shown and getattr(n, "show_texture", False)]
    shown[_SHOWN_BEFORE] = others[0].name if others else ""
    for node in others:
        node.show_texture = False
    shown.show_texture = True


def _shaders(tree: Any) -> Iterator[Any]:
    """The shader nodes that make the surface, nearest to the output first, Principled before
    others."""
    output = tree.get_output_node("ALL")
    waiting = _sources(output.inputs["Surface"]) if output is not None else []
    found: list[Any] = []
    while waiting:
        node = waiting.pop(0)
        if node in found:
            continue
        found.append(node)
        for socket in node.inputs:
            if socket.type == "SHADER":
                waiting += _sources(socket)
    yield from sorted(found, key=lambda node: node.type != "BSDF_PRINCIPLED")


def _sources(socket: Any) -> list[Any]:
    return [link.from_node for link in socket.links]


def _wire_channels(material: Any, node: Any, layers: Sequence[Any]) -> None:
    """Route the shader's other inputs through the group, those that some layer changes."""
    fed = node.outputs[COLOUR.name].links
    shader = (fed[0].to_socket if len(fed) else colour_socket(material)).node
    interface = node.node_tree.interface
    for channel in (*NUMBERS, NORMAL):
        wanted = any(getattr(layer.look, channel.image) is not None for layer in layers)
        socket = shader.inputs.get(channel.name)
        if not wanted or socket is None or channel.name in node.outputs:
            continue
        if channel is NORMAL and socket.is_linked:
            continue  # the artist's own bumps stay
        if channel is not NORMAL:
            interface.new_socket(channel.name, in_out="INPUT", socket_type=channel.socket)
        interface.new_socket(channel.name, in_out="OUTPUT", socket_type=channel.socket)
        _route(material.node_tree, socket, node, channel.name)


def _route(tree: Any, socket: Any, node: Any, name: str) -> None:
    """Lead what a socket has through our node's input and output of that name."""
    entry = node.inputs.get(name)
    if entry is not None and socket.is_linked:
        tree.links.new(socket.links[0].from_socket, entry)
    elif entry is not None:
        entry.default_value = socket.default_value
    tree.links.new(node.outputs[name], socket)


def _put_back(tree: Any, entry: Any, sockets: Sequence[Any]) -> None:
    for socket in sockets:
        if entry is not None and entry.is_linked:
            tree.links.new(entry.links[0].from_socket, socket)
        elif entry is not None and socket.type == entry.type:
            socket.default_value = entry.default_value
