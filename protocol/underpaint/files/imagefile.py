"""Image files to arrays, for the command line and scripts.

Needs Pillow; OpenEXR for .exr.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..srgb import srgb
from .decoding import Image8, decode, to_bytes
from .floatfile import is_float, read_exr_depth, read_linear
from .maskfile import mask_of
from .refusal import refused

# The grey that alpha is laid on wherever colours alone are wanted.
_HIDDEN = np.array([128, 128, 128, 0], np.uint8)
_BAND = 64  # rows
_NO_ARRAY = (
    *(OSError, ValueError, TypeError, EOFError, MemoryError, SyntaxError, zipfile.BadZipFile),
    *(KeyError, NotImplementedError, zlib.error),
)
_MOST_BYTES = 1 << 30
_FAR = 1e9  # Blender's Z pass says 1e10 where there is nothing


def read_color(path: Path) -> Image8:
    """What a picture looks like: (h, w, 3) uint8 sRGB, or (h, w, 4) with straight alpha when some
    of it is transparent. Colours that alpha hides are not part of it: two pictures that look
    alike are equal. Raises RequestError(FILE or TOO_LARGE) that names the file.
    """
    pixels = read_texels(path)
    if pixels.shape[2] == 3:
        return pixels
    if bool((pixels[..., 3] == 255).all()):
        return np.ascontiguousarray(pixels[..., :3])
    return np.where(pixels[..., 3:] == 0, _HIDDEN, pixels)


def read_texels(path: Path) -> Image8:
    """Every texel as it is stored, those under alpha 0 as well: (h, w, 3 or 4) uint8 sRGB."""
    if is_float(path):
        return _shown(_float_file(path))
    pixels = decode(path, managed=True)
    if pixels.shape[2] > 2:
        return pixels
    return np.ascontiguousarray(np.dstack([pixels[..., :1]] * 3 + [pixels[..., 1:]]))


def read_mask(path: Path) -> Image8:
    """A mask as (h, w) uint8: 255 is painted, 0 is kept; see `mask_of` for where it may be drawn.
    Raises RequestError(FILE or TOO_LARGE)."""
    if is_float(path):
        return mask_of(to_bytes(_float_file(path)), path)
    return mask_of(decode(path, managed=False), path)


def read_depth(path: Path) -> npt.NDArray[np.float32]:
    """Depth as (h, w) float32: metres along the view axis, +inf = background. A `.npy` array, the
    `depth` (or the only array) of an `.npz`, or an EXR's depth channel.

    Raises RequestError(FILE)."""
    suffix = path.suffix.lower()
    if suffix == ".exr":
        depth = read_exr_depth(path)
    elif suffix in ("", ".npy", ".npz"):
        depth = _array(path)
    else:
        raise refused(
            path,
            "does not hold metres",
            "Give .npy, .npz or .exr with metres; a picture of depth is a control "
            "(--control depth=PICTURE).",
        )
    # A renderer's "nothing here" is a large number; NaN is what some write instead.
    empty = ~(depth < _FAR)
    if (depth[~empty] <= 0).any():
        raise refused(
            path,
            "has values of zero or below: depth is the distance in metres from the camera",
            "Write infinity where there is nothing.",
        )
    return np.where(empty, np.float32(np.inf), depth).astype(np.float32)


def _array(path: Path) -> npt.NDArray[np.float32]:
    try:
        array = _depth_in(np.load(path, allow_pickle=False))
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            raise ValueError("it holds no array of numbers")
        values: npt.NDArray[np.float32] = np.squeeze(np.asarray(array)).astype(np.float32)
    except _NO_ARRAY as error:
        kind = path.suffix or ".npy"
        raise refused(path, f"cannot be read as {kind}: {error}") from error
    if values.ndim != 2:
        raise refused(path, f"has shape {values.shape}; expected (height, width)")
    return values


def _depth_in(found: Any) -> Any:
    """The array, or the one of an archive that is its depth. Raises ValueError."""
    if not isinstance(found, np.lib.npyio.NpzFile):
        return found
    with found:
        names = [name for name in found.files if name.lower() == "depth"] or found.files
        if len(names) != 1:
            held = ", ".join(found.files) or "nothing"
            raise ValueError(f"it holds {held}, and no array named depth")
        assert found.zip is not None
        if max(info.file_size for info in found.zip.infolist()) > _MOST_BYTES:
            raise ValueError("it unpacks to more than any picture of depth")
        return found[names[0]]


def _float_file(path: Path) -> npt.NDArray[np.float32]:
    try:
        return np.nan_to_num(read_linear(path), copy=False, nan=0.0, posinf=1.0, neginf=0.0)
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error


def _shown(light: npt.NDArray[np.float32]) -> Image8:
    """Linear colours as sRGB bytes; alpha is linear as it is."""
    shown = np.empty(light.shape, np.uint8)
    for top in range(0, len(light), _BAND):  # the curve in doubles takes several times the picture
        band = slice(top, top + _BAND)
        shown[band, :, :3] = to_bytes(srgb(light[band, :, :3]))
        shown[band, :, 3:] = to_bytes(light[band, :, 3:])
    return shown
