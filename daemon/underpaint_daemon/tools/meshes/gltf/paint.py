"""A glTF file that wears its paint: the same file, in which materials have other images. Accessors,
nodes, skins, animations, other textures and extensions stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..wear import Wear
from .cutouts import cutout
from .file import PACKED, Gltf, Json, items, raw_accessor, uri_bytes
from .parts import Additions
from .primitives import triangle_rows
from .scene import Piece, Scene

Array = npt.NDArray[Any]
_PICTURES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    (b"RIFF", "image/webp"),
    (b"\xabKTX 20", "image/ktx2"),
    (b"DDS ", "image/vnd-ms.dds"),
    (b"\0\0\0", "image/avif"),
)


@dataclass(frozen=True, slots=True)
class PaintedGltf:
    """What a painted glTF file is to hold; the tile that each painted material wears."""

    added: Additions
    materials: Mapping[int, int]


def paint_gltf(gltf: Gltf, scene: Scene, worn: Wear) -> PaintedGltf:
    """The file with its paint on."""
    doc = deepcopy(gltf.doc)
    before = _used_images(doc)
    added = Additions(doc, _one_buffer(doc, gltf.buffers))
    _take_in_images(added, gltf)
    brush = _Brush(gltf, added, worn)
    for piece in scene.pieces:
        if piece.first:
            brush.paint(piece)
    materials = brush.finish()
    _forget_images(added, before - _used_images(doc))
    return PaintedGltf(added, materials)


def _one_buffer(doc: Json, buffers: Sequence[bytes | memoryview]) -> bytes:
    """All buffers one after another; the views point to where their data went."""
    binary, starts = bytearray(), list[int]()
    for data in buffers:
        binary += b"\0" * (-len(binary) % 8)
        starts.append(len(binary))
        binary += data
    _unpack(doc)
    for view in items(doc, "bufferViews"):
        start = starts[view.get("buffer", 0)]
        if start:
            view["byteOffset"] = view.get("byteOffset", 0) + start
        view["buffer"] = 0
    return bytes(binary)


def _unpack(doc: Json) -> None:
    """Take out what is there in a compressed form as well: the plain data is what is painted."""
    primitives = (p for mesh in items(doc, "meshes") for p in items(mesh, "primitives"))
    for part in (*items(doc, "buffers"), *items(doc, "bufferViews"), *primitives):
        if packed := [name for name in PACKED if name in part.get("extensions", {})]:
            part["extensions"] = {k: v for k, v in part["extensions"].items() if k not in packed}
            if not part["extensions"]:
                del part["extensions"]
    if used := [name for name in doc.get("extensionsUsed", []) if name not in PACKED]:
        doc["extensionsUsed"] = used
    else:
        doc.pop("extensionsUsed", None)


def _take_in_images(added: Additions, gltf: Gltf) -> None:
    """Images that lie beside the file come into it, where they are found."""
    for image in items(added.doc, "images"):
        if "uri" not in image or image["uri"].startswith("data:"):
            continue
        try:
            data = uri_bytes(image["uri"], gltf.folder)
        except (OSError, ValueError):
            continue
        kind = next((kind for mark, kind in _PICTURES if data.startswith(mark)), None)
        if kind is None:  # who made the file may not have it take in whatever else lies about
            continue
        image.setdefault("mimeType", kind)
        del image["uri"]
        image["bufferView"] = added.view(data)


class _Brush:
    """Puts paint on primitives, one after another; materials change when all are known."""

    def __init__(self, gltf: Gltf, added: Additions, worn: Wear) -> None:
        self._gltf, self._added, self._worn = gltf, added, worn
        self._wanted: dict[tuple[Any, int], int] = {}
        self._ready: dict[int, Json] = {}

    def paint(self, piece: Piece) -> None:
        """A primitive; one of several tiles becomes several, over the same vertices."""
        primitives = self._added.doc["meshes"][piece.mesh]["primitives"]
        primitive = primitives[piece.primitive]
        worn = self._worn.select(slice(piece.start, piece.start + piece.count))
        rows = triangle_rows(self._gltf, primitive, self._vertices(primitive))
        if worn.made.any():
            rows = self._with_uvs(primitive, rows, worn, piece)
        for number, tile in enumerate(worn.tiles):
            part = primitive if number == 0 else deepcopy(primitive)
            if len(worn.tiles) > 1:
                part["indices"] = self._added.indices(rows[(worn.tile == tile).repeat(3)])
                part["mode"] = 4
            if number:
                primitives.append(part)
            part["material"] = self._material(piece, tile)

    def _vertices(self, primitive: Json) -> int:
        return int(self._gltf.doc["accessors"][primitive["attributes"]["POSITION"]]["count"])

    def _material(self, piece: Piece, tile: int) -> int:
        """The number of the material that a surface wears on a tile: the artist's own, and copies
        of it for more tiles."""
        own = self._gltf.doc["meshes"][piece.mesh]["primitives"][piece.primitive].get("material")
        key = (piece.mesh, piece.primitive) if own is None else own
        if (key, tile) not in self._wanted:
            given = {} if own is None else self._gltf.doc["materials"][own]
            cut = cutout(self._gltf, given, widened=piece.widened is not None)
            made = self._added.painted(
                given, self._worn.images[tile], piece.texcoord or 0, piece.widened, cut
            )
            free = own is not None and not any(k == key for k, _ in self._wanted)
            if free:
                self._ready[own] = made
                number = own
            else:
                name = (
                    f"painted_{tile}" if own is None else f"{given.get('name', 'painted')}_{tile}"
                )
                number = self._added.append("materials", {**made, "name": name})
            self._wanted[key, tile] = number
        return self._wanted[key, tile]

    def _with_uvs(self, primitive: Json, rows: Array, worn: Wear, piece: Piece) -> Array:
        """Give a primitive UVs that were made: vertices that lie on their cuts are there once for
        each side. The new rows of its triangles."""
        order = [0, 2, 1] if piece.mirrored else [0, 1, 2]
        made = worn.made_uv.reshape(-1, 3, 2)[:, order].reshape(-1, 2)
        flipped = np.stack([made[:, 0], 1 - made[:, 1]], axis=1)
        key = np.stack([rows, *flipped.view(np.uint32).reshape(-1, 2).astype(np.int64).T], axis=1)
        _, first, which = np.unique(key, axis=0, return_index=True, return_inverse=True)
        taken = rows[first]
        for attributes in (primitive["attributes"], *primitive.get("targets", [])):
            for name, number in attributes.items():
                attributes[name] = self._taken(number, taken)
        uv = np.ascontiguousarray(flipped[first], np.float32)
        primitive["attributes"][f"TEXCOORD_{piece.texcoord or 0}"] = self._added.accessor(uv)
        which = which.reshape(-1)
        primitive["indices"] = self._added.indices(which)
        primitive["mode"] = 4
        return np.asarray(which)

    def _taken(self, number: int, rows: Array) -> int:
        described = self._gltf.doc["accessors"][number]
        kept = {k: described[k] for k in ("normalized", "min", "max", "name") if k in described}
        return self._added.accessor(raw_accessor(self._gltf, number)[rows], kept)

    def finish(self) -> dict[int, int]:
        """Change the materials; the tile that each wears."""
        for number, made in self._ready.items():
            self._added.doc["materials"][number] = made
        return {number: tile for (_, tile), number in self._wanted.items()}


def _used_images(doc: Json) -> set[int]:
    """The images that materials show."""
    textures = items(doc, "textures")
    found = set[int]()
    for number in _texture_numbers(doc.get("materials", [])):
        if number < len(textures):
            found |= set(_sources(textures[number]))
    return found


def _texture_numbers(value: Any, name: str = "") -> set[int]:
    found = set[int]()
    if isinstance(value, dict):
        if name.endswith("Texture") and isinstance(value.get("index"), int):
            found.add(value["index"])
        for key, inner in value.items():
            found |= _texture_numbers(inner, key)
    elif isinstance(value, list):
        for inner in value:
            found |= _texture_numbers(inner, name)
    return found


def _sources(texture: Json) -> list[int]:
    parts = [texture, *texture.get("extensions", {}).values()]
    return [p["source"] for p in parts if isinstance(p, dict) and isinstance(p.get("source"), int)]


def _forget_images(added: Additions, dead: set[int]) -> None:
    """Take the data of images that nothing shows any more out of the file; their entries, which
    others are counted by, show the paint instead."""
    images, views = items(added.doc, "images"), items(added.doc, "bufferViews")
    shown = next((i for i in reversed(images) if "bufferView" in i), None)
    for number in dead:
        image = images[number]
        if shown is None or image is shown or "bufferView" not in image:
            continue
        view = views[image["bufferView"]]
        _cut(added, view, views)
        view |= {k: views[shown["bufferView"]][k] for k in ("byteOffset", "byteLength")}
        images[number] = {**image, "mimeType": "image/png"}


def _cut(added: Additions, view: Json, views: list[Json]) -> None:
    """Cut a view's bytes out of the buffer, in fours, unless others share them."""
    start = view.get("byteOffset", 0)
    end = start + view["byteLength"]
    others = [v for v in views if v is not view]
    if any(v.get("byteOffset", 0) < end and _end(v) > start for v in others):
        return
    start += -start % 4
    end -= end % 4
    if end <= start:
        return
    del added.binary[start:end]
    for other in others:
        if other.get("byteOffset", 0) >= end:
            other["byteOffset"] -= end - start


def _end(view: Json) -> int:
    return int(view.get("byteOffset", 0) + view["byteLength"])
