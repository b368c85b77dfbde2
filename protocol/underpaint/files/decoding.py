"""Picture files to 8-bit arrays, by Pillow: whatever its depth, colour type and orientation.

What depth means is the same everywhere: the full range is white, so 16 bits are divided by 257.
"""

from __future__ import annotations

import contextlib
import io
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import RequestError
from ..srgb import srgb
from .floatfile import is_float
from .pngcolour import Colours, colours_of, shown
from .refusal import check_pixels, not_a_picture, refused, too_large

Image8 = npt.NDArray[np.uint8]
FORMATS = (
    *("PNG", "JPEG", "WEBP", "AVIF", "JPEG2000", "TIFF", "BMP", "DIB", "GIF"),
    *("TGA", "PPM", "PSD", "DDS", "ICO", "PCX", "QOI", "SGI"),
)
"""What is opened: pictures. Not what Pillow runs other programs for (EPS, WMF) or streams."""
_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
_DEEP = ("RGB", "RGBA", "LA")
# What Pillow's readers are known to raise on files that are damaged or made up.
_UNREADABLE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError),
    *(NotImplementedError, AttributeError, struct.error, zlib.error, MemoryError),
)


def decode(path: Path, *, managed: bool) -> Image8:
    """A picture as it is seen: (h, w, 1), (h, w, 2), (h, w, 3) or (h, w, 4) uint8; two or four
    channels have straight alpha. The first frame of an animation.

    `managed`: colours are converted to sRGB from the file's profile or gamma; a mask's are data.
    Raises RequestError: FILE, TOO_LARGE.
    """
    with _opened(path) as image:
        check_pixels(path, image.width, image.height)
        colours = colours_of(path, dict(image.info)) if managed else Colours()
        deep = _sixteen(image, path)
        turn = image.getexif().get(0x0112, 1) if deep is not None else 1
        pixels = _turned(deep, turn) if deep is not None else _plain(image, managed)
        if deep is not None and managed:
            pixels = _profiled(image, pixels)
    return shown(pixels, colours)


def told_of_frames(path: Path) -> str | None:
    """A sentence where a picture is the first frame of an animation; None for any other, and for
    what is no picture, or one of floats (which needs no Pillow)."""
    if is_float(path):
        return None
    try:
        with _opened(path) as image:
            moves = image.format in _ANIMATED
            count = getattr(image, "n_frames", 1) if moves else 1
    except RequestError:
        return None
    if count == 1:
        return None
    return f"{path.name} is an animation of {count} frames: its first one is taken."


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from PIL import Image, UnidentifiedImageError

    Image.init()  # else Pillow knows the five commonest formats only
    known = [name for name in FORMATS if name in Image.OPEN]  # its AVIF is optional
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's notes about metadata, on a user's terminal
        try:
            with Image.open(path, formats=known) as image:
                yield image
        except UnidentifiedImageError as error:
            raise refused(path, *not_a_picture(path)) from error
        except Image.DecompressionBombError as error:
            raise too_large(path, "") from error
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise refused(path, f"cannot be read: {error.strerror}") from error
        except _UNREADABLE as error:
            raise refused(path, f"cannot be read as a picture: {error}") from error


def _plain(image: Any, managed: bool) -> Image8:
    """Any picture that Pillow decodes without loss to 8 bits, turned upright."""
    from PIL import ImageOps

    image.load()
    upright = ImageOps.exif_transpose(image) or image
    if upright.mode.startswith(("I", "F")):
        wide = np.asarray(upright)
        return _with_hole(_wide(wide, upright.mode), wide[..., None], upright.info)
    if managed and upright.info.get("icc_profile"):
        upright = _in_srgb(upright)
    return _planes(np.asarray(_simple(upright)))


def _simple(image: Any) -> Any:
    """The picture in one of L, LA, RGB and RGBA."""
    clear = image.has_transparency_data
    if image.mode in ("1", "L", "LA"):
        return image.convert("LA" if clear else "L")
    if image.mode == "LAB":
        return _from_lab(image)
    if image.mode in ("La", "RGBa"):
        return image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    return image.convert("RGBA" if clear else "RGB")


def _wide(values: npt.NDArray[Any], mode: str) -> Image8:
    """One channel of 16 or 32 bits, or of floats in linear light, as (h, w, 1) uint8."""
    if mode == "F":
        light = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
        return _planes(to_bytes(srgb(light)))
    steps = values.astype(np.float64)
    return _planes(to_bytes(steps / (65535 if steps.max(initial=0) <= 65535 else 2**32 - 1)))


def _sixteen(image: Any, path: Path) -> Image8 | None:
    """Colours of 16 bits, exactly; None for any other picture.

    Pillow keeps one byte of each: the high one as it opens the file, and the low one when it is
    told that the bytes stand the other way round.
    """
    from PIL import Image

    raw = _raw_mode(image.tile[0].args) if getattr(image, "tile", None) else ""
    if image.mode not in _DEEP or ";16" not in raw or image.format not in ("PNG", "TIFF"):
        return None
    with contextlib.suppress(*_UNREADABLE), Image.open(path, formats=[image.format]) as other:
        other.tile = [tile._replace(args=_swapped(tile.args)) for tile in other.tile]
        low, high = np.asarray(other), np.asarray(image)
        if low.shape == high.shape:
            values = high * np.float64(256) + low
            return _with_hole(to_bytes(values / 65535), values, image.info)
    return None


def _with_hole(pixels: Image8, values: npt.NDArray[Any], info: dict[Any, Any]) -> Image8:
    """Pixels without alpha whose 16-bit values are those that the file calls clear, clear."""
    clear = info.get("transparency")
    if not isinstance(clear, (int, tuple)) or np.size(clear) != values.shape[2]:
        return pixels
    seen = (values != np.asarray(clear)).any(axis=2)
    return np.dstack([pixels, np.where(seen, np.uint8(255), np.uint8(0))])


def _raw_mode(args: Any) -> str:
    if isinstance(args, str):
        return args
    return str(args[0]) if isinstance(args, tuple) and args else ""


def _swapped(args: Any) -> Any:
    raw = _raw_mode(args)
    native = "B" if sys.byteorder == "little" else "L"
    other = raw[:-1] + {"B": "L", "L": "B"}.get(raw[-1], native)
    return other if isinstance(args, str) else (other, *args[1:])


def _in_srgb(image: Any) -> Any:
    """Colours of the file's profile as sRGB; alpha stays. A broken profile is none."""
    from PIL import Image, ImageCms

    source = image if image.mode in ("L", "RGB", "CMYK", "LAB") else _simple(image)
    alpha = source.getchannel("A") if source.mode in ("LA", "RGBA") else None
    colours = source.convert(source.mode.rstrip("A")) if alpha is not None else source
    with contextlib.suppress(ImageCms.PyCMSError, *_UNREADABLE):
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        if "srgb" in ImageCms.getProfileDescription(profile).lower() and colours.mode == "RGB":
            return source
        target = ImageCms.createProfile("sRGB")
        converted: Any = ImageCms.profileToProfile(colours, profile, target, outputMode="RGB")
        if alpha is None:
            return converted
        return Image.merge("RGBA", (*converted.split(), alpha))
    return source


def _profiled(image: Any, pixels: Image8) -> Image8:
    from PIL import Image

    if not image.info.get("icc_profile"):
        return pixels
    again = Image.fromarray(pixels)
    again.info["icc_profile"] = image.info["icc_profile"]
    return _planes(np.asarray(_in_srgb(again)))


def _from_lab(image: Any) -> Any:
    from PIL import ImageCms

    lab, target = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, target, outputMode="RGB")


def _turned(pixels: Image8, orientation: int) -> Image8:
    """Upright, by EXIF's orientation 1–8."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def to_bytes(values: npt.NDArray[Any]) -> Image8:
    """0..1 to the nearest byte; values outside are clipped."""
    return np.asarray((values.clip(0, 1) * 255 + 0.5), np.uint8)


def _planes(pixels: npt.NDArray[Any]) -> Image8:
    return np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[..., None], np.uint8)
