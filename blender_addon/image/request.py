"""The Image tab's settings to requests and back. No bpy: panel, scripts and tests share it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from underpaint.buffers import Kind
from underpaint.requests import Control, ControlKind, ImageRequest, View

from ..plain.painting_settings import PaintingSettings, asked, asked_by

PANEL_CONTROLS = (
    ControlKind.DEPTH,
    ControlKind.NORMAL,
    ControlKind.CANNY,
    ControlKind.LINEART,
)
_NEEDS = {
    ControlKind.DEPTH: Kind.DEPTH,
    ControlKind.NORMAL: Kind.NORMAL,
    ControlKind.CANNY: Kind.COLOR,
    ControlKind.LINEART: Kind.COLOR,
}


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """One row of the panel's controls; ranges as in `underpaint.requests.Control`."""

    kind: ControlKind
    enabled: bool = False
    scale: float = 1.0
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True, slots=True)
class ImageSettings(PaintingSettings):
    """What the Image tab asks for. `repaint`: start from the scene's colours, by `strength`."""

    width: int | None = None
    height: int | None = None
    repaint: bool = False
    controls: tuple[ControlSettings, ...] = (
        ControlSettings(ControlKind.DEPTH, enabled=True, scale=1.0),
        ControlSettings(ControlKind.NORMAL, enabled=True, scale=0.6),
        ControlSettings(ControlKind.CANNY),
        ControlSettings(ControlKind.LINEART),
    )

    @property
    def active_controls(self) -> tuple[ControlSettings, ...]:
        return tuple(control for control in self.controls if control.enabled)


def wanted_buffers(settings: ImageSettings) -> frozenset[Kind]:
    """The buffers to capture; empty when the request needs no view."""
    wants = {_NEEDS[control.kind] for control in settings.active_controls}
    # Lineart follows the form where depth and normals are known.
    if any(control.kind is ControlKind.LINEART for control in settings.active_controls):
        wants |= {Kind.DEPTH, Kind.NORMAL}
    return frozenset(wants | ({Kind.COLOR} if settings.repaint else set()))


def image_request(settings: ImageSettings, view: View | None) -> ImageRequest:
    """The request of these settings over a captured view (with `wanted_buffers`)."""
    request = ImageRequest(
        **asked(settings),
        width=settings.width,
        height=settings.height,
        view=view,
        controls=tuple(_control(control) for control in settings.active_controls),
    )
    start = view.color if settings.repaint and view is not None else None
    return request if start is None else replace(request, init=start, strength=settings.strength)


def settings_of(request: ImageRequest) -> ImageSettings:
    """The panel settings that make this request again over the present scene."""
    by_kind = {control.kind: control for control in request.controls or ()}
    return ImageSettings(
        **asked_by(request),
        width=request.width,
        height=request.height,
        repaint=request.init is not None,
        strength=request.strength,
        controls=tuple(_row(kind, by_kind.get(kind)) for kind in PANEL_CONTROLS),
    )


def _control(settings: ControlSettings) -> Control:
    return Control(settings.kind, scale=settings.scale, start=settings.start, end=settings.end)


def _row(kind: ControlKind, control: Control | None) -> ControlSettings:
    if control is None:
        return ControlSettings(kind)
    return ControlSettings(kind, True, control.scale, control.start, control.end)
