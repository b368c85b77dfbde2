"""OpenEXR files by their own library: the channels of all parts, in the display window."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .refusal import check_pixels, refused

Floats = npt.NDArray[np.float32]
Window = tuple[int, int, int, int]
"""left, top, right, bottom; the last two are outside of it."""


def read_exr(path: Path, outside: float) -> tuple[dict[str, Floats], Mapping[str, Any]]:
    """The channels (h, w) by their names, and the header of the first part. Of parts that share a
    name the later have their part's before theirs. The picture is the display window; `outside`:
    what stands where the file has no pixels.

    Raises RequestError: FILE, TOO_LARGE.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise refused(path, "is OpenEXR", "Install it: pip install OpenEXR.") from error
    try:
        # In two steps: the headers tell the sizes before a pixel is read.
        with OpenEXR.File(str(path), separate_channels=True, header_only=True) as head:
            for part in head.parts:
                for name in ("dataWindow", "displayWindow"):
                    left, top, right, bottom = _window(part.header, name)
                    check_pixels(path, right - left, bottom - top)
        with OpenEXR.File(str(path), separate_channels=True) as file:
            found = dict[str, Floats]()
            for part in file.parts:
                for name, channel in part.channels.items():
                    key = name if name not in found else f"{part.name()}.{name}"
                    if (pixels := _placed(channel.pixels, part.header, outside)) is not None:
                        found[key] = pixels
            header = dict(file.header())
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise refused(path, f"cannot be read as OpenEXR: {error}") from error
    first = next(iter(found.values()), None)
    return {n: p for n, p in found.items() if first is not None and p.shape == first.shape}, header


def _window(header: Mapping[str, Any], name: str) -> Window:
    low, high = (np.asarray(corner).tolist() for corner in header[name])
    return int(low[0]), int(low[1]), int(high[0]) + 1, int(high[1]) + 1


def _placed(pixels: Any, header: Mapping[str, Any], outside: float) -> Floats | None:
    """A channel in the display window; None for one of fewer samples than pixels."""
    data, shown = _window(header, "dataWindow"), _window(header, "displayWindow")
    if np.shape(pixels) != (data[3] - data[1], data[2] - data[0]):
        return None
    left, top = max(data[0], shown[0]), max(data[1], shown[1])
    right, bottom = min(data[2], shown[2]), min(data[3], shown[3])
    if data == shown or right <= left or bottom <= top:
        return np.asarray(pixels, np.float32)
    whole = np.full((shown[3] - shown[1], shown[2] - shown[0]), outside, np.float32)
    seen = pixels[top - data[1] : bottom - data[1], left - data[0] : right - data[0]]
    whole[top - shown[1] : bottom - shown[1], left - shown[0] : right - shown[0]] = seen
    return whole
