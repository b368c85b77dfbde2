"""Rooms of diffusers that hold one pipeline and the parts that are its own."""

from __future__ import annotations

import importlib
from typing import Any

import diffusers

from underpaint_daemon.common.contents.foreign import room_of_diffusers

_SUFFIX, _FROM_PICTURE = "Pipeline", "Img2Img"


def part_class(room: str, kind: str) -> Any:
    """The class of a part whose index names a room in place of a library; None where there is
    none."""
    found = room_of_diffusers(room)
    return None if found is None else getattr(_opened(found), kind, None)


def pipeline_class(name: str) -> Any:
    """A pipeline's class; None where diffusers has none. It hides those whose tokenizer wants
    SentencePiece (Kolors), which is read here without."""
    found = getattr(diffusers, name, None)
    if getattr(found, "_backends", None) is None:
        return found
    own = name.removesuffix(_SUFFIX).removesuffix(_FROM_PICTURE).lower()
    room = room_of_diffusers(own)
    return found if room is None else getattr(_opened(room), name, found)


def _opened(room: str) -> Any:
    return importlib.import_module(f"diffusers.pipelines.{room}")
