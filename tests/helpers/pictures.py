"""Pictures on the disk, and what is in them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

RAMP = np.linspace(0, 255, 64).round().astype(np.uint8)
GREYS = np.tile(RAMP, (8, 1))
COLOURS = np.stack([GREYS, GREYS[:, ::-1], np.full_like(GREYS, 90)], axis=2)


def saved(folder: Path, pixels: np.ndarray, name: str = "p.png", **options: object) -> Path:
    Image.fromarray(pixels).save(folder / name, **options)
    return folder / name


def png(
    path: Path, pixels: np.ndarray, kind: int, chunks: dict[bytes, bytes] | None = None
) -> Path:
    """A PNG of 8 or 16 bits (big-endian) with chunks before its pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    high, wide = pixels.shape[:2]
    head = struct.pack(">IIBBBBB", wide, high, pixels.itemsize * 8, kind, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = {b"IHDR": head, **(chunks or {}), b"IDAT": zlib.compress(rows), b"IEND": b""}
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts.items()))
    return path


# ---- EXR ------------------------------------------------------------------------------------
