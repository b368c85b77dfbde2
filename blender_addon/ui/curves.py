"""Values that change over the steps, as the command line writes them, in a field. No bpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from underpaint.errors import RequestError
from underpaint.requests import Curve
from underpaint.requests.curves import curve_of, curve_text

from ..languages import say
from ..link import runtime

CURVE_FORM = (
    "pairs of a part of the steps (0 first, 1 last) and a factor, as 0-1,0.6-1,1-0.2; empty: even"
)
_LABEL = "Over Steps"


def known_curves(_self: Any, _context: Any, _text: str) -> list[tuple[str, str]]:
    """What the field offers."""
    return [
        ("0-1,1-0.2", say("Falls")),
        ("0-0.2,1-1", say("Rises")),
        ("0-1,0.5-1,0.6-0", say("First half")),
        ("0-0,0.4-0,0.5-1", say("Second half")),
    ]


def read_curve(name: str) -> Callable[[Any, Any], None]:
    """What happens when such a field is typed into: what is no curve is said, and emptied."""

    def update(self: Any, _context: Any) -> None:
        text = getattr(self, name)
        try:
            tidy = curve_text(curve_of(say(_LABEL), text or None))
        except RequestError as error:
            runtime.live().error, tidy = error, ""
        if tidy != text:
            setattr(self, name, tidy)

    return update


def curve_in(group: Any, name: str) -> Curve:
    """The curve that such a field says."""
    return curve_of(say(_LABEL), getattr(group, name) or None)
