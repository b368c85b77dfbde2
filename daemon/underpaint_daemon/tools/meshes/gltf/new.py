"""A painted mesh of another format as a .glb: the same corners, one vertex for each that the file
tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint_daemon.common.meshes.normals import smooth_normals

from ..polygons import Polygons
from ..turns import to_y_up
from ..wear import Wear, material_names
from .file import Json
from .paint import PaintedGltf
from .parts import Additions

Array = npt.NDArray[Any]


def new_glb(
    polygons: Polygons,
    worn: Wear,
    up: str,
    cuts: Mapping[str, Array] = MappingProxyType({}),
) -> PaintedGltf:
    """Polygons as glTF: an object each a node with a mesh, a material each a primitive. up: the
    polygons' own up axis. cuts: what the pictures of the artist's materials cut their faces out
    with, alpha (h, w) uint8 by their names."""
    added = Additions({"asset": {"version": "2.0", "generator": "Underpaint"}}, b"")
    names = material_names(polygons, worn)
    numbers = {}
    for key, name in names.items():
        cut = (
            None if _is_made(polygons, worn, key) else cuts.get(polygons.materials.get(key[0], ""))
        )
        made: Json = {**added.painted({}, worn.images[key[1]], 0, cut=cut), "name": name}
        if cut is not None:
            made["alphaMode"] = "MASK"
        numbers[key] = added.append("materials", made)
    corners = _Corners(polygons, worn, up)
    part = polygons.triangle_parts
    nodes = []
    origin = to_y_up(np.array([polygons.origin]), up)[0].tolist()
    place: Json = {"translation": origin} if any(origin) else {}
    for item in np.unique(part[:, 0]).tolist():
        primitives = []
        for (surface, tile), material in numbers.items():
            rows = (part[:, 0] == item) & (part[:, 1] == surface) & (worn.tile == tile)
            if rows.any():
                primitives.append({**corners.primitive(added, rows), "material": material})
        name = polygons.names.get(item, "mesh" if item == 1 else f"mesh {item}")
        mesh = added.append("meshes", {"name": name, "primitives": primitives})
        nodes.append(added.append("nodes", {"name": name, "mesh": mesh, **place}))
    added.append("scenes", {"nodes": nodes})
    added.doc["scene"] = 0
    return PaintedGltf(added, {number: tile for (_, tile), number in numbers.items()})


def _is_made(polygons: Polygons, worn: Wear, key: tuple[int, int]) -> bool:
    """Whether UVs of a surface on a tile were made: the artist's pictures do not lie on them."""
    there = (polygons.triangle_parts[:, 1] == key[0]) & (worn.tile == key[1])
    return bool(worn.made[there].any())


class _Corners:
    """The corners of all triangles: what is told apart, and its numbers."""

    def __init__(self, polygons: Polygons, worn: Wear, up: str) -> None:
        self._key = np.stack([polygons.rows(i) for i in range(3)], axis=1).astype(np.int64)
        positions = polygons.corner_positions
        self._position = to_y_up(positions, up)
        uv, made = polygons.corner_uvs, worn.made.repeat(3)
        if uv is None:
            uv = np.zeros((len(positions), 2), np.float32)
        uv[made] = worn.made_uv[made]
        self._uv = np.nan_to_num(uv)
        bits = np.ascontiguousarray(worn.made_uv[made]).view(np.uint64).reshape(-1)
        unique = np.unique(bits, return_inverse=True)[1].reshape(-1)
        self._key[made, 1] = len(polygons.uv) + unique
        given = polygons.corner_normals
        smooth = smooth_normals(self._position)
        self._normal = smooth if given is None else _mended(to_y_up(given, up), smooth)

    def primitive(self, added: Additions, triangles: Array) -> Json:
        """Some triangles (L,) bool as a primitive without its material."""
        rows = triangles.repeat(3)
        key = self._key[rows]
        pair = np.unique(key[:, 0] << 32 | (key[:, 1] + 1), return_inverse=True)[1].reshape(-1)
        whole = pair.astype(np.int64) << 32 | (key[:, 2] + 1)
        _, first, which = np.unique(whole, return_index=True, return_inverse=True)
        position = self._position[rows][first]
        uv = self._uv[rows][first]
        there = position[np.isfinite(position).all(axis=1)]  # JSON has no NaN
        bounds: Json = {} if len(there) == 0 else {
            "min": there.min(axis=0).tolist(),
            "max": there.max(axis=0).tolist(),
        }  # fmt: skip
        attributes = {
            "POSITION": added.accessor(position, bounds),
            "NORMAL": added.accessor(self._normal[rows][first]),
            "TEXCOORD_0": added.accessor(np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1)),
        }
        return {"attributes": attributes, "indices": added.indices(which.reshape(-1))}


def _mended(normal: Array, smooth: Array) -> Array:
    """Unit normals; smooth ones where there are none."""
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    good = np.isfinite(length) & (length > 1e-6)
    with np.errstate(invalid="ignore"):
        return np.where(good, normal / np.where(good, length, 1), smooth).astype(np.float32)
