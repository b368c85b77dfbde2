"""Sentences with places, as the daemon fills them in: which one a text is, and with what.
No bpy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLACE = re.compile(r"{(\w+)}")
_SENTENCES = re.compile(r"(?<=[.!?]) +")


@dataclass(frozen=True, slots=True)
class Template:
    """`text`: with places in braces, ``There is no model {a}``. `form`: what it reads like."""

    text: str
    form: re.Pattern[str]


def templates(texts: Sequence[str]) -> tuple[Template, ...]:
    """Those among texts that have places; what says most by itself comes first."""
    having = [text for text in texts if _PLACE.search(text)]
    ordered = sorted(having, key=lambda text: -len(_PLACE.sub("", text)))
    return tuple(Template(text, re.compile(_pattern(text), re.DOTALL)) for text in ordered)


def read(text: str, known: Sequence[Template]) -> tuple[str, dict[str, str]] | None:
    """The template that a text was made of and what stands in its places; None for any other."""
    for template in known:
        found = template.form.fullmatch(text)
        if found is not None:
            return template.text, found.groupdict()
    return None


def sentences(text: str) -> list[str]:
    """A text in its sentences."""
    return _SENTENCES.split(text)


def _pattern(text: str) -> str:
    parts = _PLACE.split(text)
    return "".join(f"(?P<{p}>.+?)" if i % 2 else re.escape(p) for i, p in enumerate(parts))
