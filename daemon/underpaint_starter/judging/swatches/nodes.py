"""A small language over Blender's shader nodes: each call adds a node and gives its socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import bpy

Value = Any  # a socket, a number or a tuple
RGB = tuple[float, float, float]


@dataclass(slots=True)
class Tree:
    """A material's nodes. `repeats`: patterns along the object's longest side; `base`, `second`:
    linear colours; `rng` draws what else varies between two pictures of one material."""

    material: Any
    rng: Random
    base: RGB
    second: RGB
    repeats: float
    _offset: RGB = field(init=False)

    def __post_init__(self) -> None:
        self.material.node_tree.nodes.clear()
        self._offset = (self.rng.uniform(0, 9), self.rng.uniform(0, 9), self.rng.uniform(0, 9))

    def node(self, kind: str, inputs: dict[Any, Value] | None = None, **settings: Any) -> Any:
        """A node of the kind; inputs by name or index are linked or set."""
        node = self.material.node_tree.nodes.new(f"ShaderNode{kind}")
        for name, value in settings.items():
            setattr(node, name, value)
        for key, value in (inputs or {}).items():
            self._give(node.inputs[key], value)
        return node

    def _give(self, socket: Any, value: Value) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.material.node_tree.links.new(value, socket)
        elif isinstance(value, tuple) and len(socket.default_value) == 4:
            socket.default_value = (*value, 1.0)
        else:
            socket.default_value = value

    def solid(self, scale: float | RGB = 1.0, *, moved: bool = True) -> Any:
        """Object coordinates (the longest side is 1) times `scale`, moved at random."""
        place = self.node("TexCoord").outputs["Object"]
        factors = scale if isinstance(scale, tuple) else (scale,) * 3
        grown = self.vector("MULTIPLY", place, factors)
        return self.vector("ADD", grown, self._offset) if moved else grown

    def flat(self, scale: float = 1.0, *, turned: bool = False) -> Any:
        """The mesh's own UVs (1 along the longest side) times `scale`, moved at random."""
        place = self.node("TexCoord").outputs["UV"]
        if turned:
            place = self.node("VectorRotate", {"Vector": place, "Angle": 1.5708},
                              rotation_type="Z_AXIS").outputs[0]  # fmt: skip
        shift = (self._offset[0], self._offset[1], 0.0)
        return self.vector("ADD", self.vector("MULTIPLY", place, (scale,) * 3), shift)

    def vector(self, operation: str, a: Value, b: Value) -> Any:
        """Vector arithmetic."""
        return self.node("VectorMath", {0: a, 1: b}, operation=operation).outputs[0]

    def dot(self, a: Value, b: Value) -> Any:
        """Scalar product."""
        return self.node("VectorMath", {0: a, 1: b}, operation="DOT_PRODUCT").outputs["Value"]

    def math(self, operation: str, a: Value, b: Value = 0.5, c: Value = 0.5) -> Any:
        """Arithmetic."""
        return self.node("Math", {0: a, 1: b, 2: c}, operation=operation).outputs[0]

    def parts(self, place: Value) -> Any:
        """x, y and z of a vector."""
        return self.node("SeparateXYZ", {0: place}).outputs

    def noise(self, place: Value, scale: float, detail: float = 3.0, rough: float = 0.5) -> Any:
        """Noise about 0..1 with mean 1/2."""
        inputs = {"Vector": place, "Scale": scale, "Detail": detail, "Roughness": rough}
        return self.node("TexNoise", inputs).outputs[0]

    def cells(self, place: Value, scale: float, feature: str = "F1", loose: float = 1.0) -> Any:
        """Outputs of a Voronoi texture."""
        inputs = {"Vector": place, "Scale": scale, "Randomness": loose}
        return self.node("TexVoronoi", inputs, feature=feature).outputs

    def step(self, value: Value, low: float, high: float) -> Any:
        """0 below `low`, 1 above `high`, smooth between (the reverse when low > high)."""
        turned = low > high
        inputs = {0: value, 1: min(low, high), 2: max(low, high)}
        inputs |= {3: 1.0, 4: 0.0} if turned else {3: 0.0, 4: 1.0}
        return self.node("MapRange", inputs, interpolation_type="SMOOTHSTEP").outputs[0]

    def mix(self, share: Value, first: Value, second: Value) -> Any:
        """Two colours blended."""
        node = self.node("Mix", {0: share, 6: first, 7: second}, data_type="RGBA")
        return node.outputs[2]

    def blend(self, share: Value, first: Value, second: Value) -> Any:
        """Two numbers blended."""
        return self.node("Mix", {0: share, 2: first, 3: second}, data_type="FLOAT").outputs[0]

    def shaded(self, colour: Value, level: Value) -> Any:
        """A colour times a number."""
        node = self.node("Mix", {0: 1.0, 6: colour, 7: level}, data_type="RGBA",
                         blend_type="MULTIPLY")  # fmt: skip
        return node.outputs[2]

    def wobbled(self, place: Value, scale: float, amount: float) -> Any:
        """Coordinates pushed about by noise."""
        push = self.node("TexNoise", {"Vector": place, "Scale": scale}).outputs[1]
        push = self.vector("SUBTRACT", push, (0.5, 0.5, 0.5))
        return self.vector("ADD", place, self.vector("MULTIPLY", push, (amount,) * 3))

    def finish(self, colour: Value, rough: Value, height: Value = None, bump: float = 0.0,
               **more: Value) -> None:  # fmt: skip
        """The surface: a Principled BSDF with a bump of `height` (times `bump` object sizes)."""
        inputs: dict[Any, Value] = {"Base Color": colour, "Roughness": rough}
        inputs |= {name.replace("_", " "): value for name, value in more.items()}
        if height is not None:
            relief = {"Height": height, "Distance": bump, "Strength": 1.0}
            inputs["Normal"] = self.node("Bump", relief).outputs[0]
        shader = self.node("BsdfPrincipled", inputs)
        out = self.node("OutputMaterial")
        self.material.node_tree.links.new(shader.outputs[0], out.inputs["Surface"])
