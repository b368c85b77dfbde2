"""The button of the preview, and its number. No bpy."""

from __future__ import annotations

from typing import Any

from ..languages import say
from . import shown


def draw(column: Any, context: Any) -> None:
    """Below the choice of views."""
    row = column.row(align=True)
    looking = shown.state().looking
    if looking is not None:
        row.progress(text=say("Looking …"), factor=looking.fraction, type="BAR", translate=False)
        return
    found = shown.current(context)
    text = say("Preview Coverage")
    if found is not None:
        text = say(
            "{percent} % seen, views: {count}", percent=_percent(found.seen), count=found.views
        )
    row.operator(
        "underpaint.coverage",
        text=text,
        icon="HIDE_OFF",
        depress=found is not None,
        translate=False,
    )


def _percent(part: float) -> str:
    """As exact as it tells: a whole number, but never 100 while something is not seen."""
    return "100" if part >= 1 else f"{min(part * 100, 99.9):.1f}".removesuffix(".0")
