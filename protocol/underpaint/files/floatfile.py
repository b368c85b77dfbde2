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

from .exrfile import Floats, read_exr
from .hdrfile import read_hdr
from .refusal import refused

FLOAT_SUFFIXES = (".exr", ".hdr", ".pic")
EXR, HDR = b"v/1\x01", b"#?"
_OTHERS = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"II*\0", b"MM\0*", b"BM")
_DEPTH_NAMES, _ONLY_NAMES = ("Z", "depth", "Depth"), ("Y", "V", "R")
_COLOURS = tuple("RGBYV")
_REC709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def is_float(path: Path) -> bool:
    """Whether a file holds floats: by its first bytes, and by its ending where they say nothing."""
    if _starts(path, EXR) or _starts(path, HDR):
        return True
    return path.suffix.lower() in FLOAT_SUFFIXES and not any(_starts(path, m) for m in _OTHERS)


def _starts(path: Path, mark: bytes) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(mark)) == mark
    except OSError:
        return path.suffix.lower() == ".exr" and mark == EXR


def read_linear(path: Path) -> Floats:
    """Colours (h, w, 3) or (h, w, 4) float32, linear Rec.709, straight alpha.

    Raises RequestError: FILE, TOO_LARGE.
    """
    if not _starts(path, EXR):
        return read_hdr(path)
    channels, header = read_exr(path, outside=0.0)
    stored, alpha = _exr_colour(path, channels)
    with np.errstate(invalid="ignore"):  # what is no number is none in any primaries
        colour = stored @ to_rec709(header.get("chromaticities")).T
    if alpha is None:
        return colour.astype(np.float32)
    straight = colour / np.where(alpha > 0, alpha, 1)[..., None]
    return np.dstack([straight, alpha]).astype(np.float32)


def read_exr_depth(path: Path) -> Floats:
    """The depth channel of an EXR, (h, w) float32: `Z`, a layer's `.Z`, else the only one; +inf
    where the file has no pixels."""
    channels, _header = read_exr(path, outside=np.inf)
    last = [name for name in channels if name.rpartition(".")[2] in _DEPTH_NAMES]
    of_layer = [name for name in channels if ".depth." in f".{name.lower()}"]
    alone = [name for name in _ONLY_NAMES if _grey(channels, name)]
    for name in (*_DEPTH_NAMES, *last, *of_layer, *alone):
        if name in channels:
            return channels[name]
    raise refused(
        path,
        f"has no depth channel: its channels are {', '.join(sorted(channels))}",
        "Write the depth pass as channel Z, in metres along the view axis.",
    )


def _grey(channels: Mapping[str, Floats], name: str) -> bool:
    """Whether a channel is all that the picture shows: one of three that differ is a colour."""
    if name not in channels:
        return False
    others = [channels[other] for other in "RGB" if name == "R" and other in channels]
    return all(np.array_equal(channels[name], other, equal_nan=True) for other in others)


def _exr_colour(path: Path, channels: Mapping[str, Floats]) -> tuple[Floats, Floats | None]:
    """Red, green, blue, and alpha where it is there: of the root, else of the first layer."""
    if not any(name[-1:] in _COLOURS for name in channels):  # some programs write small letters
        channels = {name[:-1] + name[-1:].upper(): pixels for name, pixels in channels.items()}
    layers = sorted({name[:-1] for name in channels if name[-1:] in _COLOURS}, key=_by_purpose)
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


def to_rec709(chromaticities: Any) -> npt.NDArray[np.float64]:
    """3×3: linear colours of these primaries (red, green, blue, white; x, y each) to Rec.709's,
    the white adapted by Bradford's method. None: they are Rec.709's already."""
    flat = np.asarray(_REC709 if chromaticities is None else chromaticities, float).ravel()
    if flat.size != 8 or np.allclose(flat, _REC709, atol=1e-3):
        return np.eye(3)
    try:
        with np.errstate(all="ignore"):
            source, target = _to_xyz(flat), _to_xyz(np.array(_REC709))
            cones = _BRADFORD @ np.stack([source @ np.ones(3), target @ np.ones(3)], axis=1)
            adapt = np.linalg.inv(_BRADFORD) @ np.diag(cones[:, 1] / cones[:, 0]) @ _BRADFORD
            matrix: npt.NDArray[np.float64] = np.linalg.inv(target) @ adapt @ source
    except np.linalg.LinAlgError:  # primaries on one line are none
        return np.eye(3)
    return matrix if bool(np.isfinite(matrix).all()) else np.eye(3)


def _to_xyz(chromaticities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x, y = chromaticities.reshape(4, 2).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    scale = np.linalg.solve(columns[:, :3], columns[:, 3])
    return columns[:, :3] * scale
