"""Pictures made ready for Blender in any thread: as its numbers, or as PNG files. No bpy."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from underpaint.wire.envelope import new_id

Bytes = npt.NDArray[np.uint8]
_FAST = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """A picture as Blender takes it: RGBA as float32 0–1, rows from below."""

    flat: npt.NDArray[np.float32]
    height: int
    width: int


Ready = Rows | Path
"""A picture, or of a tiled one the file of its first tile."""


def rows(pixels: Bytes) -> Rows:
    """RGBA bytes (h, w, 4), row 0 on top, as Blender takes them."""
    height, width = pixels.shape[:2]
    flat = pixels[::-1].astype(np.float32).ravel()
    flat /= 255
    return Rows(flat, height, width)


def ready(name: str, tiles: Mapping[int, Bytes], folder: Path) -> Ready:
    """RGBA bytes (h, w, 4) by UDIM number, ready to become an image called `name`: a single tile as
    rows; several as files in `folder`, because Blender keeps tiles in files only."""
    if len(tiles) == 1:
        return rows(next(iter(tiles.values())))
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}-{new_id()[:8]}"
    files = {tile: folder / f"{stem}.{tile}.png" for tile in sorted(tiles)}
    for tile, file in files.items():
        file.write_bytes(png(tiles[tile]))
    return next(iter(files.values()))


def png(pixels: Bytes) -> bytes:
    """RGBA bytes (h, w, 4) as a PNG file (ISO/IEC 15948), rows unfiltered."""
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + width * 4), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, width * 4)
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), _FAST)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
