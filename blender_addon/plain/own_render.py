"""Renders that the add-on starts itself, told from the artist's. No bpy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_UNDER_WAY: list[None] = []


@contextmanager
def own_render() -> Iterator[None]:
    """What is rendered meanwhile is ours: nobody has to make room for it."""
    _UNDER_WAY.append(None)
    try:
        yield
    finally:
        _UNDER_WAY.pop()


def is_own() -> bool:
    """Whether a render that begins now is ours."""
    return bool(_UNDER_WAY)
