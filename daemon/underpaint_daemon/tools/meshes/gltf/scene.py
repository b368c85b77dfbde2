"""What a glTF file shows: the triangles of its scene, placed, posed and named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.meshes.corners import require_count

from ..origin import near_origin
from ..polygons import Polygons, alike, none_of
from .cutouts import told_of_alpha
from .file import Gltf, Json, item, items, require_plain
from .nodes import Shown, shown_nodes
from .parts import TEXTURE_TRANSFORM, require_materials, widened_by
from .primitives import FAN, STRIP, TRIANGLES, Stored, Tables, stored, tables_of

Array = npt.NDArray[Any]
_LEVELS = (
    "Lower levels of detail (MSFT_lod) wear the paint where they share a material and its UV map; "
    "others keep their look."
)
_TINTED = "The mesh has vertex colours; viewers tint the paint with them."


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
    meshes = len(items(gltf.doc, "meshes"))
    if build.empty and meshes:
        raise RequestError(
            ErrorCode.BAD_MESH,
            f"its scene shows none of its {meshes} meshes as faces",
            hint="Save it again with its objects visible; points and lines are not painted.",
        )
    scenes = len(items(gltf.doc, "scenes"))
    return build.finish(f"Of its {scenes} scenes the default one is painted." if scenes > 1 else "")


class _Builder:
    def __init__(self, gltf: Gltf) -> None:
        self._gltf = gltf
        self._surfaces: dict[object, int] = {}
        self._names: dict[int, str] = {}
        self._materials: dict[int, str] = {}
        self._pieces: list[Piece] = []
        self._tables: list[Tables] = []
        self._parts: list[tuple[int, int]] = []
        self._count = 0
        self._others = 0
        self._told: list[str] = []
        self._last: int | None = None
        self._shared: dict[tuple[int, int], Stored] = {}

    @property
    def empty(self) -> bool:
        return self._count == 0

    def add(self, shown: Shown) -> None:
        """One node's mesh."""
        mesh = shown.node["mesh"]
        if mesh != self._last:
            self._shared.clear()
        self._names[shown.number] = shown.name
        if "MSFT_lod" in shown.node.get("extensions", {}) and _LEVELS not in self._told:
            self._told.append(_LEVELS)
        primitives = items(item(self._gltf.doc, "meshes", mesh), "primitives")
        for which, primitive in enumerate(primitives):
            if primitive.get("mode", TRIANGLES) not in (TRIANGLES, STRIP, FAN):
                self._others += 1
                continue
            self._place(mesh, which, shown)
        self._last = mesh

    def _place(self, mesh: int, which: int, shown: Shown) -> None:
        primitive = item(self._gltf.doc, "meshes", mesh)["primitives"][which]
        texcoord = self._texcoord(primitive)
        if "KHR_draco_mesh_compression" in primitive.get("extensions", {}):
            require_plain(self._gltf, primitive)
        widened = None if texcoord is None else widened_by(self._gltf.doc, primitive, texcoord)
        plain = self._shared.get((mesh, which))
        if plain is None:
            plain = stored(self._gltf, primitive, texcoord, widened)
        if mesh == self._last:  # the next, too, may show it again
            self._shared[mesh, which] = plain
        tables = tables_of(self._gltf, primitive, plain, shown)
        count = len(tables.rows) // 3
        if count == 0:
            return
        key = primitive.get("material", (mesh, which))
        surface = self._surfaces.setdefault(key, len(self._surfaces) + 1)
        if isinstance(key, int):
            material = item(self._gltf.doc, "materials", key)
            self._materials[surface] = str(material.get("name", f"material {key}"))
            if (said := told_of_alpha(self._gltf, material)) is not None and said not in self._told:
                self._told.append(said)
        mirrored, size = tables.volume < 0, abs(tables.volume)
        start = self._count
        self._pieces.append(
            Piece(mesh, which, start, count, False, texcoord, mirrored, size, widened)
        )
        self._count += count
        require_count(self._count)
        self._tables.append(tables)
        self._parts.append((shown.number, surface))
        if "COLOR_0" in primitive.get("attributes", {}) and _TINTED not in self._told:
            self._told.append(_TINTED)

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
        corner = _corners(self._tables)
        if self._others:
            self._told.append(f"{self._others} sets of points or lines are not painted.")
        if remark:
            self._told.append(remark)
        tables, pieces = self._tables, _with_first(self._pieces)
        uvs = [t.uv for t in tables if t.uv is not None]
        normals = [t.normal for t in tables if t.normal is not None]
        counts = [len(t.rows) // 3 for t in tables]
        position, origin = near_origin(_joined([t.position for t in tables], 3))
        polygons = Polygons(
            position,
            _joined(uvs, 2),
            _joined(normals, 3),
            corner,
            np.broadcast_to(np.int32(3), (sum(counts),)),
            _parts(self._parts, counts),
            self._names,
            self._materials,
            tuple(self._told),
            "y",
            _twins(pieces),
            origin,
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


def _parts(parts: list[tuple[int, int]], counts: list[int]) -> Array:
    """(L, 2) int32: the object and the material of each triangle."""
    rows = alike(np.array(parts, np.int32).reshape(-1, 2))
    if len(parts) and not rows.strides[0]:
        return np.broadcast_to(rows[0], (sum(counts), 2))
    return np.repeat(rows, counts, axis=0)


def _corners(tables: list[Tables]) -> tuple[Array, Array, Array]:
    """`Polygons.corner`. Tables that every primitive has are as long as its positions: they share
    the numbers of these."""
    count = sum(len(table.rows) for table in tables)
    rows = _column([(table.rows, len(table.position)) for table in tables])
    columns = [rows]
    for numbers in ([table.uv for table in tables], [table.normal for table in tables]):
        if all(one is not None for one in numbers):
            columns.append(rows)
        elif all(one is None for one in numbers):
            columns.append(none_of(count))
        else:
            columns.append(
                _column(
                    [
                        (none_of(len(t.rows)), 0) if one is None else (t.rows, len(one))
                        for t, one in zip(tables, numbers, strict=True)
                    ]
                )
            )
    return columns[0], columns[1], columns[2]


def _column(parts: list[tuple[Array, int]]) -> Array:
    """Rows of tables, one behind another, each of a length; one table's as they are."""
    if len(parts) == 1:
        return parts[0][0]
    found = np.empty(sum(len(rows) for rows, _ in parts), np.int32)
    at, start = 0, 0
    for rows, length in parts:
        np.add(rows, start if length else 0, out=found[at : at + len(rows)])
        at, start = at + len(rows), start + length
    return found
