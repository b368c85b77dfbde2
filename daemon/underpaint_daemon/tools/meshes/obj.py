"""A reader of Wavefront OBJ as programs and people write it: polygons of any shape, faces with and
without UVs, objects or groups, materials, relative numbers, comments, any line ends."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.encodings import decoded

from .numbers import narrow, numbers, quoted, table
from .origin import narrowed, near_origin
from .polygons import Polygons, alike, none_of, require_rows
from .text import decoded_name, up_axis

Array = npt.NDArray[Any]
_BLOCK = 1 << 18
_PEEK = 64
_NONE = -(1 << 31)  # a corner that has no such number
_OTHERS = frozenset((b"o", b"g", b"s", b"l", b"p", b"usemtl", b"mtllib"))
_KINDS = {b"v": 0, b"vt": 1, b"vn": 2}


def as_bytes(data: bytes) -> bytes:
    """A file's text in one encoding and with one kind of line end."""
    if b"\0" in data[:_PEEK] or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = decoded(data).encode()  # of two or four bytes a letter
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data.replace(b"\\\n", b" ") if b"\\\n" in data else data


def read_obj(data: bytes) -> Polygons:
    """Parse an OBJ file. Raises ValueError on what is not well-formed."""
    reader = _Reader()
    for block in _blocks(as_bytes(data)):
        reader.read(block)
    return reader.finish()


def _blocks(data: bytes) -> Iterator[bytes]:
    """Parts of about 256 kB that end where lines do: a list of all lines would be several times the
    file."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", min(start + _BLOCK, len(data)))
        end = len(data) if end < 0 else end + 1
        yield data[start:end]
        start = end


class Parts:
    """The object and the material that lines of a file have named last, as numbers from 1."""

    def __init__(self) -> None:
        self.object, self.material = 1, 1
        self.objects: dict[bytes, int] = {b"": 1}
        self.materials: dict[bytes, int] = {b"": 1}
        self._has_objects = False
        self.used = False

    def see(self, kind: bytes, name: bytes) -> None:
        """A line of another kind than numbers. Groups count where nothing is called an object."""
        if kind == b"o" or (kind == b"g" and not self._has_objects):
            self._has_objects |= kind == b"o"
            self.object = self._number(self.objects, name)
        elif kind == b"usemtl":
            self.material = self._number(self.materials, name)

    def _number(self, names: dict[bytes, int], name: bytes) -> int:
        """Counted from 1; the first name takes the default's number while nothing has it."""
        if not self.used and len(names) == 1:
            names[name] = 1
        return names.setdefault(name, max(names.values()) + 1)


@dataclass(slots=True)
class _Faces:
    """Faces of one block: their corners' words, the parts, the tables' lengths where they stand."""

    texts: list[bytes] = field(default_factory=list)
    parts: list[tuple[int, int]] = field(default_factory=list)
    seen: list[tuple[int, int, int]] = field(default_factory=list)


class _Reader:
    def __init__(self) -> None:
        self._parts = Parts()
        self._counts = [0, 0, 0]
        self._tables: tuple[list[Array], list[Array], list[Array]] = ([], [], [])
        self._corners, self._sizes = list[tuple[Array | None, ...]](), list[Array]()
        self._owners = list[Array]()
        self._short = 0
        self._up: str | None = None
        self._known = False  # whether there was a line of the format

    def read(self, block: bytes) -> None:
        rows: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])
        faces = _Faces()
        for line in block.split(b"\n"):
            words = line.split(None, 1)
            if not words:
                continue
            kind, rest = words[0], words[1] if len(words) == 2 else b""
            if (which := _KINDS.get(kind)) is not None:
                rows[which].append(rest)
                self._counts[which] += 1
                self._known = True
            elif kind in (b"f", b"fo"):
                self._face(faces, rest)
            elif kind.startswith(b"#"):
                self._up = self._up or up_axis(line)
                self._known = True
            else:
                self._known = self._known or kind in _OTHERS
                self._parts.see(kind, rest.strip())
        for which, (columns, least, name) in enumerate(((3, 3, "v"), (2, 1, "vt"), (3, 3, "vn"))):
            if rows[which]:
                kept = narrow if which else narrowed
                self._tables[which].append(kept(table(rows[which], columns, least, name)))
        if faces.texts:
            self._add(faces)

    def _face(self, faces: _Faces, rest: bytes) -> None:
        if b"#" in rest:
            rest = rest.split(b"#")[0]
        faces.texts.append(rest)
        faces.parts.append((self._parts.object, self._parts.material))
        counts = self._counts
        faces.seen.append((counts[0], counts[1], counts[2]) if b"-" in rest else (0, 0, 0))
        self._parts.used = True

    def _add(self, faces: _Faces) -> None:
        corners, sizes = corner_numbers(faces.texts)
        start = np.repeat(np.array(faces.seen, np.int32), sizes, axis=0)
        corners = np.where((corners < 0) & (corners != _NONE), start + corners + 1, corners)
        if (corners[corners != _NONE] < 1).any():
            raise ValueError("a face names vertex 0, or counts back beyond the first")
        whole = sizes >= 3
        self._short += int((~whole).sum())
        corners = np.where(corners == _NONE, -1, corners - 1).astype(np.int32)
        kept = corners[np.repeat(whole, sizes)].T
        self._corners.append(tuple(c.copy() if (c >= 0).any() else None for c in kept))
        self._sizes.append(sizes[whole])
        self._owners.append(np.array(faces.parts, np.int32)[whole])

    def finish(self) -> Polygons:
        position, uv, normal = (
            np.concatenate(parts) if parts else np.zeros((0, width), np.float32)
            for parts, width in zip(self._tables, (3, 2, 3), strict=True)
        )
        corner = self._columns()
        if not self._known:
            raise ValueError("none of its lines is one of an OBJ file")
        told = self._without_tables(corner, (len(uv), len(normal)))
        tables = (position, "vertex"), (uv, "UV"), (normal, "normal")
        for column, (rows, name) in zip(corner, tables, strict=True):
            require_rows(column, len(rows), name)
        if corner[0].min(initial=0) < 0:
            raise ValueError("a face corner names no vertex")
        position, origin = near_origin(position)
        return Polygons(
            position,
            uv,
            normal,
            (corner[0], corner[1], corner[2]),
            alike(_joined(self._sizes, (0,))),
            alike(_joined(self._owners, (0, 2))),
            {n: decoded_name(name) for name, n in self._parts.objects.items() if name},
            {n: decoded_name(name) for name, n in self._parts.materials.items() if name},
            told,
            self._up,
            origin=origin,
        )

    def _columns(self) -> list[Array]:
        """Three of (C,) int32, of all blocks; those that no corner has were not kept."""
        counts = [int(sizes.sum()) for sizes in self._sizes]
        return [self._column(which, counts) for which in range(3)]

    def _column(self, which: int, counts: list[int]) -> Array:
        parts = [columns[which] for columns in self._corners]
        if all(part is None for part in parts):
            return none_of(sum(counts))
        return np.concatenate(
            [
                none_of(count) if part is None else part
                for part, count in zip(parts, counts, strict=True)
            ]
        )

    def _without_tables(self, corner: list[Array], lengths: tuple[int, int]) -> tuple[str, ...]:
        """Numbers into tables that the file does not have count as none."""
        told = []
        if self._short:
            told.append(f"{self._short} faces of less than three corners were left out.")
        for column, (length, name) in enumerate(zip(lengths, ("UVs", "normals"), strict=True), 1):
            if length == 0 and (corner[column] >= 0).any():
                corner[column] = none_of(len(corner[column]))
                told.append(f"The faces name {name}, and the file has none.")
        return tuple(told)


def _joined(parts: list[Array], empty: tuple[int, ...]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(empty, np.int32)


def corner_numbers(texts: list[bytes]) -> tuple[Array, Array]:
    """Numbers (C, 3) int32 of `v/vt/vn` corners as they stand (absent: the least of int32), and
    the corners of each polygon (P,) int32."""
    sizes = np.fromiter((len(text.split()) for text in texts), np.int32, len(texts))
    joined, count = b" ".join(texts), int(sizes.sum())
    first = joined.split(None, 1)[0] if count else b""
    shape = first.count(b"/"), b"//" in first
    columns = {(0, False): [0], (1, False): [0, 1], (2, False): [0, 1, 2], (2, True): [0, 2]}
    used = columns.get(shape)
    same = used is not None and joined.count(b"/") == shape[0] * count
    same = same and joined.count(b"//") == (count if shape[1] else 0)
    if same and used is not None and not first.endswith(b"/"):
        flat = numbers(joined.replace(b"/", b" "), np.int64, count * len(used))
        if flat is not None and len(flat) and np.abs(flat).max() < 2**31:
            corners = np.full((count, 3), _NONE, np.int32)
            corners[:, used] = flat.reshape(-1, len(used))
            return corners, sizes
    words = (word for text in texts for word in text.split())
    found = np.fromiter((n for word in words for n in _triple(word)), np.int32, 3 * count)
    return found.reshape(-1, 3), sizes


def _triple(word: bytes) -> tuple[int, int, int]:
    parts = word.split(b"/")
    try:
        if len(parts) > 3 or not parts[0] or b"_" in word:
            raise ValueError
        found = [int(part) if part else _NONE for part in parts]
        if max(abs(n) for n in found if n != _NONE) >= 2**31:
            raise ValueError
    except ValueError:
        raise ValueError(f"a face corner reads {quoted(word)!r}") from None
    v, t, n = [*found, _NONE, _NONE][:3]
    return v, t, n
