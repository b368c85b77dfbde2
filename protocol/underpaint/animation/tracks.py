"""What a frame must know to be followed: where on which surface each of its pixels lies, and where
those surfaces' vertices are.

A spot of a surface is three vertices of an instance and their weights. It is the same spot in
every frame in which the mesh has the same faces, so its place there is a sum of three products.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..cameras import Camera

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
_FACTS = "facts"


@dataclass(frozen=True, slots=True)
class Shape:
    """One evaluated mesh in its own space. `vertices` (V, 3) metres; `topology`: equal when two
    meshes have the same faces; `digest`: of both."""

    vertices: Float32
    topology: str
    digest: str


@dataclass(frozen=True, slots=True)
class Placing:
    """An instance of a shape. `key`: the same in every frame; `to_world` (4, 4)."""

    key: str
    shape: Shape
    to_world: Float64


@dataclass(frozen=True, slots=True)
class Track:
    """One frame. `depth` (h, w) metres along the view axis, inf = background; `item` (h, w) index
    into `placings`, -1 = background; `vertices` (h, w, 3) of the item's shape and their `weights`
    (h, w, 3), which add up to 1."""

    camera: Camera
    depth: Float32
    item: Int32
    vertices: Int32
    weights: Float32
    placings: tuple[Placing, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.depth.shape
        return height, width


def shape_of(vertices: Float32, faces: Int32) -> Shape:
    """`faces`: the vertices of every face, one after another."""
    topology = _digest(np.int64(len(vertices)), faces)
    return Shape(vertices, topology, _digest(topology, vertices))


def save_track(path: Path, track: Track, known: set[str]) -> None:
    """Write a track, less the shapes whose digests are `known`: those of the file before. It then
    holds those of this one."""
    shapes = {placing.shape.digest: placing.shape for placing in track.placings}
    new = {digest: shape for digest, shape in shapes.items() if digest not in known}
    known.clear()
    known.update(shapes)
    facts = {
        "camera": asdict(track.camera),
        "placings": [
            [item.key, item.shape.digest, item.shape.topology, item.to_world.tolist()]
            for item in track.placings
        ],
    }
    with path.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            depth=track.depth,
            item=track.item,
            vertices=track.vertices,
            weights=track.weights,
            **{_FACTS: np.frombuffer(json.dumps(facts).encode(), np.uint8)},
            **{digest: shape.vertices for digest, shape in new.items()},
        )


def load_track(path: Path, known: dict[str, Shape]) -> Track:
    """The track of a file that `save_track` wrote. `known`: the shapes of the file before; it then
    holds those of this one."""
    with np.load(path, allow_pickle=False) as stored:
        facts: dict[str, Any] = json.loads(stored[_FACTS].tobytes())
        shapes = {digest: topology for _key, digest, topology, _matrix in facts["placings"]}
        for digest, topology in shapes.items():
            if digest not in known:
                known[digest] = Shape(stored[digest], topology, digest)
        for digest in known.keys() - shapes.keys():
            del known[digest]
        camera = facts["camera"]
        matrices = {name: tuple(camera[name]) for name in ("world_to_camera", "projection")}
        return Track(
            Camera(**(camera | matrices)),
            stored["depth"],
            stored["item"],
            stored["vertices"],
            stored["weights"],
            tuple(_placing(row, known) for row in facts["placings"]),
        )


def _placing(row: list[Any], known: dict[str, Shape]) -> Placing:
    key, digest, _topology, matrix = row
    return Placing(key, known[digest], np.array(matrix, np.float64))


def _digest(*parts: Any) -> str:
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        total.update(part.encode() if isinstance(part, str) else np.ascontiguousarray(part).data)
    return total.hexdigest()
