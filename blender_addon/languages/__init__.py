"""The panel's words and tooltips in other languages, through Blender's own translation.

`words.tsv`: what stands on controls. `tips.tsv`: what is said when the pointer rests on them.
`failures.tsv`: what failed, where that is always the same, and what mends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

CONTEXT = "Underpaint"
"""Blender's own words come first, and mean something else: its *To* is a place, its *Pin* a dot. In
a context of our own there are none of them."""
_FILES = {"words.tsv": (CONTEXT, "*"), "tips.tsv": ("*",), "failures.tsv": (CONTEXT,)}
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
