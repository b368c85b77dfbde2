"""Pictures as icons, which end with the add-on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy.utils.previews


class Icons:
    """A collection of Blender's previews by their names, between `register` and `unregister`."""

    def __init__(self) -> None:
        self._previews: Any = None

    def register(self) -> None:
        self._previews = bpy.utils.previews.new()

    def unregister(self) -> None:
        if self._previews is not None:
            bpy.utils.previews.remove(self._previews)
        self._previews = None

    def __contains__(self, name: str) -> bool:
        return name in self._previews

    def __getitem__(self, name: str) -> Any:
        """Blender's preview of that name."""
        return self._previews[name]

    def clear(self) -> None:
        self._previews.clear()

    def load(self, name: str, file: Path) -> None:
        """Make an icon of a picture's file, if there is none of the name."""
        if name not in self:
            self._previews.load(name, str(file), "IMAGE")

    def new(self, name: str) -> Any:
        """A preview that is filled by whoever asks."""
        return self._previews.new(name)

    def number(self, name: str) -> int:
        """What Blender's layouts call an icon by, or 0 while there is none."""
        return int(self[name].icon_id) if name in self else 0
