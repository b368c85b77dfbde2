"""Pictures and masks mean what the artist sees, whatever the file's depth, type and turn."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
from PIL import Image, ImageCms, ImageOps

from underpaint import RequestError
from underpaint.buffers import Buffers
from underpaint.errors import ErrorCode
from underpaint.files.imagefile import read_color, read_depth, read_mask, read_texels
from underpaint.files.viewfile import load_view
from underpaint.srgb import linear, srgb

from helpers.pictures import COLOURS, GREYS, png, saved


def exr(path: Path, **channels: np.ndarray) -> Path:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    planes = {name: np.ascontiguousarray(plane, np.float32) for name, plane in channels.items()}
    OpenEXR.File(header, planes).write(str(path))
    return path


# ---- depths and colour types ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["g.png", "g.tif"])
def test_a_grey_ramp_of_16_bits_has_all_its_levels(tmp_path: Path, name: str) -> None:
    cv2.imwrite(str(tmp_path / name), GREYS.astype(np.uint16) * 257)
    assert np.array_equal(read_color(tmp_path / name)[..., 1], GREYS)
    assert np.array_equal(read_mask(tmp_path / name), GREYS)


@pytest.mark.parametrize("name", ["c.png", "c.tif"])
def test_colours_of_16_bits_are_divided_by_257_and_rounded(tmp_path: Path, name: str) -> None:
    deep = (COLOURS.astype(np.uint16) * 257).clip(0, 65535 - 120) + 120
    cv2.imwrite(str(tmp_path / name), deep[..., ::-1])
    expected = (deep / 257 + 0.5).astype(np.uint8)
    assert np.array_equal(read_color(tmp_path / name), expected)


def test_alpha_of_16_bits_stays(tmp_path: Path) -> None:
    deep = np.dstack([COLOURS[..., ::-1], GREYS]).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.png"), deep)
    assert np.array_equal(read_texels(tmp_path / "a.png"), np.dstack([COLOURS, GREYS]))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_span_black_to_white(tmp_path: Path, bits: int) -> None:
    image = Image.fromarray(GREYS)
    paletted = image.quantize(2**bits)
    paletted.save(tmp_path / "p.png", bits=bits)
    image.convert("1").save(tmp_path / "one.png")
    expected = np.asarray(paletted.convert("RGB"))
    assert np.array_equal(read_color(tmp_path / "p.png"), expected)
    assert set(np.unique(read_mask(tmp_path / "one.png"))) == {0, 255}


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F"]
)
def test_every_colour_type_of_tiff_opens(tmp_path: Path, mode: str) -> None:
    grey = Image.fromarray(GREYS)
    image = grey.convert(mode)
    if mode == "I":
        image = Image.fromarray(GREYS.astype(np.int32) * 257)
    if mode == "F":
        image = Image.fromarray(linear(GREYS / np.float32(255)))
    image.save(tmp_path / "t.tif")
    found = read_color(tmp_path / "t.tif")
    shape = (8, 64, 3)
    assert found.shape == shape
    assert np.abs(found.astype(int) - GREYS[..., None]).max() <= (255 if mode == "1" else 3)


def test_lab_is_lab_without_a_profile_that_says_so(tmp_path: Path) -> None:
    image = Image.fromarray(GREYS).convert("LAB")
    image.info.pop("icc_profile")
    image.save(tmp_path / "t.tif")
    found = read_color(tmp_path / "t.tif")
    assert np.abs(found.astype(int) - GREYS[..., None]).max() <= 3


@pytest.mark.parametrize(
    "name", ["p.bmp", "p.gif", "p.tga", "p.ppm", "p.webp", "p.jp2", "p.qoi", "p.ico", "p.avif"]
)
def test_other_formats_open(tmp_path: Path, name: str) -> None:
    exact = {"p.webp": {"lossless": True}, "p.avif": {"quality": 100}}.get(name, {})
    path = saved(tmp_path, np.tile(GREYS[..., None], (8, 1, 3)), name, **exact)
    assert np.abs(read_color(path)[:8].astype(int) - GREYS[..., None]).max() <= 2


def test_a_palette_with_a_clear_colour_keeps_its_hole(tmp_path: Path) -> None:
    image = Image.fromarray(np.uint8([[0, 1, 2, 0]])).convert("P")
    image.putpalette([9, 9, 9, 255, 0, 0, 0, 0, 255])
    image.save(tmp_path / "p.png", transparency=0)
    found = read_color(tmp_path / "p.png")
    assert found[0, :, 3].tolist() == [0, 255, 255, 0]
    assert found[0, 1].tolist() == [255, 0, 0, 255]


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for name in ("a.gif", "a.png", "a.webp"):
        exact = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **exact)
        assert read_color(tmp_path / name)[0, 0, :3].tolist() == [255, 0, 0], name


# ---- orientation and profiles ---------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["o.jpg", "o.png", "o.webp", "o.tif"])
def test_a_photo_stands_as_its_camera_says(tmp_path: Path, orientation: int, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.kron(COLOURS[:, ::8], np.ones((8, 8, 1), np.uint8)))
    options = {"lossless": True} if name == "o.webp" else {}
    image.save(tmp_path / name, exif=exif, quality=100, **options)
    image.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))
    found = read_color(tmp_path / name)
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_16_bits_and_a_turn_go_together(tmp_path: Path, orientation: int) -> None:
    cv2.imwrite(str(tmp_path / "d.png"), COLOURS[..., ::-1].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain = Image.fromarray(COLOURS)
    plain.getexif()[0x0112] = orientation
    # Put the eXIf chunk of a small PNG before the deep one's pixels.
    small = io.BytesIO()
    Image.new("RGB", (1, 1)).save(small, "PNG", exif=exif)
    chunk = small.getvalue()
    at = chunk.index(b"eXIf") - 4
    length = int.from_bytes(chunk[at : at + 4], "big") + 12
    deep = (tmp_path / "d.png").read_bytes()
    (tmp_path / "d.png").write_bytes(deep[:33] + chunk[at : at + length] + deep[33:])
    expected = np.asarray(ImageOps.exif_transpose(plain))
    assert np.array_equal(read_color(tmp_path / "d.png"), expected)


def deep_png(path: Path, colours: np.ndarray, profile: bytes) -> Path:
    """A PNG of 16 bits with a profile."""
    chunks = {b"iCCP": b"mine\0\0" + zlib.compress(profile)}
    return png(path, (colours * 257).astype(">u2"), 2, chunks)


def test_a_profile_says_what_the_colours_are(tmp_path: Path) -> None:
    """The same green, once as sRGB and once in a profile of swapped primaries."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    swapped = bytearray(profile.tobytes())
    red, blue = swapped.index(b"rXYZ"), swapped.index(b"bXYZ", 128)
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    swapped = swapped.replace(b"sRGB", b"mine").replace(b"s\0R\0G\0B", b"m\0i\0n\0e")
    path = saved(tmp_path, np.full((8, 8, 3), (255, 128, 0), np.uint8), icc_profile=bytes(swapped))
    assert np.abs(read_color(path)[0, 0].astype(int) - (0, 128, 255)).max() <= 2
    plain = saved(tmp_path, COLOURS, "s.png", icc_profile=profile.tobytes())
    assert np.array_equal(read_color(plain), COLOURS)
    clear = np.full((8, 8, 4), (255, 128, 0, 9), np.uint8)
    path = saved(tmp_path, clear, "a.png", icc_profile=bytes(swapped))
    assert np.abs(read_color(path)[0, 0].astype(int) - (0, 128, 255, 9)).max() <= 2
    deep = deep_png(tmp_path / "d.png", np.full((8, 8, 3), (255, 128, 0)), bytes(swapped))
    assert np.abs(read_color(deep)[0, 0].astype(int) - (0, 128, 255)).max() <= 2
    broken = saved(tmp_path, COLOURS, "b.png", icc_profile=b"no profile at all")
    assert np.array_equal(read_color(broken), COLOURS)


# ---- transparency ---------------------------------------------------------------------------


# ---- EXR, HDR, depth ------------------------------------------------------------------------


def test_exr_and_hdr_are_shown_by_the_exact_curve_and_clipped(tmp_path: Path) -> None:
    light = linear(COLOURS / np.float32(255))
    light[0, 0] = 7.0
    r, g, b = np.moveaxis(light, 2, 0)
    expected = COLOURS.copy()
    expected[0, 0] = 255
    assert np.array_equal(read_color(exr(tmp_path / "c.exr", R=r, G=g, B=b)), expected)
    layer = {"ViewLayer.Combined.R": r, "ViewLayer.Combined.G": g, "ViewLayer.Combined.B": b}
    layer["ViewLayer.Mist.V"] = r * 0
    assert np.array_equal(read_color(exr(tmp_path / "l.exr", **layer)), expected)
    cv2.imwrite(str(tmp_path / "c.hdr"), light[..., ::-1])
    assert np.abs(read_color(tmp_path / "c.hdr").astype(int) - expected).max() <= 14


def test_exr_alpha_is_associated(tmp_path: Path) -> None:
    half = np.full((4, 4), 0.5)
    found = read_color(exr(tmp_path / "a.exr", R=half, G=half / 2, B=half * 0, A=half))
    assert found[0, 0].tolist() == [255, 188, 0, 128]


def test_exr_colours_of_other_primaries_are_converted(tmp_path: Path) -> None:
    """White stays white; ACEScg's green is outside and is clipped to ours."""
    ones = np.ones((4, 4), np.float32)
    acescg = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
    header = {"type": OpenEXR.scanlineimage, "chromaticities": acescg}
    planes = {"R": ones * 0.5, "G": ones * 0.5, "B": ones * 0.5}
    planes["R"][0], planes["B"][0] = 0, 0
    OpenEXR.File(header, planes).write(str(tmp_path / "w.exr"))
    found = read_color(tmp_path / "w.exr").astype(int)
    assert np.abs(found[3] - 188).max() <= 1
    assert found[0, 0, 0] == 0
    assert found[0, 0, 1] > 188


def test_depth_comes_from_npy_and_exr_and_its_background_is_infinite(tmp_path: Path) -> None:
    metres = np.linspace(1, 9, 32, dtype=np.float32).reshape(4, 8)
    metres[0, 0] = 1e10
    np.save(tmp_path / "d.npy", metres[..., None])
    expected = metres.copy()
    expected[0, 0] = np.inf
    paths = [
        tmp_path / "d.npy",
        exr(tmp_path / "z.exr", Z=metres),
        exr(tmp_path / "l.exr", **{"ViewLayer.Depth.Z": metres, "R": metres * 0}),
        exr(tmp_path / "v.exr", V=metres),
    ]
    for path in paths:
        assert np.array_equal(read_depth(path), expected), path
    with pytest.raises(RequestError, match="does not hold metres") as told:
        read_depth(saved(tmp_path, GREYS))
    assert "--control depth=" in told.value.hint


@pytest.mark.parametrize("name", ["x.png", "x.exr", "x.hdr", "x.npy", "x.tif", "x.jpg"])
@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"II*\0\xff\xff\xff\xff", b"v/1\x01"]
)
def test_what_is_no_picture_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    read = read_depth if name.endswith("npy") else read_color
    with pytest.raises(RequestError, match=name) as told:
        read(tmp_path / name)
    assert told.value.code is ErrorCode.FILE
    with pytest.raises(RequestError, match="nowhere"):
        read(tmp_path / f"nowhere{name[1:]}")


def test_the_curve_is_the_standards_and_its_own_inverse() -> None:
    steps = np.arange(256) / 255
    assert linear(np.array([0.5, 0.04045])) == pytest.approx([0.21404114, 0.04045 / 12.92])
    assert np.abs(srgb(linear(steps)) - steps).max() < 1e-6


ODD = {
    "zeros": np.zeros((8, 8), np.float32),
    "behind the camera": np.full((8, 8), -1.0),
    "complex": np.ones((8, 8), complex),
    "words": np.array([["a"]]),
}


@pytest.mark.parametrize("what", ODD)
def test_depth_that_is_no_distance_is_refused(tmp_path: Path, what: str) -> None:
    np.save(tmp_path / "depth.npy", ODD[what])
    with pytest.raises(RequestError) as refused:
        read_depth(tmp_path / "depth.npy")
    assert refused.value.code is ErrorCode.FILE
    assert refused.value.hint


def test_what_is_no_view_file_is_told_without_a_word_of_pickles(tmp_path: Path) -> None:
    (tmp_path / "view.npz").write_bytes(b"\x89PNG and more")
    with pytest.raises(RequestError, match=r"it is no \.npz"):
        load_view(tmp_path / "view.npz", Buffers())
