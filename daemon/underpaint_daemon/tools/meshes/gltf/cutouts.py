"""Leaves, hair and fences: what the alpha of a material's picture cuts out of its faces stays cut
out under the paint."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from .file import Gltf, Json, item, uri_bytes

Array = npt.NDArray[Any]
_UNREADABLE = (OSError, ValueError, SyntaxError, LookupError, TypeError, AttributeError)
_CLEAR = 0.05
_TRANSFORM = "KHR_texture_transform"
_KTX2 = b"\xabKTX 20\xbb"


def cutout(gltf: Gltf, material: Json, *, widened: bool) -> Array | None:
    """The alpha (h, w) uint8 that the picture of a material cuts its faces out with, where it does
    and its UVs are those of the paint. widened: see `Piece`."""
    info = _picture_of(material)
    if info is None or (_is_moved(info) and not widened):
        return None
    from PIL import Image  # most materials are opaque

    try:
        image = Image.open(io.BytesIO(_image_bytes(gltf, info)))
        if not image.has_transparency_data:
            return None
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    except (*_UNREADABLE, Image.DecompressionBombError):
        return None  # what viewers cannot read either cuts nothing out
    return None if alpha.min() == 255 else alpha


def cut_png(png: bytes, alpha: Array) -> bytes:
    """A painted PNG with another picture's alpha, at its own size."""
    from PIL import Image

    paint = Image.open(io.BytesIO(png)).convert("RGB")
    shape = Image.fromarray(alpha).resize(paint.size, Image.Resampling.BILINEAR)
    paint.putalpha(shape)
    stream = io.BytesIO()
    paint.save(stream, "PNG")
    return stream.getvalue()


def told_of_alpha(gltf: Gltf, material: Json) -> str | None:
    """A sentence where the paint will not be seen as the artist may expect."""
    if material.get("alphaMode", "OPAQUE") == "OPAQUE":
        return None
    name = material.get("name", "without a name")
    factor = material.get("pbrMetallicRoughness", {}).get("baseColorFactor") or [1, 1, 1, 1]
    if material["alphaMode"] == "BLEND" and factor[3] < _CLEAR:
        return f"The material {name!r} is see-through (alpha {factor[3]:.2g}): so is its paint."
    info = _picture_of(material)
    if info is not None and _is_moved(info):
        return (
            f"The material {name!r} is cut out by a picture that is moved on its UVs: the paint "
            "covers all of its faces."
        )
    if info is not None and _is_packed(gltf, info):
        return (
            f"The material {name!r} is cut out by a picture for graphics cards (KTX2), which is "
            "not read here: the paint covers all of its faces. Save it with PNG pictures to keep "
            "their outlines."
        )
    return None


def _is_packed(gltf: Gltf, info: Json) -> bool:
    try:
        return _image_bytes(gltf, info).startswith(_KTX2)
    except _UNREADABLE:
        return False


def _picture_of(material: Json) -> Json | None:
    if material.get("alphaMode", "OPAQUE") == "OPAQUE":
        return None
    info = material.get("pbrMetallicRoughness", {}).get("baseColorTexture")
    return info if isinstance(info, dict) else None


def _is_moved(info: Json) -> bool:
    moved = info.get("extensions", {}).get(_TRANSFORM, {})
    return any(name in moved for name in ("offset", "scale", "rotation"))


def _image_bytes(gltf: Gltf, info: Json) -> bytes:
    texture = item(gltf.doc, "textures", info.get("index"))
    others = [e["source"] for e in texture.get("extensions", {}).values() if "source" in e]
    image = item(gltf.doc, "images", texture.get("source", next(iter(others), None)))
    if "uri" in image:
        return uri_bytes(str(image["uri"]), gltf.folder)
    view = item(gltf.doc, "bufferViews", image.get("bufferView"))
    start = view.get("byteOffset", 0)
    return bytes(gltf.buffers[view.get("buffer", 0)][start : start + view["byteLength"]])
