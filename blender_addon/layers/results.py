"""From a texture job's files to a layer on each material it painted."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, JobFailed, RequestError
from underpaint.files.inputs import load_inputs
from underpaint.requests import Method, TextureRequest

from ..link.marks import TARGET_KEY, image_name, mark
from ..link.task import Task
from ..plain.surfaces import Surface, Target, target_to_json
from ..plain.udim import FIRST_TILE
from ..texture.request import Purpose
from . import materials, pixels, stack
from .compose import to_rgba
from .stack import NewLayer

_FILE = re.compile(r"(texture|base_color|roughness|metallic|normal|height|ao)(?:_(\d{4}))?\.png")
_NUMBERS = frozenset({"roughness", "metallic", "normal", "height", "ao"})

Files = Mapping[str, Mapping[int, Path]]
"""What it is (texture, roughness …) -> UDIM number in the job -> file."""


def apply_texture(task: Task, target: Target) -> list[Any]:
    """Put a finished texture onto what it was painted for; the colour images.

    Raises RequestError(BAD_MESH) when nothing that was painted is there any more; the images
    are in the file all the same.
    """
    files, made, looks_left = sorted_files(task.files), [], []
    if "texture" not in files:
        raise JobFailed(ErrorCode.INTERNAL, f"job {task.id} ended without a texture")
    for number, surface in enumerate(target.surfaces):
        look = _look(task, files, surface, number)
        made.append(look["image"])
        look["image"][TARGET_KEY] = target_to_json(target)
        material = materials.to_paint(surface, look["image"].name)
        if material is not None:
            _put(material, task, target, surface, look)
        else:
            looks_left.append(look)
    for image in (image for look in looks_left for image in look.values()):
        image.use_fake_user = True  # nobody uses it: else it would not be saved
    if len(looks_left) == len(made):
        raise RequestError(
            ErrorCode.BAD_MESH,
            f"{_words(target)} is not in this file any more: its texture {made[0].name!r} is kept "
            "as an image",
            hint="Undo the deletion and use the image, or paint again.",
        )
    return made


def sorted_files(paths: tuple[Path, ...]) -> Files:
    """A texture job's images by what they are and their tile; other files are left out."""
    found: dict[str, dict[int, Path]] = {}
    for path in paths:
        match = _FILE.fullmatch(path.name)
        if match:
            tile = int(match[2]) if match[2] else FIRST_TILE
            found.setdefault(match[1], {})[tile] = path
    return found


def _look(task: Task, files: Files, surface: Surface, number: int) -> dict[str, Any]:
    """The images of one surface's layer."""
    colours = "base_color" if "base_color" in files else "texture"
    look = {"image": _image(task, files[colours], surface, number, colours)}
    for what in sorted(_NUMBERS & files.keys()):
        look[what] = _image(task, files[what], surface, number, what)
        look[what].colorspace_settings.name = "Non-Color"
    return look


def _image(task: Task, files: Mapping[int, Path], surface: Surface, number: int, what: str) -> Any:
    """One image of a surface: plain where it has one tile, else tiled."""
    name = image_name(task.request.prompt.text, "" if what == "texture" else what)
    # A job of one tile does not number its file.
    own = {tile: files.get(job, files.get(FIRST_TILE)) for job, tile in surface.tiles}
    present = {tile: path for tile, path in own.items() if path is not None}
    if len(present) == 1:
        image = pixels.load(next(iter(present.values())), name)
    else:
        first, *_ = [_numbered(path, number, tile) for tile, path in sorted(present.items())]
        image = pixels.load_tiles(first, name)
    mark(image, task)
    return image


def _numbered(path: Path, surface: int, tile: int) -> Path:
    """A copy whose name carries the artist's own tile, as Blender looks for it."""
    stem = path.stem.rpartition("_")[0]
    copy = path.with_name(f"{stem}-{surface}.{tile}{path.suffix}")
    shutil.copyfile(path, copy)
    return copy


def _put(material: Any, task: Task, target: Target, surface: Surface, look: dict[str, Any]) -> None:
    again = stack.find(material, target.layer) if target.purpose is Purpose.REROLL else None
    if again is not None:
        stack.offer(again, look)
        return
    assert isinstance(task.request, TextureRequest)
    partial = task.request.method is Method.SINGLE
    name, mask = look["image"].name, None
    if target.purpose is Purpose.REPAINT:
        material.underpaint.edit_mask = None
        mask = _mask(task, surface, name)
        if mask is None:
            return  # nothing of this surface was to be repainted
    stack.add(material, NewLayer(task.id, name, look, surface.uv_map, partial, mask))


def _mask(task: Task, surface: Surface, name: str) -> Any:
    """Where a repainted surface is new: all that was not locked. The daemon has faded the new
    paint into the old already, so this mask is hard."""
    assert isinstance(task.request, TextureRequest)
    locks = {FIRST_TILE: task.request.lock}
    locks |= {tile.number: tile.lock for tile in task.request.more_tiles}
    buffers = task.buffers or load_inputs(task.folder, task.request)
    opened = {}
    for job, own in surface.tiles:
        lock = locks.get(job)
        if lock is not None:
            opened[own] = buffers[lock.sha256] < 255
    if not any(part.any() for part in opened.values()):
        return None
    parts = {own: to_rgba(part) for own, part in opened.items()}
    return pixels.new_of_tiles(f"{name} mask", parts, task.folder, data=True)


def _words(target: Target) -> str:
    return ", ".join(repr(item.name) for item in target.objects) or "what was painted"
