"""A glTF file put together by hand, array by array."""

from __future__ import annotations

from typing import Any

import numpy as np

_CODES = {"f4": 5126, "u2": 5123, "u1": 5121, "i2": 5122, "u4": 5125}
_NAMES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
POINTS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5]], np.float32)
UV = np.array([[0.1, 0.2], [0.9, 0.2], [0.9, 0.7], [0.1, 0.7]], np.float32)
ROWS = np.array([0, 1, 2, 0, 2, 3], np.uint16)


class Draft:
    """A glTF file under way."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.doc: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "accessors": [],
            "bufferViews": [],
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, "name": "Thing"}],
        }

    def view(self, data: bytes, **more: Any) -> int:
        self.binary += b"\0" * (-len(self.binary) % 4)
        place = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data), **more}
        self.binary += data
        self.doc["bufferViews"].append(place)
        return len(self.doc["bufferViews"]) - 1

    def numbers(self, rows: np.ndarray, **more: Any) -> int:
        width = 1 if rows.ndim == 1 else rows.shape[1]
        described = {
            "bufferView": self.view(np.ascontiguousarray(rows).tobytes()),
            "componentType": _CODES[rows.dtype.str[1:]],
            "count": len(rows),
            "type": _NAMES[width],
            **more,
        }
        self.doc["accessors"].append(described)
        return len(self.doc["accessors"]) - 1

    def primitive(self, uv: np.ndarray | None = UV, **more: Any) -> dict[str, Any]:
        bounds = {"min": POINTS.min(0).tolist(), "max": POINTS.max(0).tolist()}
        attributes = {"POSITION": self.numbers(POINTS, **bounds)}
        if uv is not None:
            attributes["TEXCOORD_0"] = self.numbers(uv)
        return {"attributes": attributes, "indices": self.numbers(ROWS), **more}

    def mesh(self, *primitives: dict[str, Any], **more: Any) -> None:
        self.doc.setdefault("meshes", []).append({"primitives": list(primitives), **more})

    def image(self, data: bytes = b"\x89PNG") -> int:
        """A texture's number."""
        image = {"bufferView": self.view(data), "mimeType": "image/png"}
        self.doc.setdefault("images", []).append(image)
        self.doc.setdefault("textures", []).append({"source": len(self.doc["images"]) - 1})
        return len(self.doc["textures"]) - 1
