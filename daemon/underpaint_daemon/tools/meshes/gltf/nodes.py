"""Where a glTF file's nodes stand in the world, and how its skins are posed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .file import Gltf, Json, accessor, item, items

Array = npt.NDArray[Any]
_DEEPEST = 500
_INSTANCING = "EXT_mesh_gpu_instancing"
_PARTS = {"TRANSLATION": (3, 0.0), "ROTATION": (4, 0.0), "SCALE": (3, 1.0)}
"""Numbers an instance, and what they are where none are given (a rotation's w is 1)."""


@dataclass(slots=True)
class Shown:
    """One node with a mesh, or one of its instances: the number of the node among those that are
    shown, from 1, its name, its place in the world (4, 4), or, where it is skinned, the places of
    its joints (J, 4, 4)."""

    number: int
    name: str
    node: Json
    world: Array


def shown_nodes(gltf: Gltf) -> Iterator[Shown]:
    """The nodes of the default scene that have meshes, in order. Raises ValueError."""
    doc = gltf.doc
    worlds = _worlds(doc)
    shown = 0
    for number, world in worlds.items():
        node = item(doc, "nodes", number)
        if node.get("mesh") is None:
            continue
        mesh = item(doc, "meshes", node["mesh"])
        name = str(node.get("name") or mesh.get("name") or f"node {number}")
        shown += 1
        places = _instances(gltf, node) if node.get("skin") is None else None
        if places is None:
            yield Shown(shown, name, node, _posed(gltf, node, world, worlds))
        else:
            yield from (Shown(shown, name, node, world @ place) for place in places)


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
    parts = (("translation", [0, 0, 0]), ("rotation", [0, 0, 0, 1]), ("scale", [1, 1, 1]))
    rows = (_floats(node.get(name, plain), len(plain))[None] for name, plain in parts)
    return np.asarray(_placed(*rows)[0])


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


def _instances(gltf: Gltf, node: Json) -> Array | None:
    """The places (N, 4, 4) of a node's instances, from the node's own; None where it has none.
    Raises ValueError."""
    found = node.get("extensions", {}).get(_INSTANCING)
    if found is None:
        return None
    given = found.get("attributes", {})
    tables = {name: accessor(gltf, given[name]) for name in _PARTS if name in given}
    counts = {len(table) for table in tables.values()}
    wrong = [name for name, table in tables.items() if table.shape[1] != _PARTS[name][0]]
    if len(counts) != 1 or wrong:
        raise ValueError(f"the attributes of an {_INSTANCING} are not well-formed")
    count = counts.pop()
    for name, (width, value) in _PARTS.items():
        tables.setdefault(name, np.full((count, width), value))
    if "ROTATION" not in given:
        tables["ROTATION"][:, 3] = 1
    return _placed(*(tables[name].astype(np.float64) for name in _PARTS))


def _placed(translation: Array, rotation: Array, scale: Array) -> Array:
    """The matrices (N, 4, 4) of translations (N, 3), quaternions x, y, z, w and scales (N, 3)."""
    x, y, z, w = rotation.T
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    place = np.tile(np.eye(4), (len(translation), 1, 1))
    place[:, :3, :3] = turn * scale[:, None]
    place[:, :3, 3] = translation
    return place
