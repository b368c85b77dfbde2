"""Blender images to numpy and back. Row 0 is the top row, as everywhere but in Blender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError

from ..plain.srgb import Floats, srgb
from ..working_space import to_rec709
from .ready import Ready, ready, rows


@dataclass(frozen=True, slots=True)
class Raw:
    """An image as Blender gives it: `flat` holds its rows from below. `light` (3, 3): takes
    its linear colours to Rec.709's; None: they are sRGB, or numbers."""

    flat: Floats
    height: int
    width: int
    channels: int
    light: Floats | None


def count(image: Any) -> int:
    """How many numbers an image holds; 0 when it cannot be read (its file is gone)."""
    width, height = image.size
    return int(width * height * image.channels)


def fetch(image: Any, flat: Floats) -> Raw:
    """Copy an image's numbers into `flat` (`count` of them). Quick where that memory was used
    before: new memory is what takes long."""
    width, height = image.size
    image.pixels.foreach_get(flat)
    linear = image.is_float and not image.colorspace_settings.is_data
    light = to_rec709() if linear else None
    return Raw(flat, height, width, image.channels, light)


def unpacked(raw: Raw) -> Floats:
    """(h, w, 4) float32, colour as stored in sRGB, straight alpha; new memory. In any thread."""
    pixels = raw.flat.reshape(raw.height, raw.width, raw.channels)[::-1]
    if raw.channels < 4:
        opaque = np.ones((raw.height, raw.width, 4), np.float32)
        opaque[..., : min(3, raw.channels)] = pixels[..., :3]
        pixels = opaque
    if raw.light is not None:
        shown = srgb(pixels[..., :3] @ raw.light.T)
        pixels = np.concatenate([shown, pixels[..., 3:]], axis=2)
    return np.ascontiguousarray(pixels)


def read(image: Any) -> Floats:
    """An image as `unpacked` gives it; one clear pixel when it cannot be read."""
    numbers = count(image)
    return unpacked(fetch(image, np.empty(numbers, np.float32))) if numbers else nothing()


def nothing() -> Floats:
    """One clear pixel."""
    return np.zeros((1, 1, 4), np.float32)


def new(name: str, pixels: npt.NDArray[np.uint8], *, data: bool = False) -> Any:
    """A new image of RGBA bytes (h, w, 4). `data`: numbers, not colours (a mask)."""
    return of_ready(name, rows(pixels), data=data)


def new_of_tiles(
    name: str, tiles: Mapping[int, npt.NDArray[np.uint8]], folder: Path, *, data: bool = False
) -> Any:
    """A new image of RGBA bytes (h, w, 4) by UDIM number, see `ready`."""
    return of_ready(name, ready(name, tiles, folder), data=data)


def of_ready(name: str, picture: Ready, *, data: bool = False) -> Any:
    """A new image of what a thread made ready."""
    if isinstance(picture, Path):
        image = load_tiles(picture, name)
        if data:
            image.colorspace_settings.name = "Non-Color"
        return image
    image = bpy.data.images.new(name, picture.width, picture.height, alpha=not data, is_data=data)
    image.alpha_mode = "CHANNEL_PACKED"
    image.pixels.foreach_set(picture.flat)
    image.update()
    return image


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


def tile_numbers(image: Any) -> list[int]:
    """The UDIM numbers of an image; 1001 for an ordinary one."""
    if image.source != "TILED":
        return [1001]
    return [tile.number for tile in image.tiles]


def read_tile(image: Any, number: int) -> Floats:
    """`read` of one UDIM tile; an ordinary image repeats on each."""
    with opened(image, number) as part:
        return nothing() if part is None else read(part)


@contextmanager
def opened(image: Any, number: int) -> Iterator[Any]:
    """One UDIM tile as an image for a while; None when there is none. Blender shows scripts the
    first tile only: others come from disk."""
    if image.source != "TILED":
        yield image
        return
    path = Path(_tiles_on_disk(image).replace("<UDIM>", str(number)))
    if not path.is_file():
        yield None
        return
    part = load(path, "tile")
    try:
        part.colorspace_settings.name = image.colorspace_settings.name
        yield part
    finally:
        bpy.data.images.remove(part)


def _tiles_on_disk(image: Any) -> str:
    """The path of a tiled image's files, `<UDIM>` for the number. What was painted since they were
    saved is in copies: the files are the artist's."""
    if not image.is_dirty:
        return str(bpy.path.abspath(image.filepath))
    copies = str(Path(bpy.app.tempdir) / f"underpaint-{image.session_uid}.<UDIM>.png")
    image.save(filepath=copies)
    # Blender takes it for saved now; touched, it is saved with the .blend as before.
    image.pixels[0] = image.pixels[0]
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
