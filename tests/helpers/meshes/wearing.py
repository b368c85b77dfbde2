"""Meshes that wear plain colours, as a job would leave them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from underpaint_daemon.tools.assets.export import Exported, export
from underpaint_daemon.tools.meshes.files import MeshFile
from underpaint_daemon.tools.meshes.layout import tile_numbers
from underpaint_daemon.tools.meshes.wear import Wear, wear


def worn(file: MeshFile, folder: Path, *, maps: bool = False) -> Wear:
    """An image for each tile; triangles without UVs get some on the tenth tile, all apart."""
    uv, bare = file.corners.uv.copy(), file.corners.bare
    places = np.random.default_rng(1).random((int(bare.sum()) * 3, 2), np.float32)
    uv[bare.repeat(3)] = places + np.array([0 if bare.all() else 9, 0], np.float32)
    images = {}
    for number in np.unique(tile_numbers(uv)).tolist():
        images[number] = {"base_color": folder / f"texture_{number}.png"}
        Image.new("RGB", (8, 8), (number % 256, 90, 30)).save(images[number]["base_color"])
        if maps:
            images[number] |= {"orm": folder / "orm.png", "normal": folder / "normal.png"}
            for name in ("orm", "normal"):
                Image.new("RGB", (8, 8), (128, 128, 255)).save(folder / f"{name}.png")
    return wear(file.polygons, file.corners.source, uv, bare, images, file.own)


def painted(file: MeshFile, folder: Path, *, maps: bool = False) -> Exported:
    """The mesh as .obj and .glb in a folder, which is made."""
    folder.mkdir(parents=True)
    return export(file, worn(file, folder, maps=maps), folder, ["glb"])


def glb(doc: dict[str, Any], binary: bytes) -> bytes:
    """A .glb file."""
    import json

    text = json.dumps(doc).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks
