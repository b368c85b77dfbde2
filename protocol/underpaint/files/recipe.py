"""Recipes: the request that made an image, read back from its PNG or its sidecar.

A PNG carries an iTXt chunk `underpaint` (PNG specification, third edition, 11.3.3.4) with the
same JSON as the sidecar: {"request": ..., "model": ..., "versions": ...}.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ErrorCode, RequestError
from ..requests import Request
from ..tree import from_plain
from .refusal import check_file

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"underpaint"
_MOST_TEXT = 16 * 1024 * 1024
_MOST_FILE = 1024 * 1024 * 1024


def read_recipe(path: Path) -> dict[str, Any]:
    """The recipe of a result: a PNG, or its JSON sidecar.

    Raises RequestError(FILE) when the file cannot be read or carries none.
    """
    try:
        check_file(path)
        if path.stat().st_size > _MOST_FILE:
            raise RequestError(ErrorCode.TOO_LARGE, f"{path} is larger than any result")
        data = path.read_bytes()
    except OSError as error:
        why = error.strerror or error
        raise RequestError(ErrorCode.FILE, f"{path} cannot be read: {why}") from error
    return recipe_in(data, str(path))


def recipe_in(data: bytes, name: str) -> dict[str, Any]:
    """The recipe in the bytes of a result named so. Raises RequestError(FILE)."""
    try:
        text = _png_text(data, name) if data.startswith(_SIGNATURE) else data
        recipe = json.loads(text)
    except json.JSONDecodeError as error:
        told = f"{name} is no result of Underpaint: neither a PNG nor its .json"
        raise RequestError(ErrorCode.FILE, told) from error
    except (ValueError, RecursionError, zlib.error, struct.error) as error:
        raise RequestError(ErrorCode.FILE, f"{name} has no readable recipe: {error}") from error
    if not isinstance(recipe, dict) or not isinstance(recipe.get("request"), dict):
        raise RequestError(
            ErrorCode.FILE, f"{name} is not a result of Underpaint: no request in it"
        )
    return recipe


def recipe_request(recipe: dict[str, Any]) -> Request:
    """The request of a recipe. Raises RequestError that names a wrong field."""
    return from_plain(recipe["request"])


def _png_text(data: bytes, name: str) -> bytes:
    for kind, body in _chunks(data):
        if kind == b"iTXt" and body.startswith(KEYWORD + b"\0"):
            return _itxt(body)
    raise RequestError(ErrorCode.FILE, f"{name} carries no Underpaint recipe")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _itxt(body: bytes) -> bytes:
    after = body[len(KEYWORD) + 1 :]
    compressed = after[:1] == b"\x01"
    _language, _, rest = after[2:].partition(b"\0")
    _translated, _, text = rest.partition(b"\0")
    return _inflated(text) if compressed else text


def _inflated(data: bytes) -> bytes:
    """Raises zlib.error or ValueError for what is damaged, or grows beyond any recipe."""
    stream = zlib.decompressobj()
    text = stream.decompress(data, _MOST_TEXT)
    if not stream.eof:
        raise ValueError(f"its recipe is cut off, or larger than {_MOST_TEXT} bytes")
    return text
