"""What of a view a control or a reference is made from."""

from __future__ import annotations

from underpaint.buffers import BufferRef
from underpaint.requests import ControlKind, ReferenceRole, View

EXACT_KINDS = (ControlKind.DEPTH, ControlKind.NORMAL, ControlKind.GUIDE)
"""Controls that come exact from a scene's form, whatever its colours."""
_FORM = ("depth", "normal", "color")
PARTS_OF_KIND = {
    ControlKind.DEPTH: ("depth",),
    ControlKind.NORMAL: ("normal",),
    ControlKind.GUIDE: ("position", "depth"),
    ControlKind.SEGMENT: ("object_id",),
    ControlKind.CANNY: _FORM,
    ControlKind.LINEART: _FORM,
    ControlKind.SOFTEDGE: _FORM,
    ControlKind.SCRIBBLE: _FORM,
    ControlKind.TILE: ("color",),
    ControlKind.SHUFFLE: ("color",),
}
"""What of a view tells a kind of control, the best first; others need an image."""


def reference_source(role: ReferenceRole, view: View | None) -> BufferRef | None:
    """What a view holds for a role."""
    held: BufferRef | None = getattr(view, role.value, None)
    return held


def control_source(kind: ControlKind, view: View | None) -> BufferRef | None:
    """The buffer of a view that a control of this kind is made from; None where it lacks."""
    parts = () if view is None else PARTS_OF_KIND.get(kind, ())
    refs = (getattr(view, part) for part in parts)
    return next((ref for ref in refs if ref is not None), None)
