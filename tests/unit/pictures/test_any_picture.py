"""Whatever bytes a picture file holds: a picture, or a registered error. UNDERPAINT_EXAMPLES=100000
tries more than the suite does."""

from __future__ import annotations

import os
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from underpaint.errors import UnderpaintError
from underpaint.files.imagefile import read_color, read_depth, read_mask

EXAMPLES = int(os.environ.get("UNDERPAINT_EXAMPLES", "200"))
LENIENT = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=6)
CUT = st.integers(0, 40)


def _png(mode: str, **options: object) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        ramp = np.arange(9 * 7 * 4, dtype=np.uint8).reshape(9, 7, 4)
        Image.fromarray(ramp).convert(mode).save(path, "PNG", **options)

    return write


def _deep(path: Path) -> None:
    Image.fromarray(np.arange(63, dtype=np.uint16).reshape(9, 7) * 1000).save(path, "PNG")


def _hdr(head: bytes, body: bytes) -> Callable[[Path], None]:
    return lambda path: _put(path, b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n" + head + body)


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _exr(path: Path) -> None:
    import OpenEXR

    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    pixels = np.linspace(0, 2, 63, dtype=np.float32).reshape(9, 7)
    channels = {name: pixels for name in "RGBZ"}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))


_RUNS = b"".join(bytes((2, 2, 0, 8)) + bytes((136, 128)) * 4 for _ in range(3))
PNGS: dict[str, Callable[[Path], None]] = {
    **{mode: _png(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")},
    "clear": _png("P", transparency=3),
    "deep": _deep,
    "profile": _png("RGB", icc_profile=b"\0" * 160),
    "turned": _png("RGB", exif=b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
}
HDRS = {
    "flat": _hdr(b"-Y 3 +X 7\n", bytes(range(84))),
    "runs": _hdr(b"-Y 3 +X 8\n", _RUNS),
    "turned": _hdr(b"+Y 3 -X 7\n", bytes(range(84))),
}


def _read(path: Path) -> None:
    for read in (read_color, read_mask, read_depth):
        with suppress(UnderpaintError):
            pixels = read(path)
            assert pixels.size
            assert not np.isnan(pixels).any()


def _changed(data: bytes, changes: list[tuple[int, int]], cut: int) -> bytearray:
    whole = bytearray(data[: len(data) - (cut if cut < 20 else 0)])
    for at, value in changes:
        whole[at % len(whole)] = value
    return whole


def _with_sums(data: bytearray) -> bytes:
    """The chunks' check sums made right, so that readers look at what is in them."""
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        end = at + 8 + size
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(data)


def _samples(makers: dict[str, Callable[[Path], None]], folder: Path) -> list[bytes]:
    for name, make in makers.items():
        make(folder / f"{name}.bin")
    return [(folder / f"{name}.bin").read_bytes() for name in makers]


@pytest.fixture(scope="module")
def pngs(tmp_path_factory) -> list[bytes]:
    return _samples(PNGS, tmp_path_factory.mktemp("pngs"))


@pytest.fixture(scope="module")
def hdrs(tmp_path_factory) -> list[bytes]:
    return _samples(HDRS, tmp_path_factory.mktemp("hdrs"))


@pytest.fixture(scope="module")
def exr(tmp_path_factory) -> bytes:
    pytest.importorskip("OpenEXR")
    path = tmp_path_factory.mktemp("exr") / "a.exr"
    _exr(path)
    return path.read_bytes()


@LENIENT
@given(which=st.integers(0, len(PNGS) - 1), changes=CHANGES, cut=CUT, summed=st.booleans())
def test_any_png(tmp_path_factory, pngs, which: int, changes, cut: int, summed: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "any.png"
    data = _changed(pngs[which], changes, cut)
    path.write_bytes(_with_sums(data) if summed else bytes(data))
    _read(path)


@LENIENT
@given(which=st.integers(0, len(HDRS) - 1), changes=CHANGES, cut=CUT)
def test_any_hdr(tmp_path_factory, hdrs, which: int, changes, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "any.hdr"
    path.write_bytes(_changed(hdrs[which], changes, cut))
    _read(path)


@LENIENT
@given(changes=CHANGES, cut=CUT)
def test_any_exr(tmp_path_factory, exr: bytes, changes, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "any.exr"
    path.write_bytes(_changed(exr, changes, cut))
    _read(path)


@pytest.mark.parametrize("name", ["a.png", "a.hdr"])
def test_a_picture_takes_at_most_four_times_its_pixels(tmp_path: Path, name: str) -> None:
    """Of a PNG the 8-bit colours and alpha, of floats three channels: what files pack away."""
    path, side = tmp_path / name, 600
    if name.endswith("png"):
        Image.new("RGB", (side, side), (9, 8, 7)).save(path)
        size = side * side * 4
    else:
        _hdr(f"-Y {side} +X {side}\n".encode(), bytes(side * side * 4))(path)
        size = side * side * 12
    read_color(path)
    tracemalloc.start()
    read_color(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * size, f"{peak / size:.1f} times"
