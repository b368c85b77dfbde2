"""Pictures as other programs write them: windows and parts of EXR, colours that a PNG declares,
deep pictures with holes, wrong endings."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from underpaint import RequestError
from underpaint.files.decoding import told_of_frames
from underpaint.files.imagefile import read_color, read_depth
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
