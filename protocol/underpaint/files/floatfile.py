"""Float pictures: OpenEXR (by its own library) and Radiance HDR.

Colours are scene-linear. They become Rec.709's primaries by the file's chromaticities, where it
has some, and are clipped to 0..1 when they are shown: what Blender's view transform `Standard`
does. EXR's alpha is associated (premultiplied), as the format says.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .hdrfile import read_hdr
from .refusal import check_pixels, refused

Floats = npt.NDArray[np.float32]
FLOAT_SUFFIXES = (".exr", ".hdr", ".pic")
_DEPTH_NAMES, _ONLY_NAMES = ("Z", "depth", "Depth"), ("Y", "V", "R")
_REC709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def read_linear(path: Path) -> Floats:
    """Colours (h, w, 3) or (h, w, 4) float32, linear Rec.709, straight alpha.

    Raises RequestError: FILE, TOO_LARGE.
    """
    if path.suffix.lower() != ".exr":
        return read_hdr(path)
    channels, header = _read_exr(path)
    stored, alpha = _exr_colour(path, channels)
    colour = stored @ _to_rec709(header.get("chromaticities")).T
    if alpha is None:
        return colour.astype(np.float32)
    straight = colour / np.where(alpha > 0, alpha, 1)[..., None]
    return np.dstack([straight, alpha]).astype(np.float32)


def read_exr_depth(path: Path) -> Floats:
    """The depth channel of an EXR, (h, w) float32: `Z`, a layer's `.Z`, else the only one."""
    channels, _header = _read_exr(path)
    last = [name for name in channels if name.rpartition(".")[2] in _DEPTH_NAMES]
    of_layer = [name for name in channels if ".depth." in f".{name.lower()}"]
    for name in (*_DEPTH_NAMES, *last, *of_layer, *_ONLY_NAMES):
        if name in channels:
            return channels[name]
    raise refused(
        path,
        f"has no depth channel: its channels are {', '.join(sorted(channels))}",
        "Write the depth pass as channel Z, in metres along the view axis.",
    )


def _read_exr(path: Path) -> tuple[dict[str, Floats], Mapping[str, Any]]:
    try:
        import OpenEXR
    except ImportError as error:
        raise refused(path, "is OpenEXR", "Install it: pip install OpenEXR.") from error
    try:
        # In parts: the header tells the size before a pixel is read.
        with OpenEXR.File(str(path), separate_channels=True, header_only=True) as head:
            low, high = (np.asarray(v) for v in head.header()["dataWindow"])
            width, height = (int(n) for n in high - low + 1)
        check_pixels(path, width, height)
        with OpenEXR.File(str(path), separate_channels=True) as file:
            found = {name: channel.pixels for name, channel in file.channels().items()}
            header = dict(file.header())
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise refused(path, f"cannot be read as OpenEXR: {error}") from error
    whole = {
        name: np.asarray(pixels, np.float32)
        for name, pixels in found.items()
        if pixels.shape == (height, width)
    }
    return whole, header


def _exr_colour(path: Path, channels: Mapping[str, Floats]) -> tuple[Floats, Floats | None]:
    """Red, green, blue, and alpha where it is there: of the root, else of the first layer."""
    layers = sorted({name[:-1] for name in channels if name[-1:] in "RGBYV"}, key=_by_purpose)
    for layer in layers:
        alpha = channels.get(f"{layer}A")
        if all(f"{layer}{letter}" in channels for letter in "RGB"):
            return np.dstack([channels[f"{layer}{letter}"] for letter in "RGB"]), alpha
        for letter in "YV":
            if f"{layer}{letter}" in channels:
                return np.dstack([channels[f"{layer}{letter}"]] * 3), alpha
    raise refused(path, f"holds no colours: its channels are {', '.join(sorted(channels))}")


def _by_purpose(layer: str) -> tuple[bool, bool, str]:
    """The root first, then a render's combined pass."""
    return layer != "", "ombined" not in layer, layer


def _to_rec709(chromaticities: Any) -> npt.NDArray[np.float64]:
    """3×3: linear colours of these primaries (red, green, blue, white; x, y each) to Rec.709's,
    the white adapted by Bradford's method. None: they are Rec.709's already."""
    flat = np.asarray(_REC709 if chromaticities is None else chromaticities, float).ravel()
    if flat.size != 8 or np.allclose(flat, _REC709, atol=1e-3):
        return np.eye(3)
    source, target = _to_xyz(flat), _to_xyz(np.array(_REC709))
    cones = _BRADFORD @ np.stack([source @ np.ones(3), target @ np.ones(3)], axis=1)
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(cones[:, 1] / cones[:, 0]) @ _BRADFORD
    matrix: npt.NDArray[np.float64] = np.linalg.inv(target) @ adapt @ source
    return matrix


def _to_xyz(chromaticities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x, y = chromaticities.reshape(4, 2).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    scale = np.linalg.solve(columns[:, :3], columns[:, 3])
    return columns[:, :3] * scale
