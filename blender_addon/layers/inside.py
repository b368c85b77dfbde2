"""Inside the layers' node group: each layer's image mixed over what is below it.

A layer's factor is its image's alpha × its opacity × its mask; `compose` does the same in numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy

_STEP_X, _STEP_Y = 300, 320
_MASK_RED = (0.9, 0.03, 0.02, 1.0)
_MASK_STRENGTH = 0.6
_FLAT_NORMAL = (0.5, 0.5, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Channel:
    """One thing that layers change: the shader's input `name`, its socket type, and the image of
    a layer's look that holds it."""

    name: str
    socket: str
    image: str


COLOUR = Channel("Base Color", "NodeSocketColor", "image")
NUMBERS = (
    Channel("Roughness", "NodeSocketFloat", "roughness"),
    Channel("Metallic", "NodeSocketFloat", "metallic"),
)
NORMAL = Channel("Normal", "NodeSocketVector", "normal")


def new_group(name: str) -> Any:
    """An empty group that takes a colour in and gives one out."""
    group = bpy.data.node_groups.new(name, "ShaderNodeTree")
    for way in ("INPUT", "OUTPUT"):
        group.interface.new_socket(COLOUR.name, in_out=way, socket_type=COLOUR.socket)
    return group


def build(group: Any, layers: Sequence[Any], mask_shown: Any) -> None:
    """Make the nodes anew: layers lowest first, then a mask being painted, in red."""
    group.nodes.clear()
    draft = _Draft(group)
    start, end = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
    start.location, end.location = (-_STEP_X, 0), (_STEP_X * 6, 0)
    draft.rows = [(layer, draft.factor(layer, row)) for row, layer in enumerate(layers)]
    colour = draft.over(start.outputs[COLOUR.name], COLOUR.image, "RGBA", "Color", 4)
    if mask_shown is not None:
        colour = draft.tinted(colour, mask_shown)
    draft.link(colour, end.inputs[COLOUR.name])
    for channel in NUMBERS:
        if channel.name in end.inputs:
            value = draft.over(start.outputs[channel.name], channel.image, "FLOAT", "Float", 5)
            draft.link(value, end.inputs[channel.name])
    if NORMAL.name in end.inputs:
        draft.link(draft.normals(), end.inputs[NORMAL.name])


def set_opacities(group: Any, layers: Sequence[Any]) -> None:
    """Set the opacities; hidden layers have none."""
    for layer in layers:
        knob = group.nodes.get(_knob_name(layer))
        if knob is not None:
            knob.inputs[1].default_value = layer.opacity if layer.visible else 0.0


def _knob_name(layer: Any) -> str:
    return f"opacity {layer.uid}"


class _Draft:
    """Makes nodes in a group. `rows`: the layers and their factors, lowest first."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self._images: dict[tuple[str, str], Any] = {}
        self._places: dict[str, Any] = {}
        self.rows: list[tuple[Any, Any]] = []

    def factor(self, layer: Any, row: int) -> Any:
        """Alpha × opacity × mask of a layer: an output socket."""
        knob = self._multiply(2, row)
        knob.name, knob.label = _knob_name(layer), f"{layer.name}: opacity"
        image = self._image(layer.look.image, layer.uv_map, 0, row)
        self.link(image.outputs["Alpha"], knob.inputs[0])
        if layer.mask is None:
            return knob.outputs[0]
        masked = self._multiply(3, row)
        mask = self._image(layer.mask, layer.uv_map, 1, row)
        self.link(knob.outputs[0], masked.inputs[0])
        self.link(mask.outputs["Color"], masked.inputs[1])
        return masked.outputs[0]

    def over(self, below: Any, image: str, kind: str, word: str, column: int) -> Any:
        """What is below, with each layer's `image` mixed over it."""
        for row, (layer, factor) in enumerate(self.rows):
            above = getattr(layer.look, image)
            if above is not None:
                texture = self._image(above, layer.uv_map, column - 4, row)
                mixed = self._mix(kind, column, row)
                self.link(factor, mixed["Factor_Float"])
                self.link(below, mixed[f"A_{word}"])
                self.link(texture.outputs["Color"], mixed[f"B_{word}"])
                below = mixed[f"Result_{word}"]
        return below

    def normals(self) -> Any:
        """The layers' tangent-space normal maps, mixed, as one Normal Map node's output."""
        flat = self._node("ShaderNodeRGB", 4, len(self.rows) + 1)
        flat.outputs[0].default_value = _FLAT_NORMAL
        colour = self.over(flat.outputs[0], NORMAL.image, "RGBA", "Color", 5)
        bend = self._node("ShaderNodeNormalMap", 5, len(self.rows) + 1)
        bend.uv_map = next((x.uv_map for x, _ in self.rows if x.look.normal is not None), "")
        self.link(colour, bend.inputs["Color"])
        return bend.outputs["Normal"]

    def tinted(self, below: Any, mask: Any) -> Any:
        """What is below, red where the mask is."""
        row = len(self.rows)
        half = self._multiply(3, row)
        half.inputs[1].default_value = _MASK_STRENGTH
        self.link(self._image(mask, "", 1, row).outputs["Color"], half.inputs[0])
        mixed = self._mix("RGBA", 4, row)
        mixed["B_Color"].default_value = _MASK_RED
        self.link(half.outputs[0], mixed["Factor_Float"])
        self.link(below, mixed["A_Color"])
        return mixed["Result_Color"]

    def link(self, source: Any, target: Any) -> None:
        self._group.links.new(source, target)

    def _mix(self, kind: str, column: int, row: int) -> dict[str, Any]:
        """A Mix node's sockets by identifier: its names repeat for each kind of data."""
        mix = self._node("ShaderNodeMix", column, row)
        mix.data_type = kind
        return {socket.identifier: socket for socket in (*mix.inputs, *mix.outputs)}

    def _image(self, image: Any, uv_map: str, column: int, row: int) -> Any:
        key = (image.name_full, uv_map)
        if key not in self._images:
            node = self._node("ShaderNodeTexImage", column, row)
            node.image = image
            if uv_map:
                self.link(self._place(uv_map), node.inputs["Vector"])
            self._images[key] = node
        return self._images[key]

    def _place(self, uv_map: str) -> Any:
        if uv_map not in self._places:
            node = self._node("ShaderNodeUVMap", -1, len(self._places) + 1)
            node.uv_map = uv_map
            self._places[uv_map] = node.outputs["UV"]
        return self._places[uv_map]

    def _multiply(self, column: int, row: int) -> Any:
        node = self._node("ShaderNodeMath", column, row)
        node.operation = "MULTIPLY"
        return node

    def _node(self, kind: str, column: int, row: int) -> Any:
        node = self._group.nodes.new(kind)
        node.location = (column * _STEP_X, -row * _STEP_Y)
        return node
