"""Pictures as other programs write them: windows and parts of EXR, colours that a PNG declares,
deep pictures with holes, wrong endings; and what is no picture is told as what it is."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from underpaint import RequestError
from underpaint.errors import ErrorCode
from underpaint.files.decoding import told_of_frames
from underpaint.files.imagefile import read_color, read_depth, read_mask
from underpaint.srgb import linear, srgb

from helpers.pictures import COLOURS, png, saved

HIGH, WIDE = COLOURS.shape[:2]
LIGHT = linear(COLOURS / np.float32(255))
METRES = np.linspace(1, 9, HIGH * WIDE, dtype=np.float32).reshape(HIGH, WIDE)


def planes(names: str = "RGB") -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(LIGHT[..., i]) for i, name in enumerate(names)}


def exr(path: Path, channels: dict[str, np.ndarray], **header: object) -> Path:
    """Written without compression, unless told otherwise."""
    plain = {"compression": OpenEXR.NO_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File({**plain, **header}, channels).write(str(path))
    return path


def window(left: int, top: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array([left, top], np.int32), np.array([left + width - 1, top + height - 1], np.int32)


def test_a_render_of_a_region_stands_where_it_was_rendered(tmp_path: Path) -> None:
    """Data window inside the display window: black, and no distance, about it."""
    whole = {"displayWindow": window(0, 0, WIDE + 20, HIGH + 8)}
    whole["dataWindow"] = window(10, 5, WIDE, HIGH)
    path = exr(tmp_path / "r.exr", {**planes(), "Z": METRES}, **whole)
    expected = np.zeros((HIGH + 8, WIDE + 20, 3), np.uint8)
    expected[5 : 5 + HIGH, 10 : 10 + WIDE] = COLOURS
    assert np.array_equal(read_color(path), expected)
    depth = read_depth(path)
    assert np.array_equal(depth[5 : 5 + HIGH, 10 : 10 + WIDE], METRES)
    assert np.isinf(depth).sum() == depth.size - METRES.size


def test_what_was_rendered_beyond_the_frame_is_not_in_it(tmp_path: Path) -> None:
    frame = {"displayWindow": window(0, 0, WIDE - 3, HIGH - 2)}
    frame["dataWindow"] = window(-2, -1, WIDE, HIGH)
    path = exr(tmp_path / "o.exr", planes(), **frame)
    assert np.array_equal(read_color(path), COLOURS[1 : HIGH - 1, 2 : WIDE - 1])


def test_depth_in_a_part_of_its_own_is_found(tmp_path: Path) -> None:
    parts = [
        OpenEXR.Part({"name": "beauty"}, planes()),
        OpenEXR.Part({"name": "depth"}, {"Z": METRES}),
    ]
    OpenEXR.File(parts).write(str(tmp_path / "p.exr"))
    assert np.array_equal(read_color(tmp_path / "p.exr"), COLOURS)
    assert np.array_equal(read_depth(tmp_path / "p.exr"), METRES)


def test_colours_are_no_depth_and_a_grey_picture_of_metres_is(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no depth channel"):
        read_depth(exr(tmp_path / "c.exr", planes()))
    path = exr(tmp_path / "g.exr", dict.fromkeys("RGB", METRES))
    assert np.array_equal(read_depth(path), METRES)


def test_small_letters_are_colours(tmp_path: Path) -> None:
    assert np.array_equal(read_color(exr(tmp_path / "s.exr", planes("rgb"))), COLOURS)


@pytest.mark.parametrize("name", ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24"])
def test_each_exact_compression_gives_the_same(tmp_path: Path, name: str) -> None:
    kind = getattr(OpenEXR, f"{name}_COMPRESSION")
    halves = {n: p.astype(np.float16) for n, p in planes().items()}
    found = read_color(exr(tmp_path / "c.exr", halves, compression=kind)).astype(int)
    assert np.abs(found - COLOURS).max() <= 1


def test_of_a_picture_of_brightness_alone_that_is_shown(tmp_path: Path) -> None:
    """What programs write as luminance, and chroma at half the size, which is not read."""
    bright = np.ascontiguousarray(LIGHT[..., 0])
    file = exr(tmp_path / "y.exr", {"Y": bright})
    assert np.abs(read_color(file).astype(int) - COLOURS[..., :1]).max() <= 1
    named = exr(tmp_path / "v.exr", {"noise.V": bright, "noise.S": bright})
    assert np.abs(read_color(named).astype(int) - COLOURS[..., :1]).max() <= 1


def test_tiles_are_read(tmp_path: Path) -> None:
    tiled = {"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()}
    assert np.array_equal(read_color(exr(tmp_path / "t.exr", planes(), **tiled)), COLOURS)


def test_numbers_that_are_none_are_black_or_white_and_nothing_is_said(tmp_path: Path) -> None:
    red = np.ascontiguousarray(LIGHT[..., 0])
    red[0, :3] = np.nan, np.inf, -1
    path = exr(tmp_path / "n.exr", {**planes(), "R": red})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_color(path)[0, :3, 0].tolist() == [0, 255, 0]


def test_primaries_on_a_line_are_none(tmp_path: Path) -> None:
    line = (0.3, 0.3, 0.4, 0.4, 0.5, 0.5, 0.35, 0.35)
    assert np.array_equal(
        read_color(exr(tmp_path / "l.exr", planes(), chromaticities=line)), COLOURS
    )


# ---- PNG ------------------------------------------------------------------------------------


def test_a_deep_picture_keeps_the_hole_of_its_clear_colour(tmp_path: Path) -> None:
    deep = COLOURS.astype(">u2") * 257
    rgb = png(tmp_path / "c.png", deep, 2, {b"tRNS": deep[0, 0].tobytes()})
    grey = png(tmp_path / "g.png", deep[..., :1], 0, {b"tRNS": deep[0, 0, :1].tobytes()})
    clear = (COLOURS[0, 0] == COLOURS).all(2), COLOURS[..., 0] == COLOURS[0, 0, 0]
    for path, hole in zip((rgb, grey), clear, strict=True):
        assert np.array_equal(read_color(path)[..., 3] == 0, hole), path.name


P3_WHITE, P3_REST = (31270, 32900), (68000, 32000, 26500, 69000, 15000, 6000)
LIGHT_P3 = np.array([[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0196, -0.0786, 1.0979]])
"""Display P3's linear colours in Rec.709's (Apple; ICC)."""


@pytest.mark.parametrize("said", ["cHRM", "cICP"])
def test_colours_of_a_wide_screen_are_converted(tmp_path: Path, said: str) -> None:
    chunks = {b"cICP": bytes([12, 13, 0, 1])}
    if said == "cHRM":
        chunks = {b"gAMA": struct.pack(">I", 45455)}
        chunks[b"cHRM"] = struct.pack(">8I", *P3_WHITE, *P3_REST)
    expected = srgb((LIGHT.astype(np.float64) @ LIGHT_P3.T).clip(0, 1)) * 255
    found = read_color(png(tmp_path / "p3.png", COLOURS, 2, chunks))
    assert np.abs(found - expected).max() <= 1
    assert not np.array_equal(found, COLOURS)


def test_a_grey_picture_of_linear_values_is_shown_by_the_curve(tmp_path: Path) -> None:
    grey = np.ascontiguousarray(COLOURS[..., :1])
    file = png(tmp_path / "g.png", grey, 0, {b"gAMA": struct.pack(">I", 100_000)})
    expected = srgb(grey / 255) * 255
    assert np.abs(read_color(file)[..., :1] - expected).max() <= 1


def test_colours_that_are_said_far_behind_other_chunks_are_not_looked_for(tmp_path: Path) -> None:
    """A file of thousands of chunks is a picture all the same, and takes no time."""
    names = (f"{one}{other}Te" for one in "abcd" for other in "abcdefghijklmnopqrstuvwxyz")
    chunks = {name.encode(): b"" for name in names} | {b"cICP": bytes([12, 13, 0, 1])}
    found = read_color(png(tmp_path / "c.png", COLOURS, 2, chunks))
    assert np.array_equal(found, COLOURS)


def test_an_exr_without_colours_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="holds no colours: its channels are Z"):
        read_color(exr(tmp_path / "z.exr", {"Z": METRES}))
    assert told_of_frames(tmp_path / "z.exr") is None, "it is one picture"


def test_depth_of_words_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([["near", "far"]]))
    with pytest.raises(RequestError, match="it holds no array of numbers"):
        read_depth(tmp_path / "w.npy")
    np.save(tmp_path / "n.npy", np.ones((4, 6, 3), np.float32))
    with pytest.raises(RequestError, match=r"has shape \(4, 6, 3\); expected"):
        read_depth(tmp_path / "n.npy")


def test_linear_values_are_shown_by_the_curve(tmp_path: Path) -> None:
    chunks = {b"gAMA": struct.pack(">I", 100000)}
    expected = srgb(COLOURS / 255) * 255
    assert np.abs(read_color(png(tmp_path / "l.png", COLOURS, 2, chunks)) - expected).max() <= 1


def test_what_a_profile_says_goes_before_other_chunks(tmp_path: Path) -> None:
    chunks = {b"sRGB": b"\0", b"gAMA": struct.pack(">I", 100000)}
    assert np.array_equal(read_color(png(tmp_path / "s.png", COLOURS, 2, chunks)), COLOURS)


@pytest.mark.parametrize("transfer", [16, 18])
def test_light_beyond_white_is_refused_with_the_fix(tmp_path: Path, transfer: int) -> None:
    path = png(tmp_path / "hdr.png", COLOURS, 2, {b"cICP": bytes([9, transfer, 0, 1])})
    with pytest.raises(RequestError, match="HDR") as told:
        read_color(path)
    assert "EXR" in told.value.hint


# ---- names and contents ---------------------------------------------------------------------


def test_a_wrong_ending_does_not_matter(tmp_path: Path) -> None:
    exr(tmp_path / "a.exr", planes()).rename(tmp_path / "a.png")
    saved(tmp_path, COLOURS, "b.png").rename(tmp_path / "b.exr")
    for name in ("a.png", "b.exr"):
        assert np.array_equal(read_color(tmp_path / name), COLOURS), name


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
