"""A reader of PLY, text or binary: vertices (with normals, UVs where present) and polygons, with
UVs of their corners as MeshLab writes them."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .origin import narrowed, near_origin
from .ply_text import Element, List, Property, Table, read_text
from .polygons import Polygons, alike, none_of, require_rows
from .text import ply_up_axis

Array = npt.NDArray[Any]
_TYPES = {
    **{"char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2"},
    **{"ushort": "u2", "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4"},
    **{"int64": "i8", "uint64": "u8", "long": "i8", "ulong": "u8", "float16": "f2", "half": "f2"},
    **{"float": "f4", "float32": "f4", "double": "f8", "float64": "f8"},
}
_FORMATS = {"ascii": None, "binary_little_endian": "<", "binary_big_endian": ">"}
_UV_NAMES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))
_CORNERS = ("vertex_indices", "vertex_index", "vertex_indexes", "vertices", "indices")
_END = re.compile(rb"[\r\n][ \t]*(end_header)[ \t]*(?=[\r\n]|$)")
_NORMALS = ("nx", "ny", "nz")


@dataclass(slots=True)
class _Header:
    elements: list[Element]
    order: str | None
    up: str | None
    data: bytes
    body: int


def read_ply(data: bytes) -> Polygons:
    """Parse a PLY file. Raises ValueError on what is not well-formed."""
    header = _header(data.removeprefix(codecs.BOM_UTF8))
    data = header.data
    if header.order is None:
        tables = read_text(header.elements, data[header.body :].strip(b"\0 \t\r\n"))
    else:
        tables, at = {}, header.body
        for element in header.elements:
            tables[element.name], at = _from_bytes(element, data, at, header.order)
    return _polygons(tables, header.up)


def _header(data: bytes) -> _Header:
    found = _END.search(data) if data.startswith(b"ply") else None
    if found is None:
        raise ValueError("it has no PLY header")
    end = found.start(1)
    order, elements, up = "?", list[Element](), None
    for line in data[:end].replace(b"\r", b"\n").split(b"\n"):
        words = line.decode("latin-1").split()
        if words[:1] in (["comment"], ["obj_info"]):
            up = up or ply_up_axis(line)
        elif words[:1] == ["format"] and len(words) > 1 and words[1] in _FORMATS:
            order = _FORMATS[words[1]] or ""
        elif words[:1] == ["element"] and len(words) == 3 and words[2].isdecimal():
            elements.append(_element(words, len(data)))
        elif words[:1] == ["property"] and elements:
            elements[-1].properties.append(_property(words))
        elif words and words != ["ply"]:
            raise ValueError(f"its header has the line {' '.join(words)[:60]!r}")
    if order == "?":
        raise ValueError("its header names no format that is known")
    start = found.end(1)
    # Binary data begins behind one line end, of whichever kind.
    start += 2 if data[start : start + 2] == b"\r\n" else 1
    return _Header(elements, order or None, up, data, start)


def _element(words: list[str], size: int) -> Element:
    rows = int(words[2])
    if rows > size:  # every row takes a byte
        raise ValueError(f"its header promises {rows} of {words[1]}, and it has {size} bytes")
    return Element(words[1], rows, [])


def _property(words: list[str]) -> Property:
    is_list = words[1:2] == ["list"]
    kinds = [word.lower() for word in (words[2:4] if is_list else words[1:2])]
    if len(words) != (5 if is_list else 3) or any(kind not in _TYPES for kind in kinds):
        raise ValueError(f"its header has the line {' '.join(words)[:60]!r}")
    if is_list:
        return Property(words[4], _TYPES[kinds[1]], _TYPES[kinds[0]])
    return Property(words[2], _TYPES[kinds[0]])


def _from_bytes(element: Element, data: bytes, at: int, order: str) -> tuple[Table, int]:
    rows = element.rows
    if not rows or not element.properties:
        return {p.name: np.zeros(0) for p in element.properties if not p.count}, at
    sizes = _first_sizes(element, data, at, order)
    record = np.dtype(
        [
            part
            for i, (p, size) in enumerate(zip(element.properties, sizes, strict=True))
            for part in _fields(i, p, size, order)
        ]
    )
    if len(data) - at >= record.itemsize * rows:
        table = np.frombuffer(data, record, rows, at)
        if all((table[f"n{i}"] == n).all() for i, n in enumerate(sizes) if n is not None):
            return _uniform(element, table, sizes), at + table.nbytes
    return _ragged(element, data, at, order)


def _fields(i: int, prop: Property, size: int | None, order: str) -> list[tuple[Any, ...]]:
    if prop.count is None or size is None:
        return [(f"v{i}", order + prop.dtype)]
    return [(f"n{i}", order + prop.count), (f"v{i}", order + prop.dtype, (size,))]


def _first_sizes(element: Element, data: bytes, at: int, order: str) -> list[int | None]:
    """The lengths of the first row's lists: mostly all rows have the same."""
    sizes = list[int | None]()
    for prop in element.properties:
        size = None
        if prop.count:
            size, at = _scalar(data, at, order + prop.count, element.name)
        sizes.append(size)
        at += (1 if size is None else size) * np.dtype(prop.dtype).itemsize
    return sizes


def _uniform(element: Element, table: Array, sizes: list[int | None]) -> Table:
    found: Table = {}
    for i, (prop, size) in enumerate(zip(element.properties, sizes, strict=True)):
        values = table[f"v{i}"]
        if size is not None:
            found[prop.name] = List(np.full(len(table), size, np.int32), values.reshape(-1))
        else:
            found[prop.name] = values
    return found


def _ragged(element: Element, data: bytes, at: int, order: str) -> tuple[Table, int]:
    kept: list[list[Array]] = [[] for _ in element.properties]
    for _ in range(element.rows):
        for prop, values in zip(element.properties, kept, strict=True):
            size = 1
            if prop.count:
                size, at = _scalar(data, at, order + prop.count, element.name)
            dtype = np.dtype(order + prop.dtype)
            if at + size * dtype.itemsize > len(data):
                raise ValueError(f"it ends before its {element.rows} of {element.name} do")
            values.append(np.frombuffer(data, dtype, size, at))
            at += size * dtype.itemsize
    found: Table = {}
    for prop, values in zip(element.properties, kept, strict=True):
        joined = np.concatenate(values)
        sizes = np.fromiter((len(v) for v in values), np.int64, len(values))
        found[prop.name] = List(sizes, joined) if prop.count else joined
    return found, at


def _scalar(data: bytes, at: int, code: str, name: str) -> tuple[int, int]:
    dtype = np.dtype(code)
    if at + dtype.itemsize > len(data):
        raise ValueError(f"it ends among its {name}")
    value = int(np.frombuffer(data, dtype, 1, at)[0])
    if not 0 <= value <= len(data):
        raise ValueError(f"a list of {name} has {value} items")
    return value, at + dtype.itemsize


def _polygons(tables: dict[str, Table], up: str | None) -> Polygons:
    vertex, face = tables.get("vertex", {}), tables.get("face", {})
    places = _places(vertex)
    if places is None:
        raise ValueError("its vertices have no x, y and z")
    position, origin = near_origin(places)
    indices = next((face[k] for k in _CORNERS if k in face), None)
    if not face and "tristrips" in tables:
        raise ValueError("it has triangle strips, and no faces: save it with faces")
    if not isinstance(indices, List):
        indices = List(np.zeros(0, np.int64), np.zeros(0))
    keep = indices.sizes >= 3
    rows = _named(indices.values, len(position))
    if not keep.all():
        rows = rows[np.repeat(keep, indices.sizes)]
    normal = _stack(vertex, _NORMALS)
    uv, uv_rows = _uvs(vertex, face, indices, keep, rows)
    require_rows(rows, len(position), "vertex")
    none = none_of(len(rows))
    part = np.broadcast_to(np.int32(1), (int(keep.sum()), 2))
    number = face.get("texnumber")
    if isinstance(number, np.ndarray) and len(number) == len(keep):
        part = part.copy()
        part[:, 1] = np.unique(number[keep], return_inverse=True)[1].reshape(-1) + 1
    short = int((~keep).sum())
    return Polygons(
        position,
        uv,
        np.zeros((0, 3), np.float32) if normal is None else normal,
        (rows, none if uv_rows is None else uv_rows, none if normal is None else rows),
        alike(indices.sizes[keep].astype(np.int32)),
        alike(part),
        told=(f"{short} faces of less than three corners were left out.",) if short else (),
        up=up,
        origin=origin,
    )


def _named(given: Array, count: int) -> Array:
    """The vertices that faces name, int32, each one of `count`. Raises ValueError."""
    known = (given >= 0) & (given < count)  # a NaN is neither
    if not known.all():
        raise ValueError(f"a face names vertex {given[~known][0]:g} of {count}")
    if given.dtype.kind == "f" and (given != np.floor(given)).any():
        raise ValueError("a face names a vertex by half a number")
    return given.astype(np.int32, copy=False)


def _uvs(
    vertex: Table, face: Table, indices: List, keep: Array, rows: Array
) -> tuple[Array, Array | None]:
    """UVs (T, 2) and the row of each corner: of the faces' corners where they have some, else of
    the vertices; None when there are none."""
    own = face.get("texcoord")
    if isinstance(own, List) and len(own.sizes) == len(keep):
        given = own.sizes == 2 * indices.sizes
        table = own.values[np.repeat(given & keep, own.sizes)].astype(np.float32).reshape(-1, 2)
        has = np.repeat(given[keep], indices.sizes[keep])
        return table, np.where(has, np.cumsum(has) - 1, -1).astype(np.int32)
    pairs = (_stack(vertex, names) for names in _UV_NAMES)
    found = next((pair for pair in pairs if pair is not None), None)
    if found is None:
        return np.zeros((0, 2), np.float32), None
    return found, rows


def _places(vertex: Table) -> Array | None:
    """(V, 3), in double precision where they are far out."""
    columns = (vertex.get(name) for name in "xyz")
    wide = any(isinstance(column, np.ndarray) and column.dtype.itemsize > 4 for column in columns)
    found = _stack(vertex, ("x", "y", "z"), np.float64 if wide else np.float32)
    return found if found is None or not wide else narrowed(found)


def _stack(vertex: Table, names: tuple[str, ...], kind: Any = np.float32) -> Array | None:
    columns = [vertex.get(name) for name in names]
    plain = [column for column in columns if isinstance(column, np.ndarray)]
    if len(plain) != len(names):
        return None
    with np.errstate(over="ignore"):
        return np.stack([column.astype(kind) for column in plain], axis=1)
