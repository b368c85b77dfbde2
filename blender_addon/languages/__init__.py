"""The panel's words in other languages, through Blender's own translation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import bpy

_FILE = Path(__file__).with_name("words.tsv")
_CONTEXTS = ("*", "Operator")
Translations = Mapping[str, Mapping[tuple[str, str], str]]


def register() -> None:
    """Blender translates labels, buttons and names of properties by itself from now on."""
    bpy.app.translations.register(__package__, translations())


def unregister() -> None:
    bpy.app.translations.unregister(__package__)


def say(text: str) -> str:
    """A text in the interface's language, for what is put together before Blender sees it."""
    return str(bpy.app.translations.pgettext_iface(text))


def translations() -> Translations:
    """`words.tsv` as Blender wants it: by language, then by context and English."""
    head, *rows = (
        line.split("\t") for line in _FILE.read_text(encoding="utf-8").splitlines() if line
    )
    return {
        language: {(context, row[0]): row[place] for row in rows for context in _CONTEXTS}
        for place, language in enumerate(head)
        if place
    }
