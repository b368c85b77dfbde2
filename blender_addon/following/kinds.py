"""The kinds of controls that the panel offers, as plain data. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from underpaint.buffers import BufferRef, Kind
from underpaint.following.drawing import Drawing, DrawnFrom
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


class ControlSource(StrEnum):
    """Where a control's picture comes from."""

    VIEW = "VIEW"
    OBJECTS = "OBJECTS"
    ARMATURE = "ARMATURE"
    STROKES = "STROKES"
    IMAGE = "IMAGE"


_MEASURED = (ControlSource.VIEW, ControlSource.IMAGE)
_OF_LINES = (
    ControlSource.VIEW,
    ControlSource.OBJECTS,
    ControlSource.STROKES,
    ControlSource.IMAGE,
)
SOURCES: Mapping[ControlKind, tuple[ControlSource, ...]] = {
    ControlKind.DEPTH: _MEASURED,
    ControlKind.NORMAL: _MEASURED,
    ControlKind.GUIDE: _MEASURED,
    ControlKind.CANNY: _OF_LINES,
    ControlKind.LINEART: _OF_LINES,
    ControlKind.SOFTEDGE: _OF_LINES,
    ControlKind.SCRIBBLE: _OF_LINES,
    ControlKind.SEGMENT: (ControlSource.VIEW, ControlSource.OBJECTS, ControlSource.IMAGE),
    ControlKind.TILE: _MEASURED,
    ControlKind.SHUFFLE: _MEASURED,
    ControlKind.OPENPOSE: (ControlSource.ARMATURE, ControlSource.IMAGE),
    ControlKind.MLSD: (ControlSource.STROKES, ControlSource.IMAGE),
}
"""What each kind can be read from; the first is the usual one."""
_DRAWN = {
    ControlSource.OBJECTS: DrawnFrom.OBJECTS,
    ControlSource.ARMATURE: DrawnFrom.ARMATURE,
    ControlSource.STROKES: DrawnFrom.STROKES,
}
"""Those that are drawn for the view that is painted."""


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """One row of the panel's controls; ranges as in `underpaint.requests.Control`. `model`: a
    ControlNet of one's own; empty takes the model's. `source`: None is the usual one of the kind.
    `shows`: the full names of the objects that it draws. `image`: the picture that it follows in
    place of what the view shows."""

    kind: ControlKind
    enabled: bool = False
    scale: float = 1.0
    start: float = 0.0
    end: float = 1.0
    model: str = ""
    image: BufferRef | None = None
    source: ControlSource | None = None
    shows: tuple[str, ...] = ()

    @property
    def read_from(self) -> ControlSource:
        return self.source or SOURCES[self.kind][0]

    @property
    def captured(self) -> frozenset[Kind]:
        """What the daemon needs of the view to make its picture."""
        of_view = self.image is None and self.read_from is ControlSource.VIEW
        return NEEDS[self.kind] if of_view else frozenset()

    @property
    def drawing(self) -> Drawing | None:
        """How its picture is yet to be drawn, if it is."""
        source = _DRAWN.get(self.read_from)
        return None if self.image is not None or not source else Drawing(source, self.shows)


_USUAL = {
    ControlKind.DEPTH: ControlSettings(ControlKind.DEPTH, enabled=True),
    ControlKind.NORMAL: ControlSettings(ControlKind.NORMAL, enabled=True, scale=0.6),
}
USUAL_ROWS = tuple(_USUAL.get(kind, ControlSettings(kind)) for kind in PANEL_CONTROLS)
"""As they stand before anyone or any model has set them."""
