"""Images into numpy, one at a time: so that a tick waits for one of them only."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import Executor
from typing import Any

import bpy
import numpy as np

from ..link.work import awaited
from ..plain.srgb import Floats
from . import pixels
from .visible import Found, Place


def in_pieces(
    background: Executor, places: Iterable[Place], end: float = 1.0
) -> Generator[float, None, Found]:
    """Read one place at a time, giving how much is done, up to `end`; returns what was read.

    All images go through the same memory, which a thread made: getting new memory takes longer
    than all else.
    """
    wanted = list(dict.fromkeys(places))
    found: dict[Place, Floats] = {}
    memory = np.ones(0, np.float32)
    for place in wanted:
        done = end * len(found) / len(wanted)
        yield done
        size = _size(place)
        if size > len(memory):
            memory = yield from awaited(background.submit(np.ones, size, np.float32), done)
        raw = _fetch(place, memory)
        if raw is None:
            found[place] = pixels.nothing()
        else:
            found[place] = yield from awaited(background.submit(pixels.unpacked, raw), done)
    return found


def at_once(places: Iterable[Place]) -> Found:
    """Read all of them now."""
    return {place: _read(place) for place in dict.fromkeys(places)}


def _image(place: Place) -> Any:
    """None when it is gone: what it was to be read for is out of date by then."""
    return next((image for image in bpy.data.images if image.session_uid == place[0]), None)


def _size(place: Place) -> int:
    image = _image(place)
    return 0 if image is None else pixels.count(image)


def _fetch(place: Place, memory: Floats) -> pixels.Raw | None:
    """None when it is gone. A tile that is larger than the image's first one gets new memory."""
    image = _image(place)
    if image is None:
        return None
    with pixels.opened(image, place[1]) as part:
        size = 0 if part is None else pixels.count(part)
        room = memory[:size] if size <= len(memory) else np.empty(size, np.float32)
        return pixels.fetch(part, room) if size else None


def _read(place: Place) -> Floats:
    image = _image(place)
    return pixels.nothing() if image is None else pixels.read_tile(image, place[1])
