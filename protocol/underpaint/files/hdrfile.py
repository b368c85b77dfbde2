"""Radiance HDR pictures (Ward, "Real Pixels", Graphics Gems II; radsite.lbl.gov/radiance/refer)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .refusal import check_pixels, refused

Floats = npt.NDArray[np.float32]
_SIZE = re.compile(rb"([-+])Y (\d{1,6}) ([-+])X (\d{1,6})\n")
_RLE_SIDES = range(8, 32768)


def read_hdr(path: Path) -> Floats:
    """(h, w, 3) float32, linear. Raises RequestError: FILE, TOO_LARGE; OSError."""
    data = path.read_bytes()
    end = data.find(b"\n\n")
    size = _SIZE.match(data, end + 2) if end >= 0 else None
    if not data.startswith(b"#?") or size is None or b"32-bit_rle_xyze" in data[: end + 1]:
        raise refused(path, "cannot be read as Radiance HDR (RGBE)")
    height, width = int(size[2]), int(size[4])
    check_pixels(path, width, height)
    try:
        packed = _scanlines(data[size.end() :], height, width)
    except (ValueError, IndexError) as error:
        raise refused(path, f"cannot be read as Radiance HDR: {error}") from error
    rows = packed if size[1] == b"-" else packed[::-1]
    return _light(rows if size[3] == b"+" else rows[:, ::-1])


def _light(packed: npt.NDArray[np.uint8]) -> Floats:
    light = packed[..., :3].astype(np.float32)
    np.ldexp(light, packed[..., 3:].astype(np.int32) - (128 + 8), out=light)
    light[packed[..., 3] == 0] = 0
    return light


def _scanlines(data: bytes, height: int, width: int) -> npt.NDArray[np.uint8]:
    """(h, w, 4) bytes: flat, or each scanline's channels one after another in runs."""
    mark = bytes((2, 2, width >> 8, width & 255)) if width in _RLE_SIDES else b""
    if not mark or not data.startswith(mark):
        flat = np.frombuffer(data, np.uint8)
        return flat[: height * width * 4].reshape(height, width, 4)
    out, at = np.empty((height, 4, width), np.uint8), 0
    for row in out:
        if data[at : at + 4] != mark:
            raise ValueError("a scanline does not begin where it should")
        at += 4
        for channel in row:
            at = _runs(data, at, channel)
    return out.transpose(0, 2, 1)


def _runs(data: bytes, at: int, channel: npt.NDArray[np.uint8]) -> int:
    """Fill one channel of a scanline from `data[at:]`; returns where its runs end."""
    done, width = 0, len(channel)
    while done < width:
        count = data[at]
        if count > 128:
            count -= 128
            channel[done : done + count] = data[at + 1]
            at += 2
        else:
            channel[done : done + count] = np.frombuffer(data, np.uint8, count, at + 1)
            at += 1 + count
        done += count
        if count == 0 or done > width:
            raise ValueError("a run is too long, or empty")
    return at
