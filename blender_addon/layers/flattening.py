"""Flatten without letting the window wait: read a piece a tick, sum in a thread, then one undo
step."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

import bpy

from underpaint.errors import ErrorCode, RequestError

from ..image.results import results_folder
from ..languages import say
from ..link import runtime
from ..link.work import Work, awaited
from . import flatten, reading

_READING = 0.6
"""The part of the progress bar that reading takes."""


def begin(material: Any) -> None:
    """Flatten a material's layers in the ticks to come. Raises UnderpaintError when they cannot be,
    or are already being flattened."""
    live, planned = runtime.live(), flatten.plan(material, results_folder())
    if live.shown_work is not None:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "layers are being flattened already",
            hint="Wait until that is done.",
        )
    pieces = _pieces(live, material.session_uid, planned)
    live.works.append(Work(pieces, say("Flattening {name}", name=material.name)))


def finish(uid: int) -> None:
    """Put in place what was flattened. Raises UnderpaintError when the layers changed meanwhile."""
    put = runtime.live().flattened.pop(uid)
    material = next((m for m in bpy.data.materials if m.session_uid == uid), None)
    if material is not None:
        put(material)


def now(material: Any) -> None:
    """Flatten at once. Raises UnderpaintError when it cannot be."""
    planned = flatten.plan(material, results_folder())
    flatten.put(material, planned, flatten.sums(planned, reading.at_once(flatten.wanted(planned))))


def _pieces(live: runtime.Runtime, uid: int, planned: flatten.Plan) -> Generator[float, None, None]:
    found = yield from reading.in_pieces(live.background, flatten.wanted(planned), _READING)
    flat = yield from awaited(live.background.submit(flatten.sums, planned, found), _READING)
    live.flattened[uid] = partial(flatten.put, planned=planned, flat=flat)
