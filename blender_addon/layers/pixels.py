"""Blender images to numpy and back. Row 0 is the top row, as everywhere but in Blender."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from underpaint.envelope import new_id
from underpaint.errors import ErrorCode, RequestError

from .compose import Floats, srgb


def read(image: Any) -> Floats:
    """(h, w, 4) float32 of a Blender image, colour as stored in sRGB, straight alpha.

    An image that cannot be read (its file is gone) gives one clear pixel.
    """
    width, height = image.size
    if not width or not height:
        return np.zeros((1, 1, 4), np.float32)
    flat = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(flat)
    pixels = flat.reshape(height, width, image.channels)[::-1]
    if image.channels < 4:
        opaque = np.ones((height, width, 4), np.float32)
        opaque[..., : min(3, image.channels)] = pixels[..., :3]
        pixels = opaque
    if image.is_float and not image.colorspace_settings.is_data:
        pixels = np.concatenate([srgb(pixels[..., :3]), pixels[..., 3:]], axis=2)
    return np.ascontiguousarray(pixels)


def new(name: str, pixels: npt.NDArray[np.uint8], *, data: bool = False) -> Any:
    """A new image of RGBA bytes (h, w, 4). `data`: numbers, not colours (a mask)."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=not data, is_data=data)
    image.alpha_mode = "CHANNEL_PACKED"
    write(image, pixels)
    return image


def write(image: Any, pixels: npt.NDArray[np.uint8]) -> None:
    """Put RGBA bytes (h, w, 4) of the image's own size into it."""
    flat = pixels[::-1].astype(np.float32).ravel()
    flat /= 255
    image.pixels.foreach_set(flat)
    image.update()


def save(pixels: npt.NDArray[np.uint8], file: Path) -> Path:
    """Write RGBA bytes (h, w, 4) as a PNG; its path."""
    image = new(file.stem, pixels)
    image.filepath_raw, image.file_format = str(file), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return file


def load(file: Path, name: str) -> Any:
    """An image of a file, as colours with straight alpha that nothing multiplies.

    Raises RequestError(FILE).
    """
    try:
        image = bpy.data.images.load(str(file), check_existing=False)
    except RuntimeError as error:
        raise RequestError(ErrorCode.FILE, f"{file} cannot be read: {error}") from error
    image.name = name
    image.alpha_mode = "CHANNEL_PACKED"
    return image


def load_tiles(file: Path, name: str) -> Any:
    """One tiled image of a file and its neighbours that differ in the UDIM number in their name."""
    image = load(file, name)
    image.source = "TILED"  # Blender finds the neighbours
    image.reload()
    return image


def new_of_tiles(
    name: str, tiles: Mapping[int, npt.NDArray[np.uint8]], folder: Path, *, data: bool = False
) -> Any:
    """A new image of RGBA bytes (h, w, 4) by UDIM number: an ordinary one of a single tile, else a
    tiled one. Blender keeps tiles in files only: they are written into `folder`."""
    if len(tiles) == 1:
        return new(name, next(iter(tiles.values())), data=data)
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}-{new_id()[:8]}"
    files = [save(part, folder / f"{stem}.{tile}.png") for tile, part in sorted(tiles.items())]
    image = load_tiles(files[0], name)
    if data:
        image.colorspace_settings.name = "Non-Color"
    return image


def tile_numbers(image: Any) -> list[int]:
    """The UDIM numbers of an image; 1001 for an ordinary one."""
    if image.source != "TILED":
        return [1001]
    return [tile.number for tile in image.tiles]


def read_tile(image: Any, number: int) -> Floats:
    """`read` of one UDIM tile; an ordinary image repeats on each. Blender shows scripts the first
    tile only: others come from disk."""
    if image.source != "TILED":
        return read(image)
    path = Path(_tiles_on_disk(image).replace("<UDIM>", str(number)))
    if not path.is_file():
        return np.zeros((1, 1, 4), np.float32)
    part = load(path, "tile")
    try:
        part.colorspace_settings.name = image.colorspace_settings.name
        return read(part)
    finally:
        bpy.data.images.remove(part)


def _tiles_on_disk(image: Any) -> str:
    """The path of a tiled image's files, `<UDIM>` for the number. What was painted since they were
    saved is in copies: the files are the artist's."""
    if not image.is_dirty:
        return str(bpy.path.abspath(image.filepath))
    copies = str(Path(bpy.app.tempdir) / f"underpaint-{image.session_uid}.<UDIM>.png")
    image.save(filepath=copies)
    return copies


def flush(image: Any) -> None:
    """Write what was painted into a tiled image of ours to its files, so that each tile need not
    be copied to be read."""
    if image.source == "TILED" and image.is_dirty:
        image.save()


def keep(image: Any) -> None:
    """Make sure that saving the file keeps what is in an image. Painted-over result files stay as
    they were: the paint goes into the .blend."""
    flush(image)
    if image.source == "TILED":
        return
    if image.is_dirty or (image.source == "GENERATED" and image.packed_file is None):
        image.pack()
