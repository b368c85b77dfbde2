"""What is no picture is told as what it is; archives, bitmaps, turned and very wide ones."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from underpaint import RequestError
from underpaint.errors import ErrorCode
from underpaint.files.imagefile import read_color, read_depth, read_mask

from helpers.pictures import COLOURS, png

WHAT = {
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": "HEIC",
    b"\0\0\0\x18ftypmp42\0\0\0\0": "movie",
    b"\xff\x0a\x10\x10": "JPEG XL",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>": "lines",
    b"%PDF-1.7\n": "lines",
    b"gimp xcf v011\0": "painting program",
    b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0mimetypeapplication/x-krita": "painting program",
    b"BLENDER-v402": "Blender",
    b"\x93NUMPY\x01\0": "array",
    b"<!DOCTYPE html><html>": "web page",
    b"": "empty",
    b"\0" * 40: "no picture",
}


@pytest.mark.parametrize("head", WHAT)
def test_what_is_no_picture_is_told_as_what_it_is(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(head)
    with pytest.raises(RequestError, match=WHAT[head]) as told:
        read_color(path)
    assert told.value.code is ErrorCode.FILE
    assert told.value.hint


def test_a_picture_of_a_billion_pixels_is_too_large(tmp_path: Path) -> None:
    data = bytearray(png(tmp_path / "b.png", COLOURS, 2).read_bytes())
    data[16:24] = struct.pack(">II", 40_000, 40_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "b.png").write_bytes(data)
    with pytest.raises(RequestError, match="too many pixels") as told:
        read_color(tmp_path / "b.png")
    assert told.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize("given", [{"depth": 2.5}, {"arr_0": 2.5}, {"Depth": 2.5, "normal": 0.1}])
def test_depth_in_an_archive_of_arrays_is_its_depth(tmp_path: Path, given: dict) -> None:
    path = tmp_path / "view.npz"
    np.savez_compressed(path, **{k: np.full((3, 5), v, np.float32) for k, v in given.items()})
    assert np.array_equal(read_depth(path), np.full((3, 5), 2.5, np.float32))


def test_an_archive_without_depth_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.ones((2, 2)), y=np.ones((2, 2)))
    with pytest.raises(RequestError, match="holds x, y, and no array named depth"):
        read_depth(path)
    np.savez(path, depth=np.array([{}], object))
    with pytest.raises(RequestError, match=r"cannot be read as \.npz"):
        read_depth(path)
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(RequestError, match=r"cannot be read as \.npz"):
        read_depth(path)


def bitmap(alpha: int, declared: bool) -> bytes:
    """A BMP of one pixel and 32 bits, (200, 50, 0), whose fourth byte is alpha if it says so."""
    size = 108 if declared else 40
    head = struct.pack("<IiiHHIIiiII", size, 1, 1, 1, 32, 3 if declared else 0, 4, 0, 0, 0, 0)
    if declared:
        head += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(size - 56)
    start = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", start + 4, 0, 0, start) + head + bytes((0, 50, 200, alpha))


@pytest.mark.parametrize(
    ("alpha", "declared", "seen"),
    [
        (0, False, [200, 50, 0]),
        (90, False, [200, 50, 0]),
        (90, True, [200, 50, 0, 90]),
        (255, True, [200, 50, 0]),
    ],
)
def test_a_bitmaps_fourth_byte_is_alpha_only_where_it_says_so(
    tmp_path: Path, alpha: int, declared: bool, seen: list[int]
) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(bitmap(alpha, declared))
    assert read_color(path)[0, 0].tolist() == seen


def test_a_mask_that_a_camera_turned_stands_upright(tmp_path: Path) -> None:
    drawn, turned = Image.new("L", (6, 4)), Image.Exif()
    drawn.putpixel((0, 0), 255)
    turned[0x112] = 6
    drawn.save(tmp_path / "m.png", exif=turned)
    mask = read_mask(tmp_path / "m.png")
    assert mask.shape == (6, 4)
    assert np.argwhere(mask).tolist() == [[0, 3]]


@pytest.mark.parametrize("size", [(1, 1), (30_000, 2)])
def test_one_pixel_and_very_wide_ones_are_pictures(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, (9, 8, 7)).save(tmp_path / "a.png")
    assert read_color(tmp_path / "a.png").shape == (size[1], size[0], 3)
    assert read_mask(tmp_path / "a.png").shape == size[::-1]
