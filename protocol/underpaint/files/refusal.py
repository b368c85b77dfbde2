"""How a file is refused: by name, with the reason, as a registered error."""

from __future__ import annotations

import stat
from pathlib import Path

from ..buffers import MAX_PIXELS
from ..errors import ErrorCode, RequestError

_HEAD = 64
_AS_PNG = "Save it as PNG."
_KINDS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    (
        (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1"),
        "HEIC, as phones write photos",
        "Save it as JPEG or PNG.",
    ),
    ((b"ftypavif", b"ftypavis"), "AVIF", _AS_PNG),
    ((b"ftyp", b"moov", b"\x1aE\xdf\xa3"), "a movie", "Save a frame of it as PNG."),
    ((b"\xff\x0a", b"JXL \r\n"), "JPEG XL", _AS_PNG),
    ((b"<svg", b"<?xml", b"%PDF", b"%!PS"), "a drawing of lines", "Export it as PNG."),
    (
        (b"gimp xcf", b"application/x-krita", b"image/openraster", b"8BPS"),
        "a painting program's own file",
        "Export it as PNG.",
    ),
    ((b"BLENDER",), "a Blender file", "Render a picture of it."),
    ((b"\x93NUMPY", b"PK\x03\x04"), "an archive or an array", "Save it as a picture, as PNG."),
    ((b"\xabKTX",), "a texture as a graphics card wants it", _AS_PNG),
    ((b"<!doctype html", b"<!DOCTYPE html", b"<html"), "a web page", "Download the file itself."),
)


def refused(path: Path, why: str, hint: str | None = None) -> RequestError:
    """The error of a file that cannot be used."""
    return RequestError(ErrorCode.FILE, f"{path} {why}", hint=hint)


def check_file(path: Path) -> None:
    """Refuse a folder, and what has no end, as a device. Raises RequestError(FILE), OSError."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise refused(path, "is a folder, not a file", "Give a file in it.")
    if not stat.S_ISREG(mode):
        raise refused(path, "is no file", "Give a file that lies on a disk.")


def check_pixels(path: Path, width: int, height: int) -> None:
    """Raise RequestError(TOO_LARGE) for more pixels than a buffer may have, FILE for none."""
    if width * height > MAX_PIXELS:
        raise too_large(path, f" ({width}×{height})")
    if width * height <= 0:
        raise refused(path, "has no pixels")


def too_large(path: Path, size: str) -> RequestError:
    """The error of a picture of more pixels than one may have."""
    most = MAX_PIXELS // 10**6
    return RequestError(
        ErrorCode.TOO_LARGE,
        f"{path} has too many pixels{size}; up to {most} million are read",
        hint="Make it smaller, or crop it to what is needed.",
    )


def not_a_picture(path: Path) -> tuple[str, str | None]:
    """Why Pillow knows nothing of a file, and what to do, by its first bytes."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}", None
    if not head:
        return "is empty", "Write or copy it again."
    for marks, what, hint in _KINDS:
        if any(mark in head for mark in marks):
            return f"is {what}, which is not read here", hint
    return "is no picture that can be read (PNG, JPEG, WebP, TIFF, EXR, HDR, …)", None
