"""What is added to a glTF file: data, accessors, images, and the paint on a material."""

from __future__ import annotations

import json
import struct
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt

from ..wear import Maps
from .cutouts import cut_png
from .file import Json, item, items

Array = npt.NDArray[Any]
_CODES = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_NAMES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 9: "MAT3", 16: "MAT4"}
VERTICES, INDICES = 34962, 34963
_ROUGH = 0.8
_GLOSSY = "KHR_materials_pbrSpecularGlossiness"
TEXTURE_TRANSFORM = "KHR_texture_transform"


def require_materials(doc: Json) -> None:
    """Raise ValueError when the materials are not of a form that can be painted: said before the
    job, not after it."""
    for name in ("images", "textures", "samplers"):
        items(doc, name)
    for material in items(doc, "materials"):
        inner = _inner(material, "pbrMetallicRoughness")
        glossy = _inner(_inner(material, "extensions"), _GLOSSY)
        for factor in (inner.get("baseColorFactor"), glossy.get("diffuseFactor")):
            if factor is not None and np.shape(np.array(factor, np.float64)) != (4,):
                raise ValueError(f"a material's colour is {factor!r}")


def _inner(value: Json, name: str) -> Json:
    found = value.get(name, {})
    if not isinstance(found, dict):
        raise ValueError(f"a material's {name} is no object")
    return found


def widened_by(doc: Json, primitive: Json, texcoord: int) -> Json | None:
    """The texture transform of UVs that are whole numbers: packers keep them in a part of their
    range, and every texture of the material says how to widen it. Of other UVs the transform is a
    repeat or a turn of one picture, and paint lies on the UVs as they are. Raises ValueError."""
    number = primitive["attributes"][f"TEXCOORD_{texcoord}"]
    if item(doc, "accessors", number).get("componentType") == _CODES["f4"]:
        return None
    given = primitive.get("material")
    found = None if given is None else _transform_in(item(doc, "materials", given))
    parts: Json = {k: v for k, v in (found or {}).items() if k in ("scale", "offset")}
    for values in parts.values():
        if np.shape(np.array(values, np.float64)) != (2,):
            raise ValueError(f"a {TEXTURE_TRANSFORM} is not well-formed")
    return parts or None


def _transform_in(material: Any) -> Json | None:
    """The first texture transform of a material, its base colour's if that has one."""
    if not isinstance(material, dict):
        return None
    found = material.get("extensions", {}).get(TEXTURE_TRANSFORM)
    if isinstance(found, dict):
        return found
    first = material.get("pbrMetallicRoughness", {})
    inner = [first.get("baseColorTexture"), *material.values()]
    return next((t for t in map(_transform_in, inner) if t is not None), None)


class Additions:
    """A glTF JSON and the data of its one buffer, and what is added to them. Images and textures
    come once for each file."""

    def __init__(self, doc: Json, binary: bytes) -> None:
        self.doc, self.binary = doc, bytearray(binary)
        self._textures: dict[str, int] = {}

    def append(self, name: str, described: Json) -> int:
        """Add an object to a list of the JSON; its number."""
        self.doc.setdefault(name, []).append(described)
        return len(self.doc[name]) - 1

    def view(self, data: bytes, more: Json | None = None) -> int:
        """Add data; the number of its view."""
        self.binary += b"\0" * (-len(self.binary) % 4)
        place = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)}
        self.binary += data
        return self.append("bufferViews", {**place, **(more or {})})

    def accessor(self, rows: Array, more: Json | None = None, target: int = VERTICES) -> int:
        """Add numbers (n, width), or indices (n,); the number of their accessor. Rows of vertices
        begin at multiples of four bytes, as glTF wants."""
        width = 1 if rows.ndim == 1 else rows.shape[1]
        code = rows.dtype.str[1:]
        stride: Json = {"target": target}
        data = np.ascontiguousarray(rows)
        if target == VERTICES and data.nbytes and (size := width * data.itemsize) % 4:
            padded = np.zeros((len(data), size + -size % 4), np.uint8)
            padded[:, :size] = data.view(np.uint8).reshape(len(data), size)
            data, stride["byteStride"] = padded, padded.shape[1]
        view = self.view(data.tobytes(), stride)
        described = {
            "bufferView": view,
            "componentType": _CODES[code],
            "count": len(rows),
            "type": _NAMES[width],
        }
        return self.append("accessors", {**described, **(more or {})})

    def indices(self, rows: Array) -> int:
        """Add the rows of triangles."""
        kind = np.uint16 if rows.max(initial=0) < 65535 else np.uint32
        return self.accessor(rows.astype(kind), target=INDICES)

    def texture(self, maps: Maps, name: str, cut: Array | None = None) -> int:
        """The texture of an image file; cut (h, w): the alpha that it gets."""
        file = maps[name]
        key = f"{file} {cut is not None}"
        if key not in self._textures:
            data = file.read_bytes()
            view = self.view(data if cut is None else cut_png(data, cut))
            image = {"bufferView": view, "mimeType": "image/png", "name": file.stem}
            source = self.append("images", image)
            self._textures[key] = self.append("textures", {"source": source})
        return self._textures[key]

    def painted(
        self,
        material: Json,
        maps: Maps,
        texcoord: int,
        widened: Json | None = None,
        cut: Array | None = None,
    ) -> Json:
        """A material with these maps instead of its own; all else stays. widened: see `Piece`.
        cut: see `texture`, for its colours."""
        made = deepcopy(material)
        where: Json = {"texCoord": texcoord} if texcoord else {}
        if widened is not None:
            where["extensions"] = {TEXTURE_TRANSFORM: widened}
        base = {"index": self.texture(maps, "base_color", cut), **where}
        surface = made.setdefault("pbrMetallicRoughness", {"metallicFactor": 0.0})
        if material == {} or not material.get("pbrMetallicRoughness"):
            surface.setdefault("roughnessFactor", _ROUGH)
        surface["baseColorTexture"] = base
        alpha = (surface.get("baseColorFactor") or [1, 1, 1, 1])[3]
        surface["baseColorFactor"] = [1, 1, 1, alpha]
        glossy = made.get("extensions", {}).get(_GLOSSY)
        if glossy is not None:
            alpha = (glossy.get("diffuseFactor") or [1, 1, 1, 1])[3]
            glossy |= {"diffuseTexture": dict(base), "diffuseFactor": [1, 1, 1, alpha]}
        if "orm" in maps:
            packed = {"index": self.texture(maps, "orm"), **where}
            surface |= {"metallicRoughnessTexture": packed, "metallicFactor": 1.0}
            surface["roughnessFactor"] = 1.0
            made["occlusionTexture"] = dict(packed)
        if "normal" in maps:
            made["normalTexture"] = {"index": self.texture(maps, "normal"), **where}
        return made

    def file(self) -> bytes:
        """The whole as a .glb file."""
        kept = self.doc["buffers"][0] if self.doc.get("buffers") else {}
        self.binary += b"\0" * (-len(self.binary) % 4)
        own = {key: value for key, value in kept.items() if key not in ("uri", "byteLength")}
        self.doc["buffers"] = [{**own, "byteLength": len(self.binary)}]
        return glb(self.doc, bytes(self.binary))


def glb(doc: Json, binary: bytes) -> bytes:
    """A .glb file of a JSON and the data of its buffer."""
    text = json.dumps(doc, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks
