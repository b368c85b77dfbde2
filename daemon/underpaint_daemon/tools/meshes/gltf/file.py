"""A glTF file as it is: its JSON, untouched, and its binary data; and numbers out of accessors."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Json = dict[str, Any]
_MAGIC, _JSON, _BIN = b"glTF", 0x4E4F534A, 0x004E4942
_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
PACKED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression")
_HARMLESS = ("KHR_materials_", "KHR_texture_", "KHR_lights_", "KHR_xmp", "KHR_animation_")
_KNOWN = (
    "KHR_mesh_quantization",
    "EXT_texture_webp",
    "EXT_texture_avif",
    "MSFT_texture_dds",
    "EXT_mesh_gpu_instancing",
    "KHR_node_visibility",
    "KHR_audio_emitter",
)
_MOST_ITEMS = 64  # numbers an accessor without data of its own may hold, a byte of the file


@dataclass(frozen=True, slots=True)
class Gltf:
    """doc: the JSON. buffers: its binary data. folder: where what it names by path lies. size: of
    the file in bytes."""

    doc: Json
    buffers: tuple[bytes | memoryview, ...]
    folder: Path
    size: int

    @property
    def unread(self) -> str | None:
        """The name of an extension that is required and not understood here."""
        required = self.doc.get("extensionsRequired", [])
        known = (n for n in required if n not in _KNOWN and not str(n).startswith(_HARMLESS))
        return next(iter(known), None)


def read_gltf(data: bytes, folder: Path) -> Gltf:
    """The parts of a .glb or .gltf file. Raises ValueError, or OSError when a file it names cannot
    be read."""
    own: bytes | memoryview = b""
    text = data
    if data[:4] == _MAGIC:
        text, own = _chunks(data)
    doc = json.loads(text)
    version = str(_get(doc, "asset", "version"))
    if version.startswith("1"):
        raise ValueError(
            f"it is glTF {version}; open it in Blender or a converter, and save it as 2.0"
        )
    if not isinstance(doc, dict) or not version.startswith("2"):
        raise ValueError("it is no glTF 2 file")
    buffers = tuple(
        _buffer(item, own if i == 0 else b"", folder)
        for i, item in enumerate(items(doc, "buffers"))
    )
    return Gltf(doc, buffers, folder, len(data))


def _get(doc: Json, *path: str) -> Any:
    at: Any = doc
    for key in path:
        at = at.get(key) if isinstance(at, dict) else None
    return at


def items(doc: Mapping[str, Any], name: str) -> list[Json]:
    """A list of objects of the JSON. Raises ValueError when it is anything else."""
    found = doc.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError(f"its {name} are no list of objects")
    return found


def item(doc: Json, name: str, number: Any) -> Json:
    """One object of a list. Raises ValueError when there is none of that number."""
    found = doc.get(name, [])  # not looked through: it is asked for thousands of times
    if type(number) is not int or not isinstance(found, list) or not 0 <= number < len(found):
        raise ValueError(f"it has no {name}[{number!r}]")
    one = found[number]
    if not isinstance(one, dict):
        raise ValueError(f"its {name} are no list of objects")
    return one


def _chunks(data: bytes) -> tuple[bytes, bytes | memoryview]:
    """The JSON, and the binary data, which is not copied."""
    if len(data) < 20 or struct.unpack_from("<I", data, 4)[0] != 2:
        raise ValueError("it is no glTF 2 file, or ends in its header")
    parts: dict[int, memoryview] = {}
    at = 12
    while at + 8 <= len(data):
        size, kind = struct.unpack_from("<II", data, at)
        if at + 8 + size > len(data):
            if _BIN in parts:  # what follows is no part of it
                break
            raise ValueError("it ends early")
        parts.setdefault(kind, memoryview(data)[at + 8 : at + 8 + size])
        at += 8 + size
    if _JSON not in parts:
        raise ValueError("it has no JSON")
    return bytes(parts[_JSON]).rstrip(b"\0 "), parts.get(_BIN, b"")


def _buffer(described: Json, own: bytes | memoryview, folder: Path) -> bytes | memoryview:
    uri = described.get("uri")
    found = own if uri is None else uri_bytes(str(uri), folder)
    length = described.get("byteLength", 0)
    if uri is None and not found and any(n in described.get("extensions", {}) for n in PACKED):
        raise ValueError("its data is compressed")  # and nobody wrote it beside it plainly
    if type(length) is not int or length > len(found):
        raise ValueError(f"a buffer of {length!r} bytes has {len(found)}")
    return found


def uri_bytes(uri: str, folder: Path) -> bytes:
    """What a URI of a glTF file stands for: data of its own, or a file that lies by its path from
    the file's. Raises ValueError or OSError."""
    if uri.startswith("data:"):
        return _own_data(uri)
    if "://" in uri or uri.startswith(("/", "\\", "file:")) or PureWindowsPath(uri).drive:
        raise ValueError(f"it needs {uri[:60]}; files are named from where it lies itself")
    if "\0" in uri:
        raise ValueError("a file's name has a zero in it")
    # As it should be written; as it is, and as Windows programs do.
    names = dict.fromkeys((unquote(uri), uri, unquote(uri).replace("\\", "/")))
    found = [path for path in (folder / name for name in names) if path.is_file()]
    return (found[0] if found else folder / unquote(uri)).read_bytes()


def _own_data(uri: str) -> bytes:
    head, _, body = uri.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    letters = "".join(unquote(body).split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"it holds data that is no base64: {error}") from error


def raw_accessor(gltf: Gltf, number: Any) -> Array:
    """The numbers (n, width) of an accessor as they are stored. Raises ValueError."""
    described = item(gltf.doc, "accessors", number)
    count, width = described.get("count"), _WIDTHS.get(str(described.get("type")))
    code = _TYPES.get(described.get("componentType", 0))
    if type(count) is not int or count < 0 or width is None or code is None:
        raise ValueError(f"accessors[{number}] is not well-formed")
    if described.get("bufferView") is None:
        if count * width > _MOST_ITEMS * gltf.size:
            raise ValueError(f"accessors[{number}] promises {count} items and has no data")
        found = np.zeros((count, width), code)
    else:
        found = _strided(gltf, described, count, np.dtype((code, (width,))))
    if "sparse" in described:
        found = _replaced(gltf, described["sparse"], found.copy())
    return found


def accessor(gltf: Gltf, number: Any) -> Array:
    """The numbers (n, width) of an accessor, normalised ones as float32."""
    found = raw_accessor(gltf, number)
    if item(gltf.doc, "accessors", number).get("normalized") and found.dtype.kind in "iu":
        most = np.iinfo(found.dtype).max
        return np.asarray(np.maximum(found / np.float32(most), -1), np.float32)
    return found


def _strided(gltf: Gltf, described: Json, count: int, dtype: Any) -> Array:
    view = item(gltf.doc, "bufferViews", described.get("bufferView"))
    where = view.get("buffer")
    start = _whole(view, "byteOffset") + _whole(described, "byteOffset")
    length = _whole(view, "byteLength")
    size = dtype.itemsize
    stride = _whole(view, "byteStride") or size
    if type(where) is not int or not 0 <= where < len(gltf.buffers):
        raise ValueError(f"it has no buffers[{where!r}]")
    data = gltf.buffers[where]
    end = start + stride * (count - 1) + size if count else start
    if end > len(data) or end > _whole(view, "byteOffset") + length or stride < size:
        raise ValueError("an accessor reaches beyond its data")
    base, shape = dtype.subdtype
    strides = (stride, base.itemsize)
    return np.ndarray((count, *shape), base, data, start, strides)


def _whole(described: Json, name: str) -> int:
    value = described.get(name, 0)
    if type(value) is not int or value < 0:
        raise ValueError(f"{name} is {value!r}")
    return value


def _replaced(gltf: Gltf, sparse: Any, found: Array) -> Array:
    if not isinstance(sparse, dict):
        raise ValueError("a sparse accessor is not well-formed")
    indices, values = sparse.get("indices"), sparse.get("values")
    if not isinstance(indices, dict) or not isinstance(values, dict):
        raise ValueError("a sparse accessor is not well-formed")
    count, code = _whole(sparse, "count"), _TYPES.get(indices.get("componentType", 0))
    if code is None:
        raise ValueError("a sparse accessor is not well-formed")
    rows = _strided(gltf, indices, count, np.dtype((code, (1,))))[:, 0].astype(np.int64)
    new = _strided(gltf, values, count, np.dtype((found.dtype.str, (found.shape[1],))))
    if len(rows) and rows.max() >= len(found):
        raise ValueError("a sparse accessor names a row that is not there")
    found[rows] = new
    return found


def require_plain(gltf: Gltf, primitive: Json) -> None:
    """Raise ValueError when a compressed primitive's plain data is not there beside it."""
    numbers = (*primitive.get("attributes", {}).values(), primitive.get("indices"))
    described = [item(gltf.doc, "accessors", n) for n in numbers if n is not None]
    if any("bufferView" not in one and "sparse" not in one for one in described):
        raise ValueError("its data is compressed")
