"""Files that are no safetensors whatever they are called, told by their first bytes. No torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_READ = 512
_AGAIN = "Fetch the file again, and look at its size: it should be many megabytes."
_PICKLE_HINT = (
    "Pickled files can run code when they are opened, so they are never read here: take the same "
    "model as .safetensors."
)
_UNPACK = "Unpack it, and give the .safetensors file that is in it."


@dataclass(frozen=True, slots=True)
class Told:
    """What something is ("is a VAE"), and what to do with it."""

    problem: str
    hint: str


_PAGE = Told(
    "is a web page, saved in place of the file",
    "The site wanted a login or a confirmation: fetch the file again, signed in (underpaint models "
    "pull, with a token).",
)
_PICKLE = Told("is a pickled checkpoint", _PICKLE_HINT)
_BY_BYTES = (
    (b"version https://git-lfs", Told(
        "is a Git LFS pointer: the file itself was never fetched",
        "Run git lfs pull in its folder, or fetch the file again.",
    )),
    (b"\x80\x02", _PICKLE),
    (b"\x80\x03", _PICKLE),
    (b"\x80\x04", _PICKLE),
    (b"\x80\x05", _PICKLE),
    (b"7z\xbc\xaf", Told("is a packed archive (7z)", _UNPACK)),
    (b"Rar!", Told("is a packed archive (rar)", _UNPACK)),
    (b"\x1f\x8b", Told("is a packed archive (gzip)", _UNPACK)),
    (b"\x89PNG", Told("is a picture", "Give the model's file.")),
    (b"\xff\xd8\xff", Told("is a picture", "Give the model's file.")),
)  # fmt: skip
_PAGE_MARK = re.compile(rb"\s*(<!doctype html|<html|<\?xml|<head)", re.IGNORECASE)
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")


def disguise_of(file: Path, *, words: bool = True) -> Told | None:
    """What a file is that is no safetensors file; None where its bytes do not say. `words`: a text
    is out of place, too.

    Raises OSError for what cannot be read.
    """
    if file.is_symlink() and not file.exists():
        return Told(
            "is a link to a file that is gone: the cache that it was in has been cleared",
            "Fetch the model again.",
        )
    with file.open("rb") as stream:
        start = stream.read(_READ)
    if not start:
        return Told("is empty", _AGAIN)
    if start.startswith(b"PK"):
        return _zip(file)
    for mark, told in _BY_BYTES:
        if start.startswith(mark):
            return told
    if _PAGE_MARK.match(start):
        return _PAGE
    return _text(start) if words else None


def _zip(file: Path) -> Told:
    """torch.save writes archives with a pickle in them."""
    with file.open("rb") as stream:
        named = stream.read(4 * _READ)
    pickled = b".pkl" in named or b"archive/" in named
    return _PICKLE if pickled else Told("is a packed archive (zip)", _UNPACK)


def _text(start: bytes) -> Told | None:
    """A server's answer in words. (A safetensors file begins with the length of its header, whose
    upper bytes are zero.)"""
    if not _PRINTABLE.fullmatch(start):
        return None
    said = " ".join(start[:80].decode("utf-8", errors="replace").split())
    return Told(f"is a text, not a model: {said!r}", _AGAIN)
