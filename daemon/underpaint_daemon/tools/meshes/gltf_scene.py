"""What a glTF file shows: the triangles of its scene, placed, posed and named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint_daemon.common.corners import require_count

from .gltf_file import Gltf, Json, accessor, item, items, require_plain
from .gltf_nodes import Shown, shown_nodes
from .gltf_parts import TEXTURE_TRANSFORM, require_materials, widened_by
from .polygons import Polygons

Array = npt.NDArray[Any]
_TRIANGLES, _STRIP, _FAN = 4, 5, 6


@dataclass(frozen=True, slots=True)
class Piece:
    """A primitive as a node shows it. start, count: its triangles in the scene's `Polygons`. first:
    of those that show the same primitive, the one to paint. texcoord: the UV set that is painted,
    None = it has none. mirrored: its triangles' corners are in the order 0, 2, 1. size: how much
    its node enlarges a volume. widened: the transform that whole numbers are made UVs by."""

    mesh: int
    primitive: int
    start: int
    count: int
    first: bool
    texcoord: int | None
    mirrored: bool
    size: float
    widened: Json | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """polygons: all triangles, Y up, every triangle with corners of its own primitive; the
    material numbers count surfaces: materials, or primitives that have none. pieces: in order."""

    polygons: Polygons
    pieces: tuple[Piece, ...]


def read_scene(gltf: Gltf) -> Scene:
    """The triangles of the default scene. Raises ValueError on what is not well-formed."""
    require_materials(gltf.doc)
    build = _Builder(gltf)
    for shown in shown_nodes(gltf):
        build.add(shown)
    scenes = len(items(gltf.doc, "scenes"))
    return build.finish(f"Of its {scenes} scenes the default one is painted." if scenes > 1 else "")


@dataclass(slots=True)
class _Tables:
    """A primitive's numbers: position (V, 3) and normal as placed, uv (V, 2) V up or None, rows
    (3L,) of its triangles. volume: what becomes of one of 1 m³, negative where it is mirrored."""

    position: Array
    normal: Array | None
    uv: Array | None
    rows: Array
    volume: float


class _Builder:
    def __init__(self, gltf: Gltf) -> None:
        self._gltf = gltf
        self._surfaces: dict[object, int] = {}
        self._names: dict[int, str] = {}
        self._materials: dict[int, str] = {}
        self._pieces: list[Piece] = []
        self._tables: list[_Tables] = []
        self._parts: list[tuple[int, int]] = []
        self._count = 0
        self._others = 0
        self._told: list[str] = []

    def add(self, shown: Shown) -> None:
        """One node's mesh."""
        mesh = shown.node["mesh"]
        self._names[shown.number] = shown.name
        primitives = items(item(self._gltf.doc, "meshes", mesh), "primitives")
        for which, primitive in enumerate(primitives):
            if primitive.get("mode", _TRIANGLES) not in (_TRIANGLES, _STRIP, _FAN):
                self._others += 1
                continue
            self._place(mesh, which, shown)

    def _place(self, mesh: int, which: int, shown: Shown) -> None:
        primitive = item(self._gltf.doc, "meshes", mesh)["primitives"][which]
        texcoord = self._texcoord(primitive)
        if "KHR_draco_mesh_compression" in primitive.get("extensions", {}):
            require_plain(self._gltf, primitive)
        widened = None if texcoord is None else widened_by(self._gltf.doc, primitive, texcoord)
        tables = _tables(self._gltf, primitive, texcoord, shown, widened)
        count = len(tables.rows) // 3
        if count == 0:
            return
        key = primitive.get("material", (mesh, which))
        surface = self._surfaces.setdefault(key, len(self._surfaces) + 1)
        if isinstance(key, int):
            material = item(self._gltf.doc, "materials", key)
            self._materials[surface] = str(material.get("name", f"material {key}"))
        mirrored, size = tables.volume < 0, abs(tables.volume)
        start = self._count
        self._pieces.append(
            Piece(mesh, which, start, count, False, texcoord, mirrored, size, widened)
        )
        self._count += count
        require_count(self._count)
        self._tables.append(tables)
        self._parts.append((shown.number, surface))
        if "COLOR_0" in primitive.get("attributes", {}) and not self._told:
            self._told.append("The mesh has vertex colours; viewers tint the paint with them.")

    def _texcoord(self, primitive: Json) -> int | None:
        """The UV set that the base colour uses, or the first there is."""
        attributes = primitive.get("attributes", {})
        wanted = 0
        if primitive.get("material") is not None:
            material = item(self._gltf.doc, "materials", primitive["material"])
            info = material.get("pbrMetallicRoughness", {}).get("baseColorTexture", {})
            transform = info.get("extensions", {}).get(TEXTURE_TRANSFORM, {})
            wanted = transform.get("texCoord", info.get("texCoord", 0))
        return next((n for n in (wanted, 0) if f"TEXCOORD_{n}" in attributes), None)

    def finish(self, remark: str = "") -> Scene:
        corner, sizes = _corners(self._tables)
        if self._others:
            self._told.append(f"{self._others} sets of points or lines are not painted.")
        if remark:
            self._told.append(remark)
        tables, pieces = self._tables, _with_first(self._pieces)
        uvs = [t.uv for t in tables if t.uv is not None]
        normals = [t.normal for t in tables if t.normal is not None]
        counts = [len(t.rows) // 3 for t in tables]
        polygons = Polygons(
            _joined([t.position for t in tables], 3),
            _joined(uvs, 2),
            _joined(normals, 3),
            corner,
            sizes,
            np.repeat(np.array(self._parts, np.int32).reshape(-1, 2), counts, axis=0),
            self._names,
            self._materials,
            tuple(self._told),
            "y",
            _twins(pieces),
        )
        return Scene(polygons, pieces)


def _with_first(pieces: list[Piece]) -> tuple[Piece, ...]:
    """The pieces, with one chosen of those that show the same primitive: the first; of one that is
    to be unwrapped the largest, since a node may have shrunk the first to nothing."""
    chosen: dict[tuple[int, int], int] = {}
    for number, piece in enumerate(pieces):
        best = chosen.setdefault((piece.mesh, piece.primitive), number)
        if piece.texcoord is None and piece.size > pieces[best].size:
            chosen[piece.mesh, piece.primitive] = number
    first = set(chosen.values())
    return tuple(replace(piece, first=number in first) for number, piece in enumerate(pieces))


def _twins(pieces: tuple[Piece, ...]) -> Array | None:
    """`Polygons.twin`: of a primitive without UVs one copy is unwrapped, and the others wear its
    paint."""
    found = {(p.mesh, p.primitive): p for p in pieces if p.first and p.texcoord is None}
    if all(piece.first or piece.texcoord is not None for piece in pieces):
        return None
    parts = []
    for piece in pieces:
        one = found.get((piece.mesh, piece.primitive), piece)
        corner = np.arange(3 * one.count).reshape(-1, 3) + 3 * one.start
        parts.append(corner if one.mirrored == piece.mirrored else corner[:, [0, 2, 1]])
    return np.concatenate(parts).reshape(-1)


def _joined(parts: list[Array], width: int) -> Array:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros((0, width), np.float32)


def _corners(tables: list[_Tables]) -> tuple[Array, Array]:
    corner = np.full((sum(len(table.rows) for table in tables), 3), -1, np.int32)
    at, starts = 0, [0, 0, 0]
    for table in tables:
        end = at + len(table.rows)
        kinds: tuple[Array | None, ...] = (table.position, table.uv, table.normal)
        for column, numbers in enumerate(kinds):
            if numbers is not None:
                np.add(table.rows, starts[column], out=corner[at:end, column])
                starts[column] += len(numbers)
        at = end
    return corner, np.full(len(corner) // 3, 3, np.int32)


def _tables(
    gltf: Gltf, primitive: Json, texcoord: int | None, shown: Shown, widened: Json | None
) -> _Tables:
    attributes = primitive.get("attributes", {})
    position = _attribute(gltf, attributes, "POSITION", 3)
    if position is None:
        return _Tables(np.zeros((0, 3)), None, None, np.zeros(0, np.int32), 0.0)
    normal = _attribute(gltf, attributes, "NORMAL", 3)
    position, normal = _morphed(gltf, primitive, shown.node, position, normal)
    place = _placing(gltf, attributes, shown, len(position))
    rows = triangle_rows(gltf, primitive, len(position))
    volume = float(np.linalg.det(place[0, :3, :3]))
    if volume < 0:
        rows = rows.reshape(-1, 3)[:, [0, 2, 1]].reshape(-1)
    uv = _attribute(gltf, attributes, f"TEXCOORD_{texcoord}", 2) if texcoord is not None else None
    if uv is not None and widened is not None:
        scale, offset = widened.get("scale", [1, 1]), widened.get("offset", [0, 0])
        uv = uv * np.array(scale, np.float32) + np.array(offset, np.float32)
    if uv is not None:
        uv = np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.einsum("nij,nj->ni", place[:, :3, :3], position.astype(np.float64))
        points = (moved + place[:, :3, 3]).astype(np.float32)
        turned = None if normal is None else _turned(place, normal)
    lengths = {len(table) for table in (points, turned, uv) if table is not None}
    if len(lengths) > 1:
        raise ValueError("a primitive's attributes differ in length")
    return _Tables(points, turned, uv, rows, volume)


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
        if len(given) and not given.max() < vertices:
            raise ValueError(f"a triangle names vertex {given.max()} of {vertices}")
        rows = given.astype(np.int32)
    mode = primitive.get("mode", _TRIANGLES)
    if mode == _TRIANGLES:
        return rows[: len(rows) // 3 * 3]
    if len(rows) < 3:
        return rows[:0]
    step = np.arange(len(rows) - 2)
    if mode == _FAN:
        return rows[np.stack([step + 1, step + 2, np.zeros_like(step)], axis=1)].reshape(-1)
    odd = step % 2
    return rows[np.stack([step, step + 1 + odd, step + 2 - odd], axis=1)].reshape(-1)
