"""The kinds of controls that the panel offers, as plain data. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from underpaint.buffers import BufferRef, Kind
from underpaint.requests import ControlKind

_FORM = frozenset({Kind.DEPTH, Kind.NORMAL})
NEEDS: Mapping[ControlKind, frozenset[Kind]] = {
    ControlKind.DEPTH: frozenset({Kind.DEPTH}),
    ControlKind.NORMAL: frozenset({Kind.NORMAL}),
    ControlKind.GUIDE: _FORM,
    ControlKind.CANNY: frozenset({Kind.COLOR}),
    ControlKind.LINEART: frozenset({Kind.COLOR}) | _FORM,
    ControlKind.SOFTEDGE: _FORM,
    ControlKind.SCRIBBLE: _FORM,
    ControlKind.SEGMENT: frozenset({Kind.OBJECT_ID}),
    ControlKind.TILE: frozenset({Kind.COLOR}),
    ControlKind.SHUFFLE: frozenset({Kind.COLOR}),
    ControlKind.OPENPOSE: frozenset(),
    ControlKind.MLSD: frozenset(),
}
"""What is captured of a view for each kind. Lines are drawn from the form where it is known, save
canny, which is asked for the edges of colours. A pose and straight lines no view tells."""
PANEL_CONTROLS = tuple(NEEDS)
"""All kinds but inpaint, which is for repainting a spot."""


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """One row of the panel's controls; ranges as in `underpaint.requests.Control`. `model`: a
    ControlNet of one's own; empty takes the model's. `image`: in place of what the view shows."""

    kind: ControlKind
    enabled: bool = False
    scale: float = 1.0
    start: float = 0.0
    end: float = 1.0
    model: str = ""
    image: BufferRef | None = None


_USUAL = {
    ControlKind.DEPTH: ControlSettings(ControlKind.DEPTH, enabled=True),
    ControlKind.NORMAL: ControlSettings(ControlKind.NORMAL, enabled=True, scale=0.6),
}
USUAL_ROWS = tuple(_USUAL.get(kind, ControlSettings(kind)) for kind in PANEL_CONTROLS)
"""As they stand before anyone or any model has set them."""
