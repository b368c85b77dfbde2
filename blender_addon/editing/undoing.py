"""What the Image Editors show after undo and redo.

Blender leaves an editor empty when the picture that it shows goes; here it shows again what that
was made of, and the picture once it is back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..link import runtime
from . import marks


def remember() -> None:
    """Before a step: note which editors show what was made of another picture."""
    known = runtime.live().editors
    for area in _editors():
        image, key = area.spaces.active.image, area.as_pointer()
        before = image.get(marks.BEFORE_KEY) if image is not None else None
        if before is not None:
            known[key] = (image.name, before.name)
        elif key in known and not (_made(image, *known[key]) or _undone(image, *known[key])):
            del known[key]


def restore() -> None:
    """After the step."""
    known = runtime.live().editors
    for area in _editors():
        made, before = map(bpy.data.images.get, known.get(area.as_pointer(), ("", "")))
        shown = area.spaces.active.image
        if made is not None and before is not None and before in (shown, marks.original_of(shown)):
            area.spaces.active.image = made
        elif shown is None and before is not None:
            area.spaces.active.image = _marked(before)


def _made(image: Any, made: str, _before: str) -> bool:
    """Whether an editor shows the picture that was put there."""
    return image is not None and bool(image.name == made)


def _undone(image: Any, made: str, before: str) -> bool:
    """Whether an editor shows what a picture was made of because that has been undone."""
    original = marks.original_of(image) or image
    gone = made not in bpy.data.images
    return gone and original is not None and bool(original.name == before)


def _marked(image: Any) -> Any:
    """Its marks, where it has some again; else itself."""
    return marks.of(image) or image


def _editors() -> Iterator[Any]:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                yield area
