"""A control's image: from the view's exact buffers, from the form, from a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from underpaint.buffers import BufferRef, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Control, ControlKind, Pattern, View
from underpaint_daemon.common.checks.view_parts import EXACT_KINDS
from underpaint_daemon.common.conventions import Convention

from ..canvas import Canvas
from .conditioning import normals_as, segments
from .depth import DepthCurve, curve_between, depth_control, inverse_curve, linear_curve
from .detectors import detect
from .flat import flat_control
from .guided import Surface, guide_of, surface_of
from .lines import form_lines

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
_HOLE = -255
"""-1 after the scaling by 255 that turns images into what networks read."""
_LINES = (ControlKind.CANNY, ControlKind.LINEART, ControlKind.SOFTEDGE, ControlKind.SCRIBBLE)
_READY = (ControlKind.SEGMENT, ControlKind.OPENPOSE, ControlKind.MLSD, ControlKind.TILE)


@dataclass(slots=True)
class Series:
    """Pictures that belong together (the views of a texture): one depth curve for all of them."""

    depths: Sequence[Array]
    _curves: dict[Convention, DepthCurve] = field(default_factory=dict)

    def curve(self, convention: Convention) -> DepthCurve:
        if convention not in self._curves:
            self._curves[convention] = _curve(self.depths, convention)
        return self._curves[convention]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where control images come from. `picture`: what is repainted or started from; `hole`:
    (h, w) at the padded size, 1 where it is to be painted. `series`: None for a picture alone."""

    view: View | None
    arrays: Arrays
    canvas: Canvas
    picture: BufferRef | None = None
    hole: npt.NDArray[np.float32] | None = None
    series: Series | None = None
    pattern: Pattern = field(default_factory=Pattern)
    surface: Surface | None = None
    """What the view shows, where it is known already."""
    flat: bool = False
    """No view: the picture is a plane of its own, which repeats."""


@dataclass(frozen=True, slots=True)
class ControlImage:
    """`pixels`: (h, w, 3) at the canvas's padded size, 0–255 (and -255 in an inpainting hole).
    `warning`: what the artist should know; may be empty."""

    pixels: Array
    warning: str = ""


def control_image(
    control: Control, convention: Convention | None, sources: Sources
) -> ControlImage:
    """One control's image, written as its network reads it.

    Depth is resampled without blending, in metres, and then encoded; normals are made unit length
    again. A colour image given for depth, normals, segments or a pose is taken as it is; lines and
    shuffled colours are found in it. Raises RequestError when nothing tells it.
    """
    if sources.flat and control.image is None and control.kind in EXACT_KINDS:
        return ControlImage(_flat(control.kind, convention, sources))
    if control.kind is ControlKind.GUIDE:
        return ControlImage(_guide(control, sources))
    if control.kind is ControlKind.INPAINT:
        return ControlImage(_with_hole(control, convention, sources))
    ref = control.image
    if control.kind in (ControlKind.DEPTH, ControlKind.NORMAL):
        return _exact(control, convention, ref or _of_view(control, sources), sources)
    if (
        ref is None
        and control.kind in _LINES
        and (lines := _form(control.kind, sources)) is not None
    ):
        return ControlImage(lines)
    if ref is None and control.kind is ControlKind.SEGMENT:
        ids = sources.arrays[_of_view(control, sources).sha256]
        return ControlImage(segments(sources.canvas.nearest(ids)))
    colour = _colours(control, sources)
    return ControlImage(colour if control.kind in _READY else detect(control.kind, colour))


def _flat(kind: ControlKind, convention: Convention | None, sources: Sources) -> Array:
    pixels = flat_control(kind, sources.canvas.padded, sources.pattern)
    normal = kind is ControlKind.NORMAL
    return normals_as(pixels, convention or Convention.BAE) if normal else pixels


def _guide(control: Control, sources: Sources) -> Array:
    if control.image is not None:
        return sources.canvas.colour(sources.arrays[control.image.sha256])
    surface = sources.surface
    if surface is None:
        if sources.view is None:
            _refuse("The guide control needs an image, or a view with depth or positions")
        surface = surface_of(sources.view, sources.arrays, sources.pattern)
    return guide_of(surface, sources.canvas, sources.pattern)


def _exact(
    control: Control, convention: Convention | None, ref: BufferRef, sources: Sources
) -> ControlImage:
    array = sources.arrays[ref.sha256]
    if ref.kind is Kind.DEPTH:
        depth = sources.canvas.nearest(array)
        curve = _depth_curve(control, convention or Convention.INVERSE, depth, sources)
        return ControlImage(depth_control(depth, curve), curve.warning)
    if ref.kind is Kind.NORMAL:
        return ControlImage(normals_as(sources.canvas.normal(array), convention or Convention.BAE))
    return ControlImage(sources.canvas.colour(array))


def _depth_curve(
    control: Control, convention: Convention, depth: Array, sources: Sources
) -> DepthCurve:
    if control.depth_range is not None:
        return curve_between(*control.depth_range, inverse=convention is not Convention.LINEAR)
    if sources.series is not None:
        return sources.series.curve(convention)
    return _curve([depth], convention)


def _curve(depths: Sequence[Array], convention: Convention) -> DepthCurve:
    return linear_curve(depths) if convention is Convention.LINEAR else inverse_curve(depths)


def _form(kind: ControlKind, sources: Sources) -> Array | None:
    """Lines of what the view knows of the form; None when it knows nothing."""
    view, arrays, canvas = sources.view, sources.arrays, sources.canvas
    if view is None or (view.depth is None and view.normal is None):
        return None
    return form_lines(
        kind,
        None if view.depth is None else canvas.nearest(arrays[view.depth.sha256]),
        None if view.normal is None else canvas.normal(arrays[view.normal.sha256]),
        None if view.object_id is None else canvas.nearest(arrays[view.object_id.sha256]),
    )


def _with_hole(control: Control, convention: Convention | None, sources: Sources) -> Array:
    if sources.hole is None:
        _refuse("The inpaint control needs a mask: it is for repainting a spot")
    pixels = _colours(control, sources).astype(np.int16)
    pixels[sources.hole > 0.5] = 0 if convention is Convention.BLACK else _HOLE
    return pixels


def _colours(control: Control, sources: Sources) -> Array:
    ref = control.image
    if ref is None and control.kind in (ControlKind.TILE, ControlKind.INPAINT):
        ref = sources.picture
    array = sources.arrays[(ref or _of_view(control, sources)).sha256]
    return sources.canvas.colour(array)


def _of_view(control: Control, sources: Sources) -> BufferRef:
    part = PART_OF_VIEW.get(control.kind, "color")
    ref: BufferRef | None = None if sources.view is None else getattr(sources.view, part)
    if ref is None:
        _refuse(f"The {control.kind} control needs an image, or a view with {part}")
    return ref


PART_OF_VIEW = {
    ControlKind.DEPTH: "depth",
    ControlKind.NORMAL: "normal",
    ControlKind.SEGMENT: "object_id",
}


def _refuse(message: str) -> NoReturn:
    raise RequestError(ErrorCode.BAD_REQUEST, message)
