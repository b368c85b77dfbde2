"""Small pictures that stand for models and styles: the last that was painted with each, on this
machine. They lie in the add-on's user folder. Until then a style of ours has a drawn sign."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bpy

from underpaint.requests import Request

from .. import own_files
from ..icons import Icons
from ..plain.styles import OURS, is_in, styles

ICONS = Icons()
_SIDE = 96


def keep(image: Any, request: Request) -> None:
    """Let a new painting stand for its model, and for the style that its words are in."""
    names = [f"model {request.model}"]
    known = styles(own_files.styles_folder())
    names += [f"style {style.name}" for style in known if is_in(style, request.prompt.text)]
    small = image.copy()
    try:
        small.scale(_SIDE, _SIDE)
        for name in names:
            small.file_format = "PNG"
            small.save(filepath=str(_file(name)))
    except (OSError, RuntimeError):
        return  # a folder that takes none: there is no picture, and nothing else is lost
    finally:
        bpy.data.images.remove(small)


def model_icon(name: str) -> int:
    """The icon of a model's picture, or 0 while there is none."""
    return _icon(f"model {name}", _file(f"model {name}"))


def style_icon(name: str) -> int:
    """The icon of a style's picture, or 0 while there is none."""
    return _icon(f"style {name}", style_picture(name))


def style_picture(name: str) -> Path:
    """The last painting in a style, else our sign of it; it need not exist."""
    own = _file(f"style {name}")
    return own if own.exists() else OURS / "pictures" / f"{name.replace(' ', '_')}.jpg"


def _icon(name: str, file: Path) -> int:
    try:
        key = f"{name} {file.stat().st_mtime_ns}"  # a newer picture is another icon
    except OSError:
        return 0
    ICONS.load(key, file)
    return ICONS.number(key)


def _file(name: str) -> Path:
    plain = re.sub(r"[^\w.-]+", "_", name)
    return own_files.folder("samples") / f"{plain[-100:]}.png"
