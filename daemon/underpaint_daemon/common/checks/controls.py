"""What a request shows the model: views, controls, references."""

from __future__ import annotations

from collections.abc import Sequence

from underpaint.buffers import BufferRef, Kind
from underpaint.requests import Control, ControlKind, Reference, View

from ..conventions import convention_of
from .fields import check_range, check_ref, refuse, refuse_buffer, size_text
from .view_parts import EXACT_KINDS, PARTS_OF_KIND, control_source, reference_source

MAX_REFERENCES = 8


def check_controls(
    controls: Sequence[Control],
    view: View | None,
    picture: BufferRef | None,
    *,
    flat: bool = False,
) -> None:
    """picture: what is started from. flat: the picture repeats and has no view, so it is a plane
    of which all is known."""
    for i, control in enumerate(controls):
        check_control(i, control)
        known = flat and control.kind in EXACT_KINDS
        if control.kind in (ControlKind.TILE, ControlKind.INPAINT):
            known = picture is not None
        if control.image is None and not known and control_source(control.kind, view) is None:
            parts = PARTS_OF_KIND.get(control.kind, ())
            or_view = f" or a view with {' or '.join(parts)}" if parts else ""
            refuse(f"controls[{i}]", f"({control.kind}) needs an image{or_view}")


def check_references(references: Sequence[Reference], view: View | None) -> None:
    """Raise RequestError unless each reference has a picture, and a weight within its range."""
    if len(references) > MAX_REFERENCES:
        refuse("references", f"has {len(references)} entries; at most {MAX_REFERENCES}")
    for i, reference in enumerate(references):
        where = f"references[{i}]"
        check_range(f"{where}.scale", reference.scale, 0.0, 1.0)
        check_range(f"{where}.fidelity", reference.fidelity, 0.0, 1.0)
        _check_part(where, reference)
        check_ref(f"{where}.image", reference.image, Kind.COLOR)
        if reference.model == "":
            refuse(f"{where}.model", "is empty; leave it out to take the model's own")
        if reference.image is None and reference_source(reference.role, view) is None:
            refuse(where, f"({reference.role}) needs an image, or a view that has it")


def check_control(i: int, control: Control) -> None:
    """Raise RequestError unless a control's own fields are within their ranges."""
    where = f"controls[{i}]"
    check_range(f"{where}.scale", control.scale, 0.0, 2.0)
    _check_part(where, control)
    if control.depth_range is not None:
        _check_depth_range(f"{where}.depth_range", control.depth_range)
    convention_of(control.kind, control.convention, None)
    exact = {ControlKind.DEPTH: Kind.DEPTH, ControlKind.NORMAL: Kind.NORMAL}.get(control.kind)
    kinds = (Kind.COLOR,) if exact is None else (Kind.COLOR, exact)
    check_ref(f"{where}.image", control.image, *kinds)


def _check_part(where: str, one: Control | Reference) -> None:
    """The part of the steps in which it acts."""
    check_range(f"{where}.start", one.start, 0.0, 1.0)
    check_range(f"{where}.end", one.end, 0.0, 1.0)
    if one.start >= one.end:
        refuse(f"{where}.start", f"is {one.start}, not below its end {one.end}")


def _check_depth_range(where: str, limits: tuple[float, ...]) -> None:
    if len(limits) != 2 or not 0 < limits[0] < limits[1]:
        refuse(where, f"is {limits}; expected metres from white to black, e.g. 2, 9")


def check_view(where: str, view: View | None) -> None:
    """Raise RequestError unless a view's buffers are of their kinds and its camera's size."""
    if view is None:
        return
    size = (view.camera.height, view.camera.width)
    for kind in (Kind.DEPTH, Kind.NORMAL, Kind.COLOR, Kind.OBJECT_ID, Kind.POSITION, Kind.UV):
        ref: BufferRef | None = getattr(view, kind.value)
        check_ref(f"{where}.{kind}", ref, kind)
        if ref is not None and ref.shape[:2] != size:
            refuse_buffer(
                f"{where}.{kind}", f"is {size_text(ref)}, but its camera is {size[1]}×{size[0]}"
            )
