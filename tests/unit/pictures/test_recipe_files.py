"""Recipes read from files that somebody else made: bounded, and a registered error at worst."""

from __future__ import annotations

import contextlib
import json
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from underpaint import RequestError
from underpaint.files.imagefile import read_color, read_mask
from underpaint.files.recipe import read_recipe

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_text(body: bytes) -> bytes:
    return SIGNATURE + chunk(b"iTXt", b"underpaint\0\1\0\0\0" + body)


def test_a_small_png_cannot_fill_the_memory(tmp_path: Path) -> None:
    bomb = with_text(zlib.compress(b" " * 900_000_000, 9))
    assert len(bomb) < 1_000_000
    (tmp_path / "bomb.png").write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(RequestError, match=r"bomb\.png"):
        read_recipe(tmp_path / "bomb.png")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64_000_000


def test_a_file_larger_than_any_result_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "image_0.png").open("wb") as sparse:
        sparse.truncate(2**30 + 1)
    with pytest.raises(RequestError, match="larger than any result"):
        read_recipe(tmp_path / "image_0.png")


def test_a_compressed_recipe_is_read(tmp_path: Path) -> None:
    text = json.dumps({"request": {"kind": "image"}}).encode()
    (tmp_path / "a.png").write_bytes(with_text(zlib.compress(text)))
    assert read_recipe(tmp_path / "a.png")["request"] == {"kind": "image"}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"IHDR", b"IDAT", b"iTXt", b"PLTE", b"tRNS", b"eXIf", b"iCCP"]),
            st.binary(max_size=40),
        ),
        max_size=6,
    ),
    st.binary(max_size=12),
)
def test_any_png_is_a_picture_or_a_registered_error(
    tmp_path_factory, chunks: list[tuple[bytes, bytes]], rest: bytes
) -> None:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 6, 0, 0, 0))
    file = tmp_path_factory.getbasetemp() / "any.png"
    body = b"".join(chunk(kind, data) for kind, data in chunks)
    for start in (SIGNATURE, SIGNATURE + head):
        file.write_bytes(start + body + rest)
        for read in (read_color, read_mask, read_recipe):
            with contextlib.suppress(RequestError):
                read(file)
