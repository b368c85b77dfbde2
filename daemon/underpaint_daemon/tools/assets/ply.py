"""A reader of PLY: vertices (with normals and UVs where present) and polygons."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .obj import Corners, fans

Array = npt.NDArray[Any]
_TYPES = {
    **{"char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2"},
    **{"ushort": "u2", "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4"},
    **{"float": "f4", "float32": "f4", "double": "f8", "float64": "f8"},
}
_UV_NAMES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    dtype: str
    count: str | None = None  # the dtype of a list's length


@dataclass(slots=True)
class _Element:
    name: str
    rows: int
    properties: list[_Property]


def read_ply(data: bytes) -> Corners:
    """Parse a PLY file; polygons become fans. Raises ValueError on what is not well-formed."""
    elements, order, body = _header(data)
    tables: dict[str, Any] = {}
    text = body.split() if order is None else []
    at = 0
    for element in elements:
        if order is None:
            tables[element.name], at = _ascii(element, text, at)
        else:
            tables[element.name], at = _binary(element, body, at, order)
    return _corners(tables)


def _header(data: bytes) -> tuple[list[_Element], str | None, bytes]:
    """The elements, the byte order (None = ASCII), and the bytes behind the header."""
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0:
        raise ValueError("it has no PLY header")
    body = data[data.index(b"\n", end) + 1 :]
    elements, order = list[_Element](), None
    for words in (line.split() for line in data[:end].decode("ascii").splitlines()):
        if words[:1] == ["format"]:
            order = {"ascii": None, "binary_little_endian": "<", "binary_big_endian": ">"}[words[1]]
        elif words[:1] == ["element"]:
            elements.append(_Element(words[1], int(words[2]), []))
        elif words[:2] == ["property", "list"]:
            elements[-1].properties.append(_Property(words[4], _TYPES[words[3]], _TYPES[words[2]]))
        elif words[:1] == ["property"]:
            elements[-1].properties.append(_Property(words[2], _TYPES[words[1]]))
    return elements, order, body


def _ascii(element: _Element, words: list[bytes], at: int) -> tuple[Any, int]:
    if not any(p.count for p in element.properties):
        width = len(element.properties)
        flat = np.array(words[at : at + width * element.rows], dtype=np.float64)
        table = flat.reshape(element.rows, width)
        columns = {p.name: table[:, i] for i, p in enumerate(element.properties)}
        return columns, at + width * element.rows
    rows = list[list[int]]()
    for _ in range(element.rows):
        for prop in element.properties:
            size = int(words[at]) if prop.count else 0
            if prop.count and prop.name.startswith("vertex_ind"):
                rows.append([int(word) for word in words[at + 1 : at + 1 + size]])
            at += 1 + size
    return rows, at


def _binary(element: _Element, body: bytes, at: int, order: str) -> tuple[Any, int]:
    if not any(p.count for p in element.properties):
        record = np.dtype([(p.name, order + p.dtype) for p in element.properties])
        table = np.frombuffer(body, record, element.rows, at)
        return {name: table[name] for name in table.dtype.names or ()}, at + table.nbytes
    triangles = _binary_triangles(element, body, at, order)
    if triangles is not None:
        return triangles
    rows = list[list[int]]()
    for _ in range(element.rows):
        for prop in element.properties:
            size, at = _scalar(body, at, order + prop.count) if prop.count else (1, at)
            values = np.frombuffer(body, order + prop.dtype, size, at)
            at += values.nbytes
            if prop.count and prop.name.startswith("vertex_ind"):
                rows.append([int(v) for v in values])
    return rows, at


def _binary_triangles(
    element: _Element, body: bytes, at: int, order: str
) -> tuple[list[list[int]] | Array, int] | None:
    """The quick way for pure triangle lists, by far the most common."""
    if len(element.properties) != 1:
        return None
    prop = element.properties[0]
    record = np.dtype([("n", order + (prop.count or "u1")), ("i", order + prop.dtype, (3,))])
    if len(body) - at < record.itemsize * element.rows:
        return None
    table = np.frombuffer(body, record, element.rows, at)
    return (table["i"], at + table.nbytes) if (table["n"] == 3).all() else None


def _scalar(body: bytes, at: int, code: str) -> tuple[int, int]:
    dtype = np.dtype(code)
    if at + dtype.itemsize > len(body):
        raise ValueError("it ends too early")
    return int(np.frombuffer(body, dtype, 1, at)[0]), at + struct.calcsize(dtype.char)


def _corners(tables: dict[str, Any]) -> Corners:
    vertex, faces = tables["vertex"], tables.get("face", [])
    sizes = np.fromiter((len(face) for face in faces), np.int64, len(faces))
    if len(sizes) and sizes.min() < 3:
        raise ValueError("a face has fewer than three corners")
    flat = np.concatenate(list(faces)) if len(faces) else np.zeros(0)
    if not isinstance(faces, list) and len(faces):
        flat = faces.reshape(-1)
    rows = flat.astype(np.int64)[fans(sizes)[0]] if len(sizes) else np.zeros(0, np.int64)
    if len(rows) and (rows.min() < 0 or rows.max() >= len(vertex["x"])):
        raise ValueError(f"a face names vertex {int(rows.max())} of {len(vertex['x'])}")
    names = next((pair for pair in _UV_NAMES if pair[0] in vertex and pair[1] in vertex), None)
    return Corners(
        _stack(vertex, ("x", "y", "z"))[rows],
        _stack(vertex, ("nx", "ny", "nz"))[rows] if "nx" in vertex else None,
        _stack(vertex, names)[rows] if names else None,
        np.ones((len(rows), 2), np.int32),
    )


def _stack(vertex: dict[str, Array], names: tuple[str, ...]) -> Array:
    return np.stack([vertex[name].astype(np.float32) for name in names], axis=1)
