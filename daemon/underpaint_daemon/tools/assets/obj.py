"""A reader of Wavefront OBJ: positions, UVs, normals, polygons, objects and materials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Corners:
    """Triangle corners as read: position (3L, 3), normal (3L, 3), uv (3L, 2), ids (3L, 2).
    names: the objects' names by their ids."""

    position: Array
    normal: Array | None
    uv: Array | None
    ids: Array
    names: Mapping[int, str] = field(default_factory=dict)


def read_obj(data: bytes) -> Corners:
    """Parse an OBJ file; polygons become fans. Raises ValueError on what is not well-formed."""
    lines = [line.strip() for line in data.replace(b"\\\n", b" ").splitlines()]
    position = _table(lines, b"v ", 3)
    uv, normal = _table(lines, b"vt ", 2), _table(lines, b"vn ", 3)
    counts = (len(position), len(uv), len(normal))
    faces, sizes, groups, names = _faces(lines, counts)
    order, owner = fans(sizes)
    corner = faces[order]
    return Corners(
        _take(position, corner[:, 0], "vertex"),
        _take(normal, corner[:, 2], "normal") if (corner[:, 2] >= 0).all() and counts[2] else None,
        _take(uv, corner[:, 1], "UV") if (corner[:, 1] >= 0).all() and counts[1] else None,
        np.repeat(groups[owner], 3, axis=0).astype(np.int32),
        names,
    )


def _table(lines: list[bytes], prefix: bytes, columns: int) -> Array:
    """The numbers of all lines with a prefix, the first `columns` of each: (n, columns)."""
    size = len(prefix)
    rows = [line[size:] for line in lines if line.startswith(prefix)]
    if not rows:
        return np.zeros((0, columns), np.float32)
    width = len(rows[0].split())
    flat = np.array(b" ".join(rows).split(), dtype=np.float64)
    if width >= columns and len(flat) == width * len(rows):
        return np.ascontiguousarray(flat.reshape(-1, width)[:, :columns], dtype=np.float32)
    return _ragged_table(rows, columns, prefix)


def _ragged_table(rows: list[bytes], columns: int, prefix: bytes) -> Array:
    table = np.zeros((len(rows), columns), np.float32)
    for i, row in enumerate(rows):
        numbers = row.split()[:columns]
        if not numbers or (len(numbers) < columns and prefix != b"vt "):
            raise ValueError(f"a '{prefix.decode().strip()}' line has {len(numbers)} numbers")
        table[i, : len(numbers)] = np.array(numbers, dtype=np.float64)
    return table


def _faces(
    lines: list[bytes], counts: tuple[int, int, int]
) -> tuple[Array, Array, Array, dict[int, str]]:
    """All polygon corners (C, 3) as row numbers of vertex, UV and normal (-1 = none), corners a
    polygon (P,), object and material of each polygon (P, 2), and the objects' names."""
    texts, groups, seen = list[bytes](), list[tuple[int, int]](), [0, 0, 0]
    objects, materials = {b"": 1}, {b"": 1}
    current, relative = [1, 1], False
    starts = list[tuple[int, int, int]]()
    for line in lines:
        if line.startswith(b"f "):
            texts.append(line[2:])
            groups.append((current[0], current[1]))
            if b"-" in line:
                relative = True
            starts.append((seen[0], seen[1], seen[2])) if relative else None
        elif line.startswith(b"v "):
            seen[0] += 1
        elif line.startswith(b"vt "):
            seen[1] += 1
        elif line.startswith(b"vn "):
            seen[2] += 1
        elif line.startswith((b"o ", b"g ")):
            current[0] = _number(objects, line[2:], bool(groups))
        elif line.startswith(b"usemtl "):
            current[1] = _number(materials, line[7:], bool(groups))
    if not texts:
        return np.zeros((0, 3), np.int64), np.zeros(0, np.int64), np.zeros((0, 2), np.int64), {}
    corners, sizes = _corner_indices(texts)
    if relative:
        base = np.zeros((len(texts), 3), np.int64)
        base[len(texts) - len(starts) :] = np.array(starts, np.int64)
        start = np.repeat(base, sizes, axis=0)
    else:
        start = np.asarray(counts, np.int64)
    rows = np.where(corners > 0, corners - 1, np.where(corners < 0, start + corners, -1))
    said = {n: name.strip().decode("utf-8", "replace") for name, n in objects.items() if name}
    return rows, sizes, np.asarray(groups, np.int64), said


def _number(names: dict[bytes, int], name: bytes, used: bool) -> int:
    """The number of a name, counted from 1; the first name takes the default's number."""
    if not used and len(names) == 1:
        names[name] = 1
    return names.setdefault(name, max(names.values()) + 1)


def _corner_indices(texts: list[bytes]) -> tuple[Array, Array]:
    """Index triples (C, 3) of `v/vt/vn` corners, 0 = absent, and corners a polygon (P,)."""
    joined = b" ".join(texts)
    words = joined.split()
    sizes = np.fromiter((len(text.split()) for text in texts), np.int64, len(texts))
    if sizes.min(initial=3) < 3:
        raise ValueError("a face has fewer than three corners")
    shape = words[0].count(b"/"), b"//" in words[0]
    uniform = joined.count(b"/") == shape[0] * len(words)
    uniform &= joined.count(b"//") == (len(words) if shape[1] else 0)
    if not uniform:
        return np.array([_triple(word) for word in words], np.int64), sizes
    columns = {(0, False): [0], (1, False): [0, 1], (2, False): [0, 1, 2], (2, True): [0, 2]}
    if shape not in columns:
        raise ValueError(f"a face corner reads {words[0].decode(errors='replace')!r}")
    used = columns[shape]
    flat = np.array(joined.replace(b"//", b" ").replace(b"/", b" ").split(), dtype=np.int64)
    if len(flat) != len(words) * len(used):
        return np.array([_triple(word) for word in words], np.int64), sizes
    corners = np.zeros((len(words), 3), np.int64)
    corners[:, used] = flat.reshape(-1, len(used))
    return corners, sizes


def _triple(word: bytes) -> tuple[int, int, int]:
    parts = [*word.split(b"/"), b"", b""][:3]
    v, t, n = (int(part) if part else 0 for part in parts)
    return v, t, n


def fans(sizes: Array) -> tuple[Array, Array]:
    """Corner numbers of the triangles that fan each polygon (3L,), and their polygons (L,)."""
    first = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(sizes)), sizes - 2)
    turn = np.arange(len(owner)) - np.repeat(np.cumsum(sizes - 2) - (sizes - 2), sizes - 2)
    start = first[owner]
    return np.stack([start, start + turn + 1, start + turn + 2], axis=1).reshape(-1), owner


def _take(table: Array, rows: Array, name: str) -> Array:
    if len(rows) and (rows.min() < 0 or rows.max() >= len(table)):
        raise ValueError(f"a face names {name} {int(rows.max()) + 1} of {len(table)}")
    return table[rows]
