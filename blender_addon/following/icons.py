"""What the model would be shown, as icons by the names of controls."""

from __future__ import annotations

from ..icons import Icons
from .shown import Shown

ICONS = Icons()


def update(shown: Shown) -> None:
    """Make icons of a look that has come, in place of those of the one before."""
    if not shown.fresh:
        return
    shown.fresh = False
    ICONS.clear()
    for kind, file in shown.files.items():
        ICONS.load(kind, file)
