"""What text in mesh files means: names in any encoding, and which way is up."""

from __future__ import annotations

import re

_UP = re.compile(rb"\bup[ _-]?(?:axis|direction)?\s*[:=]?\s*\+?([xyz])\b", re.IGNORECASE)
_UP_BEHIND = re.compile(rb"\b([xyz])[ _-]?(?:axis[ _-])?(?:is[ _-])?up\b", re.IGNORECASE)
# Their PLY files keep their own axes, where Z is up.
_Z_UP_PLY = (b"blender", b"cloudcompare")


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
