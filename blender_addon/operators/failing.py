"""How operators tell a failure: in the panel with its fix, and to scripts as a RuntimeError."""

from __future__ import annotations

from typing import Any

from underpaint.errors import UnderpaintError

from ..languages import say, tell
from ..link import runtime


def refuse(operator: Any, error: UnderpaintError) -> set[str]:
    """Keep the error for the panel, report it, and end the operator."""
    runtime.live().error = error
    operator.report({"ERROR"}, f"{tell(error.message)} ({tell(error.panel_hint)})")
    return {"CANCELLED"}


def allowed(operator: Any, holds: object, why: str) -> bool:
    """What a `poll` gives: whether something `holds`; where not, the greyed button says `why`."""
    if not holds:
        operator.poll_message_set(say(why))
    return bool(holds)
