"""A primitive's triangles and numbers, as a node places, poses and morphs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..origin import narrowed
from .file import Gltf, Json, accessor, item
from .nodes import Shown

Array = npt.NDArray[Any]
TRIANGLES, STRIP, FAN = 4, 5, 6


@dataclass(slots=True)
class Tables:
    """A primitive's numbers: position (V, 3) and normal as placed (see `narrowed`), uv (V, 2) V up
    or None, rows (3L,) of its triangles. volume: what becomes of one of 1 m³, negative where it is
    mirrored."""

    position: Array
    normal: Array | None
    uv: Array | None
    rows: Array
    volume: float


@dataclass(frozen=True, slots=True)
class Stored:
    """A primitive's numbers as the file has them, the same for all nodes: see `Tables`."""

    position: Array
    normal: Array | None
    uv: Array | None
    rows: Array


def stored(gltf: Gltf, primitive: Json, texcoord: int | None, widened: Json | None) -> Stored:
    """A primitive's numbers. texcoord: its UV set to read. Raises ValueError, and KeyError, on what
    is not well-formed."""
    attributes = primitive.get("attributes", {})
    position = _attribute(gltf, attributes, "POSITION", 3)
    if position is None:
        return Stored(np.zeros((0, 3), np.float32), None, None, np.zeros(0, np.int32))
    normal = _attribute(gltf, attributes, "NORMAL", 3)
    rows = triangle_rows(gltf, primitive, len(position))
    uv = _attribute(gltf, attributes, f"TEXCOORD_{texcoord}", 2) if texcoord is not None else None
    if uv is not None and widened is not None:
        scale, offset = widened.get("scale", [1, 1]), widened.get("offset", [0, 0])
        uv = uv * np.array(scale, np.float32) + np.array(offset, np.float32)
    if uv is not None:
        uv = np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1)
    if {len(table) for table in (normal, uv) if table is not None} - {len(position)}:
        raise ValueError("a primitive's attributes differ in length")
    return Stored(position, normal, uv, rows)


def tables_of(gltf: Gltf, primitive: Json, plain: Stored, shown: Shown) -> Tables:
    """A primitive as a node shows it. Raises ValueError, and KeyError, on what is not
    well-formed."""
    position, normal = _morphed(gltf, primitive, shown.node, plain.position, plain.normal)
    if len(plain.rows) == 0:
        return Tables(position, normal, plain.uv, plain.rows, 0.0)
    place = _placing(gltf, primitive.get("attributes", {}), shown, len(position))
    rows, volume = plain.rows, float(np.linalg.det(place[0, :3, :3]))
    if volume < 0:
        rows = rows.reshape(-1, 3)[:, [0, 2, 1]].reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.einsum("nij,nj->ni", place[:, :3, :3], position.astype(np.float64))
        points = narrowed(moved + place[:, :3, 3])
        turned = None if normal is None else _turned(place, normal)
    return Tables(points, turned, plain.uv, rows, volume)


def _turned(place: Array, normal: Array) -> Array:
    cofactor = np.linalg.det(place[:, :3, :3])[:, None, None] * np.linalg.pinv(
        place[:, :3, :3]
    ).transpose(0, 2, 1)
    sign = np.where(np.linalg.det(place[:, :3, :3]) < 0, -1.0, 1.0)[:, None]
    return np.asarray(np.einsum("nij,nj->ni", cofactor, normal) * sign, dtype=np.float32)


def _attribute(gltf: Gltf, attributes: Json, name: str, width: int) -> Array | None:
    if name not in attributes:
        return None
    found = accessor(gltf, attributes[name]).astype(np.float32)
    if found.shape[1] != width:
        raise ValueError(f"{name} has {found.shape[1]} numbers a vertex")
    return found


def _morphed(
    gltf: Gltf, primitive: Json, node: Json, position: Array, normal: Array | None
) -> tuple[Array, Array | None]:
    """With the shape keys as they stand."""
    mesh = item(gltf.doc, "meshes", node["mesh"])
    weights = node.get("weights") or mesh.get("weights") or []
    for target, weight in zip(primitive.get("targets", []), weights, strict=False):
        if not weight:
            continue
        for name, table in (("POSITION", position), ("NORMAL", normal)):
            moved = _attribute(gltf, target, name, 3)
            if moved is None or table is None:
                continue
            if len(moved) != len(table):
                raise ValueError("a shape key has another number of vertices")
            if name == "POSITION":
                position = table + np.float32(weight) * moved
            else:
                normal = table + np.float32(weight) * moved
    return position, normal


def _placing(gltf: Gltf, attributes: Json, shown: Shown, count: int) -> Array:
    """The matrix (1 or V, 4, 4) of each vertex."""
    if shown.world.ndim == 2:
        return shown.world[None]
    place = np.zeros((count, 4, 4))
    total = np.zeros(count)
    for name, weight in (("JOINTS_0", "WEIGHTS_0"), ("JOINTS_1", "WEIGHTS_1")):
        if name not in attributes or weight not in attributes:
            continue
        joints = accessor(gltf, attributes[name]).astype(np.int64)
        share = accessor(gltf, attributes[weight]).astype(np.float64)
        if joints.shape != (count, 4) or share.shape != (count, 4):
            raise ValueError("a skinned primitive's joints are not well-formed")
        if joints.size and joints.max() >= len(shown.world):
            raise ValueError("a vertex names a joint that is not there")
        for k in range(4):
            place += share[:, k, None, None] * shown.world[joints[:, k]]
        total += share.sum(axis=1)
    return np.where(total[:, None, None] > 0, place, np.eye(4))


def triangle_rows(gltf: Gltf, primitive: Json, vertices: int) -> Array:
    """Rows (3L,) int32 of a primitive's triangles."""
    if primitive.get("indices") is None:
        rows = np.arange(vertices, dtype=np.int32)
    else:
        given = accessor(gltf, primitive["indices"])[:, 0]
        if given.dtype.kind != "u":
            raise ValueError("its triangles name vertices by numbers that are not counts")
        if len(given) and not given.max() < vertices:
            raise ValueError(f"a triangle names vertex {given.max()} of {vertices}")
        rows = given.astype(np.int32)
    mode = primitive.get("mode", TRIANGLES)
    if mode == TRIANGLES:
        return rows[: len(rows) // 3 * 3]
    if len(rows) < 3:
        return rows[:0]
    step = np.arange(len(rows) - 2)
    if mode == FAN:
        return rows[np.stack([step + 1, step + 2, np.zeros_like(step)], axis=1)].reshape(-1)
    odd = step % 2
    return rows[np.stack([step, step + 1 + odd, step + 2 - odd], axis=1)].reshape(-1)
