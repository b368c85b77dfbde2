"""The panel's words and tooltips in other languages, through Blender's own translation.

`words.tsv`: what stands on controls. `tips.tsv`: what is said when the pointer rests on them.
`failures.tsv`: what failed, where that is always the same, and what mends it. `told.tsv`: what the
daemon tells, with places for what it fills in: a sentence is recognised by its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy

from ..plain.templates import Template, read, sentences, templates

CONTEXT = "Underpaint"
"""Blender's own words come first, and mean something else: its *To* is a place, its *Pin* a dot. In
a context of our own there are none of them."""
_TOLD = "told.tsv"
_FILES = {
    **{"words.tsv": (CONTEXT, "*"), "tips.tsv": ("*",)},
    **{"failures.tsv": (CONTEXT,), _TOLD: (CONTEXT,)},
}
"""Each table, and the contexts in which Blender looks for its texts."""
Translations = Mapping[str, Mapping[tuple[str, str], str]]


def register() -> None:
    """From now on Blender translates labels, buttons, names of properties and tooltips."""
    bpy.app.translations.register(__package__, translations())


def unregister() -> None:
    bpy.app.translations.unregister(__package__)


def register_class(cls: Any) -> None:
    """Register a class with Blender, its words to be looked for in our own context."""
    if issubclass(cls, (bpy.types.Operator, bpy.types.Panel, bpy.types.Menu)):
        cls.bl_translation_context = CONTEXT
    for kind in cls.__mro__:
        for given in getattr(kind, "__annotations__", {}).values():
            if isinstance(given, bpy.props._PropertyDeferred):
                given.keywords["translation_context"] = CONTEXT
    bpy.utils.register_class(cls)


def say(text: str, **values: object) -> str:
    """A text in the interface's language, for what is put together before Blender sees it.

    `values` stand in the text by name: ``say("and {count} more", count=3)``.
    """
    told = str(bpy.app.translations.pgettext_iface(text, CONTEXT))
    return told.format(**values) if values else told


def tell(text: str) -> str:
    """What an error or the daemon told, in the interface's language: sentence by sentence, or as a
    whole. What is known in no other words stays as it is."""
    parts = sentences(text)
    said = [_in_other_words(part) for part in parts]
    if None in said and (whole := _in_other_words(text)) is not None:
        return whole
    told = [other or part for other, part in zip(said, parts, strict=True)]
    return "".join(part if part.endswith("。") else f"{part} " for part in told).rstrip()


def _in_other_words(text: str) -> str | None:
    """None for what no table has, and in an interface in English."""
    told = say(text)
    if told != text:
        return told
    found = _read(text)
    if found is None or say(found[0]) == found[0]:
        return None
    template, values = found
    return say(template, **{key: _in_other_words(value) or value for key, value in values.items()})


@lru_cache(maxsize=256)
def _read(text: str) -> tuple[str, dict[str, str]] | None:
    return read(text, _templates())


@lru_cache(maxsize=1)
def _templates() -> tuple[Template, ...]:
    lines = Path(__file__).with_name(_TOLD).read_text(encoding="utf-8").splitlines()
    return templates([line.split("\t", 1)[0] for line in lines[1:]])


def translations() -> Translations:
    """The tables as Blender wants them: by language, then by context and English."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for name, contexts in _FILES.items():
        text = Path(__file__).with_name(name).read_text(encoding="utf-8")
        head, *rows = (line.split("\t") for line in text.splitlines() if line)
        for place, language in enumerate(head[1:], start=1):
            texts = {(context, row[0]): row[place] for row in rows for context in contexts}
            found.setdefault(language, {}).update(texts)
    return found
