"""Styles: ways to paint, as JSON files of ours and of the artist's. No bpy.

A file is a list of `{"name", "prompt", "negative"}`; `{prompt}` in the prompt stands for what the
artist wrote, and is put in front where it is missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

OURS = Path(__file__).parent.parent / "styles"
_PLACE = "{prompt}"


@dataclass(frozen=True, slots=True)
class Style:
    """`prompt`: with a place for the artist's own words. `negative`: what is added to it."""

    name: str
    prompt: str
    negative: str = ""


def styles(own: Path) -> tuple[Style, ...]:
    """Ours, then those of every .json in the artist's folder `own`; unreadable files are left
    out."""
    found = list(_read(OURS / "styles.json"))
    for file in sorted(own.glob("*.json")):
        found += _read(file)
    return tuple(found)


def negatives() -> tuple[Style, ...]:
    """Sets of words to keep away from."""
    return _read(OURS / "negatives.json")


def applied(style: Style, prompt: str, negative: str) -> tuple[str, str]:
    """The artist's words in a style, and what to keep away from; a style is put on once."""
    text = prompt if is_in(style, prompt) else _form(style).replace(_PLACE, prompt)
    return text.strip(" ,"), _joined(negative, style.negative)


def is_in(style: Style, prompt: str) -> bool:
    """Whether words are in a style already."""
    form = _form(style)
    before, after = form.split(_PLACE, 1)
    return prompt.startswith(before) and prompt.endswith(after) and form != _PLACE


def _form(style: Style) -> str:
    return style.prompt if _PLACE in style.prompt else f"{_PLACE}, {style.prompt}"


def _joined(negative: str, more: str) -> str:
    """Both, without saying a word twice."""
    words = [word.strip() for word in f"{negative},{more}".split(",") if word.strip()]
    return ", ".join(dict.fromkeys(words))


def _read(file: Path) -> tuple[Style, ...]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return tuple(Style(r["name"], r["prompt"], r.get("negative", "")) for r in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()
