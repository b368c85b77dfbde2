"""What bytes in mesh files mean: what a file is whatever its name says, names in any encoding, and
which way is up."""

from __future__ import annotations

import re
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError

_UP = re.compile(rb"\bup[ _-]?(?:axis|direction)?\s*[:=]?\s*\+?([xyz])\b", re.IGNORECASE)
_UP_BEHIND = re.compile(rb"\b([xyz])[ _-]?(?:axis[ _-])?(?:is[ _-])?up\b", re.IGNORECASE)
# Their PLY files keep their own axes, where Z is up.
_Z_UP_PLY = (b"blender", b"cloudcompare")
_OF_NAME = "Give it the ending of what it is."
_UNPACK = "Unpack it, and give the mesh file that is in it."
_MARKS: tuple[tuple[bytes, str, str, tuple[str, ...]], ...] = (
    (b"ply\n", "a PLY file", _OF_NAME, (".ply",)),
    (b"ply\r", "a PLY file", _OF_NAME, (".ply",)),
    (b"glTF", "a binary glTF file", _OF_NAME, (".glb", ".gltf")),
    (b"Kaydara FBX", "an FBX file", _OF_NAME, ()),
    (b"BLENDER", "a Blender file", _OF_NAME, ()),
    (b"\x1f\x8b", "a gzip archive", _UNPACK, ()),
    (b"PK\x03\x04", "a zip archive", _UNPACK, ()),
    (b"\x28\xb5\x2f\xfd", "compressed by Zstandard, as Blender files are", _OF_NAME, ()),
    (
        b"version https://git-lfs",
        "Git LFS's note of where the file is, and not the file",
        "Fetch it with `git lfs pull`.",
        (),
    ),
    (b"<!doctype html", "a web page", "Download the file itself.", ()),
    (b"<html", "a web page", "Download the file itself.", ()),
)
_LONGEST = 32


def require_content(path: Path, data: bytes) -> None:
    """Raise RequestError(FILE) when a file is something else than its name says, or nothing."""
    blank = b"\0 \t\r\n"
    if not data[:4096].strip(blank) and not data.strip(blank):
        raise RequestError(ErrorCode.FILE, f"{path} is empty", hint="Write or copy it again.")
    head = data[:_LONGEST].lstrip().lower()
    for mark, what, hint, endings in _MARKS:
        if head.startswith(mark.lower()) and path.suffix.lower() not in endings:
            kind = path.suffix[1:].upper()
            raise RequestError(ErrorCode.FILE, f"{path} is no {kind} file: it is {what}", hint=hint)


def decoded_name(name: bytes) -> str:
    """A name as text: UTF-8, or what an older Windows program wrote."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name.decode("latin-1")


def up_axis(comment: bytes) -> str | None:
    """The axis that a comment says is up: `x`, `y`, `z`; None when it says nothing of it."""
    found = _UP.search(comment) or _UP_BEHIND.search(comment)
    return found[1].decode().lower() if found else None


def ply_up_axis(comment: bytes) -> str | None:
    """The same of a PLY file's comment, which may name a program that leaves Z up."""
    said = comment.lower()
    return up_axis(comment) or ("z" if any(name in said for name in _Z_UP_PLY) else None)
