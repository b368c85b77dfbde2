"""Where a glTF file's nodes stand in the world, and how its skins are posed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .gltf_file import Gltf, Json, accessor, item, items

Array = npt.NDArray[Any]
_DEEPEST = 500


@dataclass(slots=True)
class Shown:
    """One node with a mesh: its name, its place in the world (4, 4), or, where it is skinned, the
    places of its joints (J, 4, 4)."""

    name: str
    node: Json
    world: Array


def shown_nodes(gltf: Gltf) -> Iterator[Shown]:
    """The nodes of the default scene that have meshes, in order. Raises ValueError."""
    doc = gltf.doc
    worlds = _worlds(doc)
    for number, world in worlds.items():
        node = item(doc, "nodes", number)
        if node.get("mesh") is None:
            continue
        mesh = item(doc, "meshes", node["mesh"])
        name = str(node.get("name") or mesh.get("name") or f"node {number}")
        yield Shown(name, node, _posed(gltf, node, world, worlds))


def _roots(doc: Json) -> list[Any]:
    if items(doc, "scenes"):
        return list(item(doc, "scenes", doc.get("scene", 0)).get("nodes", []))
    children = {child for node in items(doc, "nodes") for child in node.get("children", [])}
    return [number for number in range(len(items(doc, "nodes"))) if number not in children]


def _worlds(doc: Json) -> dict[int, Array]:
    """The place (4, 4) float64 of each node that the scene shows, parents first."""
    found: dict[int, Array] = {}
    waiting = [(number, np.eye(4), 0) for number in reversed(_roots(doc))]
    while waiting:
        number, above, depth = waiting.pop()
        node = item(doc, "nodes", number)
        if number in found or depth > _DEEPEST:
            raise ValueError(f"its nodes[{number}] hangs in two places, or too deep")
        found[number] = above @ _local(node)
        waiting += [(c, found[number], depth + 1) for c in reversed(node.get("children", []))]
    return found


def _local(node: Json) -> Array:
    if "matrix" in node:
        return _floats(node["matrix"], 16).reshape(4, 4).T
    x, y, z, w = _floats(node.get("rotation", [0, 0, 0, 1]), 4)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    place = np.eye(4)
    place[:3, :3] = turn * _floats(node.get("scale", [1, 1, 1]), 3)
    place[:3, 3] = _floats(node.get("translation", [0, 0, 0]), 3)
    return place


def _floats(values: Any, count: int) -> Array:
    found = np.array(values, np.float64)
    if found.shape != (count,):
        raise ValueError(f"a node's transform has shape {found.shape}")
    return found


def _posed(gltf: Gltf, node: Json, world: Array, worlds: dict[int, Array]) -> Array:
    """The place of a node's mesh; of a skinned one the places (J, 4, 4) of its joints."""
    if node.get("skin") is None:
        return world
    skin = item(gltf.doc, "skins", node["skin"])
    joints = [worlds.get(j, np.eye(4)) for j in skin.get("joints", [])]
    if not joints:
        raise ValueError("a skin has no joints")
    inverse = np.eye(4)[None].repeat(len(joints), 0)
    if skin.get("inverseBindMatrices") is not None:
        given = accessor(gltf, skin["inverseBindMatrices"])
        if given.shape[1:] != (16,) or len(given) < len(joints):
            raise ValueError("a skin's matrices are not well-formed")
        inverse = given[: len(joints)].astype(np.float64).reshape(-1, 4, 4).transpose(0, 2, 1)
    return np.asarray(np.stack(joints) @ inverse)
