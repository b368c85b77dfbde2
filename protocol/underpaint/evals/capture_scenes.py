"""The scenes of `eval capture`: each as Blender is asked to build it and as it truly is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .analytic import Float64, Lens, Matrix, Shape, ShapeKind, Vector

_IDENTITY: Matrix = tuple(float(v) for v in np.eye(4).reshape(-1))


@dataclass(frozen=True, slots=True)
class TestScene:
    """`build` names the way Blender makes the shapes: objects (parents included), collection
    instances, modifiers, geometry nodes."""

    __test__ = False

    name: str
    build: str
    lens: Lens
    shapes: tuple[Shape, ...]


def scenes(seed: int) -> tuple[TestScene, ...]:
    """All scenes; the seed moves cameras and shapes about."""
    rng = np.random.default_rng(seed)

    def look(width: int, height: int, **settings: Any) -> Lens:
        turn, up = rng.uniform(-2.6, -0.6), rng.uniform(2.0, 3.5)
        eye = (7 * float(np.cos(turn)), 7 * float(np.sin(turn)), float(up))
        return Lens(eye, (0.0, 0.0, float(rng.uniform(0.4, 0.8))), width, height, **settings)

    def still(name: str, lens: Lens) -> TestScene:
        return TestScene(name, "objects", lens, (_ground(), *_still_life(rng)))

    return (
        still("perspective", look(256, 256)),
        still("lens_shift", look(400, 240, lens=28.0, shift=(0.22, -0.14))),
        still("portrait", look(200, 360, lens=40.0, shift=(-0.1, 0.15))),
        still(
            "vertical_fit",
            look(320, 200, sensor_fit="VERTICAL", sensor=(36.0, 30.0), pixel_aspect=(1.0, 1.5)),
        ),
        still("orthographic", look(300, 220, ortho_scale=5.5)),
        still("orthographic_shift", look(220, 300, ortho_scale=6.5, shift=(0.12, -0.08))),
        TestScene("scaled", "objects", look(256, 256, scale=2.5), _scaled(rng)),
        TestScene("instances", "instances", look(300, 256, shift=(0.05, 0.0)), _instances(rng)),
        TestScene("modifiers", "modifiers", look(300, 256, lens=32.0), _modifiers(rng)),
        TestScene("nodes", "nodes", look(256, 200, lens=35.0), _nodes(rng)),
    )


def place(
    at: Vector, scale: Vector = (1.0, 1.0, 1.0), turn: float = 0.0, tilt: float = 0.0
) -> Float64:
    """(4, 4): scale, then turn about X by `tilt`, about Z by `turn` (radians), then move."""
    c, s, ct, st = np.cos(turn), np.sin(turn), np.cos(tilt), np.sin(tilt)
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, ct, -st], [0, st, ct]])
    out = np.eye(4)
    out[:3, :3] = about_z @ about_x @ np.diag(scale)
    out[:3, 3] = at
    return out


def to_json(scene: TestScene) -> dict[str, Any]:
    """Plain data, for the script in Blender."""
    return dataclasses.asdict(scene)


def from_json(data: Mapping[str, Any]) -> TestScene:
    """The scene of `to_json`'s data."""
    lens: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in data["lens"].items()
    }
    shapes = tuple(
        Shape(ShapeKind(s["kind"]), s["object"], tuple(s["matrix"]), tuple(s["parent"]))
        for s in data["shapes"]
    )
    return TestScene(data["name"], data["build"], Lens(**lens), shapes)


def _shape(kind: ShapeKind, name: str, matrix: Float64, parent: Float64 | None = None) -> Shape:
    above = _IDENTITY if parent is None else _flat(parent)
    return Shape(kind, name, _flat(matrix), above)


def _flat(matrix: Float64) -> Matrix:
    return tuple(float(v) for v in matrix.reshape(-1))


def _ground() -> Shape:
    return _shape(ShapeKind.PLANE, "Ground", place((0.0, 0.0, 0.0), (3.0, 3.0, 1.0), 0.3))


def _still_life(rng: np.random.Generator) -> tuple[Shape, ...]:
    near = float(rng.uniform(-0.3, 0.3))
    turns = rng.uniform(-0.7, 0.7, 2)
    return (
        _shape(ShapeKind.SPHERE, "Ball", place((near, 0.0, 0.9), (0.9, 0.9, 0.9))),
        _shape(ShapeKind.BOX, "Box", place((-1.5, near, 0.5), (0.5, 0.4, 0.5), float(turns[0]))),
        _shape(
            ShapeKind.BOX,
            "Plank",
            place((1.4, -0.6, 0.5), (0.2, 0.6, 0.35), float(turns[1]), 0.4),
        ),
    )


def _scaled(rng: np.random.Generator) -> tuple[Shape, ...]:
    """Ellipsoids, mirrored boxes, and a child that its parent shears."""
    turn = float(rng.uniform(0.3, 0.9))
    parent = place((0.6, -0.4, 0.2), (1.6, 0.6, 0.9), turn)
    return (
        _ground(),
        _shape(ShapeKind.SPHERE, "Egg", place((-0.9, 0.0, 0.8), (0.5, 0.9, 0.8), turn, 0.5)),
        _shape(ShapeKind.BOX, "Mirrored", place((0.3, 1.2, 0.6), (-0.5, 0.4, 0.6), turn)),
        _shape(ShapeKind.BOX, "Sheared", place((0.4, 0.2, 0.6), (0.4, 0.5, 0.4), 0.7), parent),
    )


def _instances(rng: np.random.Generator) -> tuple[Shape, ...]:
    """One ball and one box, shown again and again; one of them mirrored."""
    turn = float(rng.uniform(-0.6, 0.6))
    return (
        _ground(),
        _shape(ShapeKind.SPHERE, "Ball", place((-1.2, 0.0, 0.6), (0.6, 0.6, 0.6))),
        _shape(ShapeKind.SPHERE, "Ball", place((0.2, -0.8, 0.4), (0.7, 0.3, 0.4), turn)),
        _shape(ShapeKind.BOX, "Box", place((1.3, 0.1, 0.5), (0.4, 0.5, 0.5), turn)),
        _shape(ShapeKind.BOX, "Box", place((0.1, 1.0, 0.6), (-0.3, 0.4, 0.6), 0.8)),
    )


def _modifiers(rng: np.random.Generator) -> tuple[Shape, ...]:
    """Array: three boxes in a row; Solidify: a slab; Mirror: two balls."""
    row = place((-1.0, 0.9, 0.35), (0.3, 0.3, 0.35), float(rng.uniform(-0.4, 0.1)))
    slab = place((0.6, 0.2, 0.7), (0.7, 0.5, 1.0), float(rng.uniform(0.0, 0.8)), 0.5)
    pair = place((0.0, -1.2, 0.4), (0.4, 0.4, 0.4), float(rng.uniform(-0.2, 0.2)))
    thick = place((0.0, 0.0, -0.1), (1.0, 1.0, 0.1))
    return (
        _ground(),
        *(_shape(ShapeKind.BOX, "Row", place((3.0 * i, 0.0, 0.0)), row) for i in range(3)),
        _shape(ShapeKind.BOX, "Slab", thick, slab),
        *(_shape(ShapeKind.SPHERE, "Pair", place((x, 0.0, 0.0)), pair) for x in (1.5, -1.5)),
    )


def _nodes(rng: np.random.Generator) -> tuple[Shape, ...]:
    """Geometry nodes: boxes instanced along a line, not realised."""
    line = place((-1.3, 0.2, 0.4), (0.4, 0.4, 0.4), float(rng.uniform(-0.4, 0.4)))
    boxes = (
        _shape(ShapeKind.BOX, "Nodes", place((3.0 * i, 0.5 * i, 0.4 * i)), line) for i in range(3)
    )
    return (_ground(), *boxes)
