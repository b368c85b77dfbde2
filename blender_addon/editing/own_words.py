"""The Image Editor's own prompt: what is to be there, beside what the scene is painted by."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from underpaint.tree import from_json

from ..image.request import ImageSettings
from ..link.marks import REQUEST_KEY
from ..ui.properties import read_settings
from . import marks

_MOST_BEFORE = 100


def words_to_begin_with(image: Any, group: Any) -> str:
    """What an empty prompt means: the words that the picture was painted by, before any part of it
    was repainted; for one from elsewhere those of the scene (`group`: its settings)."""
    first = marks.original_of(image) or image
    for _ in range(_MOST_BEFORE):
        first = first.get(marks.BEFORE_KEY) or first
    text = first.get(REQUEST_KEY)
    return (_words_in(text) if text else "") or str(group.prompt)


def edit_settings(image: Any, group: Any) -> ImageSettings:
    """The panel's settings, with the Image Editor's words."""
    words = group.repaint_prompt.strip() or words_to_begin_with(image, group)
    return replace(read_settings(group), prompt=words)


@lru_cache(maxsize=16)
def _words_in(request: str) -> str:
    """The prompt of a recipe; panels ask for it each time that they are drawn."""
    return from_json(request).prompt.text
