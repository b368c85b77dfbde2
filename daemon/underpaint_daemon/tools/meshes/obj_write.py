"""Painted OBJ files. Of an OBJ file every line stays as it is, but those that name materials, and
the faces whose UVs were made; of any other mesh all numbers are written so that they read back to
the same bits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.files.saving import whole, write_whole

from .obj import as_bytes
from .origin import whole as whole_places
from .polygons import Polygons
from .wear import Wear, material_names

Array = npt.NDArray[Any]
_HEAD = b"# Painted with Underpaint"
_PLAIN = ("Ks 0 0 0", "illum 1")
_MAPS = {"normal": "norm", "roughness": "map_Pr", "metallic": "map_Pm"}


def write_obj(
    polygons: Polygons,
    worn: Wear,
    path: Path,
    source: bytes | None = None,
    kept: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Path]:
    """Write `path` (.obj) and its .mtl, which names the images by their file names. source: the OBJ
    file that the mesh was read from, if it was. kept: lines of its materials, by their names."""
    # A line ends where a name breaks, and many readers take a blank for the end of a name.
    material = path.with_name("_".join(path.stem.split()) + ".mtl")
    faces = _Faces.of(polygons, worn)
    head = [_HEAD, b"mtllib " + os.fsencode(material.name)]
    body = _fresh(polygons, faces) if source is None else _kept(source, polygons, faces)
    with whole(path), path.open("wb") as stream:
        for line in (*head, *body):
            stream.write(line + b"\n")
    write_whole(material, _materials(faces.names, polygons, worn, kept).encode())
    return [path, material]


@dataclass(frozen=True, slots=True)
class _Faces:
    """made (M, 2): the UVs that were made. split (P,) bool: polygons that those cut in triangles.
    corner (3L, 3) int64: rows of vertex, UV, normal of each triangle's corners, -1 = none, UVs from
    T on counting in `made`. start (P + 1,): each polygon's first triangle. rows (3L,): which of the
    polygons' corners each is. material (L,): numbers in the order of `names`."""

    made: Array
    split: Array
    corner: Array
    start: Array
    rows: Array
    names: dict[tuple[int, int], str]
    material: Array

    @classmethod
    def of(cls, polygons: Polygons, worn: Wear) -> _Faces:
        rows, owner = polygons.triangles
        corner = np.stack([polygons.rows(i) for i in range(3)], axis=1).astype(np.int64)
        wears = worn.made.repeat(3)
        bits = np.ascontiguousarray(worn.made_uv[wears]).view(np.uint64).reshape(-1)
        unique, which = np.unique(bits, return_inverse=True)
        corner[wears, 1] = len(polygons.uv) + which.reshape(-1)
        start = np.searchsorted(owner, np.arange(len(polygons.sizes) + 1))
        names = material_names(polygons, worn)
        keys = list(names)
        surface = polygons.triangle_parts[:, 1]
        material = np.zeros(len(owner), np.int64)
        for number, (group, tile) in enumerate(keys):
            material[(surface == group) & (worn.tile == tile)] = number
        split = _split(rows, owner, corner[:, 1], len(polygons.corner[0]), len(polygons.sizes))
        split[owner[np.flatnonzero(material != material[start[owner]])]] = True
        made = unique.view(np.float32).reshape(-1, 2)
        return cls(made, split, corner, start, rows, names, material)

    def lines(self, polygon: int, shift: int, before: int, total: int) -> Iterator[bytes]:
        """A polygon's `f` lines. UVs below `before` keep their numbers, those up to `total` count
        `shift` more, and made ones come in between."""
        first, last = self.start[polygon], self.start[polygon + 1]
        corner = self.corner[3 * first : 3 * last]
        if not self.split[polygon]:
            order = np.unique(self.rows[3 * first : 3 * last], return_index=True)[1]
            faces = [corner[order]]
        else:
            faces = list(corner.reshape(-1, 3, 3))
        for face in faces:
            words = []
            for v, t, n in face.tolist():
                if t >= total:
                    t = before + t - total
                elif t >= before:
                    t += shift
                words.append(_word(v, t, n))
            yield b"f " + " ".join(words).encode()


def _split(rows: Array, owner: Array, uv: Array, corners: int, polygons: int) -> Array:
    """(P,) bool: polygons one corner of which has several UVs."""
    seen = np.full(corners, -2, np.int64)
    seen[rows] = uv
    split = np.zeros(polygons, bool)
    split[owner[np.flatnonzero(seen[rows] != uv) // 3]] = True
    return split


def _word(v: int, t: int, n: int) -> str:
    if n < 0:
        return str(v + 1) if t < 0 else f"{v + 1}/{t + 1}"
    return f"{v + 1}/{t + 1 if t >= 0 else ''}/{n + 1}"


def _numbers(row: Array) -> bytes:
    digits = 9 if row.dtype == np.float32 else 17
    return " ".join(f"{x:.{digits}g}" for x in row.tolist()).encode()


def _vt(made: Array) -> list[bytes]:
    return [b"vt " + _numbers(row) for row in made]


def _fresh(polygons: Polygons, faces: _Faces) -> Iterator[bytes]:
    """All of a mesh as lines."""
    for word, table in (
        (b"v ", whole_places(polygons.position, polygons.origin)),
        (b"vt ", polygons.uv),
        (b"vn ", polygons.normal),
    ):
        for row in table:
            yield word + _numbers(row)
    yield from _vt(faces.made)
    total = len(polygons.uv)
    worn = [name.encode() for name in faces.names.values()]
    last: tuple[int, int] = (-1, -1)
    for polygon in range(len(polygons.sizes)):
        item, material = int(polygons.part[polygon, 0]), int(faces.material[faces.start[polygon]])
        if item != last[0]:
            name = polygons.names.get(item, f"object {item}")
            yield b"o " + " ".join(name.split()).encode()
        if material != last[1]:
            yield b"usemtl " + worn[material]
        last = item, material
        yield from faces.lines(polygon, 0, total, total)


def _kept(source: bytes, polygons: Polygons, faces: _Faces) -> Iterator[bytes]:
    """The lines of an OBJ file, with other materials, and other faces where UVs were made."""
    total, shift = len(polygons.uv), len(faces.made)
    worn = [name.encode() for name in faces.names.values()]
    before, polygon, material, placed = 0, 0, -1, False
    for line in as_bytes(source).split(b"\n"):
        words = line.split(None, 1)
        kind = words[0] if words else b""
        if kind in (b"mtllib", b"usemtl"):
            continue
        if kind not in (b"f", b"fo") or len(words[1:]) == 0 or len(_corners(words[1])) < 3:
            before += (not placed) and kind == b"vt"
            yield line
            continue
        if not placed:  # readers want UVs before the faces that use them
            placed = True
            yield from _vt(faces.made)
        if (now := int(faces.material[faces.start[polygon]])) != material:
            material = now
            yield b"usemtl " + worn[material]
        if shift == 0 and not faces.split[polygon]:
            yield line
        else:
            yield from faces.lines(polygon, shift, before, total)
        polygon += 1


def _corners(text: bytes) -> list[bytes]:
    return text.split(b"#")[0].split()


def _materials(
    names: Mapping[tuple[int, int], str],
    polygons: Polygons,
    worn: Wear,
    kept: Mapping[str, Sequence[str]],
) -> str:
    parts = []
    for (group, tile), name in names.items():
        maps = worn.images[tile]
        own = {word: maps[key].name for key, word in _MAPS.items() if key in maps}
        lines = [f"newmtl {name}", "Kd 1 1 1"]
        others = kept.get(polygons.materials.get(group, ""), _PLAIN)
        lines += [line for line in others if line.split(" ")[0] not in own]
        lines.append(f"map_Kd {maps['base_color'].name}")
        lines += [f"{word} {image}" for word, image in own.items()]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
