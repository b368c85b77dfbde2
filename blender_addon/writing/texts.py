"""Texts that stand for a prompt: made when the artist asks, and kept in step with the panel's field
until the artist ends that. What was changed last counts; nothing else is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import bpy

FIELDS = ("prompt", "negative")
_NAMES = {"prompt": "Prompt", "negative": "Keep Away From"}
_AGREED: dict[str, str] = {}
"""What Text and field both said when they last agreed, by the Text's own number."""


class Written(NamedTuple):
    """A settings group's field and its Text."""

    group: Any
    field: str
    text: Any


def begin(group: Any, field: str) -> Any:
    """The field's Text; made with what the field says if there is none."""
    text = getattr(group, f"{field}_text")
    if text is None:
        text = bpy.data.texts.new(_NAMES[field])
        text.use_fake_user = False  # with its last user gone it is not saved
        _write(text, getattr(group, field))
        setattr(group, f"{field}_text", text)
        _AGREED[_key(text)] = getattr(group, field)
    return text


def end(group: Any, field: str, *, keep: bool) -> None:
    """The field goes its own way again; the Text stays in the file where that is asked."""
    text = getattr(group, f"{field}_text")
    setattr(group, f"{field}_text", None)
    if text is not None and keep:
        text.use_fake_user = True
    elif text is not None:
        bpy.data.texts.remove(text)


def of(text: Any) -> Written | None:
    """What a Text stands for, if it is one of these."""
    return next((one for one in _all() if one.text == text), None) if text else None


def follow() -> None:
    """Bring Texts and fields into step."""
    for one in _all():
        key, said, written = _key(one.text), getattr(one.group, one.field), one.text.as_string()
        if said != written and _AGREED.get(key) == written:
            _write(one.text, said)
        elif said != written:
            setattr(one.group, one.field, written)
        _AGREED[key] = getattr(one.group, one.field)


def _all() -> Iterator[Written]:
    """Each Text once: a copied scene has the same, and the first keeps it."""
    seen = set()
    for scene in bpy.data.scenes:
        if scene.library is not None:
            continue
        for group in (scene.underpaint, scene.underpaint_texture):
            for field in FIELDS:
                text = getattr(group, f"{field}_text")
                if text is not None and text.library is None and text not in seen:
                    seen.add(text)
                    yield Written(group, field, text)


def _write(text: Any, words: str) -> None:
    text.clear()
    text.write(words)


def _key(text: Any) -> str:
    """Its number in this run of Blender; its name where a Blender has no such numbers."""
    return str(getattr(text, "session_uid", text.name))
