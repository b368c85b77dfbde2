"""The add-on's own user folder, which Blender keeps over updates."""

from __future__ import annotations

from pathlib import Path

import bpy

from .identity import ADDON


def folder(name: str) -> Path:
    """A folder in it, made when it is missing."""
    return Path(bpy.utils.extension_path_user(ADDON, path=name, create=True))


def prompts_file() -> Path:
    """The last prompts."""
    return folder("words") / "prompts.json"


def styles_folder() -> Path:
    """The artist's own styles."""
    return folder("styles")
