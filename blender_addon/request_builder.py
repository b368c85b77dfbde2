"""Panel settings to requests and back. No bpy: panel, scripts and tests share it.

Blender keeps numbers as float32, so 0.6 reads back as 0.6000000238; `tidy` gives back what the
artist typed, and so the very request that Python or the command line would make.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from underpaint.buffers import BufferRef, Kind
from underpaint.requests import (
    STARTER_MODEL,
    Control,
    ControlKind,
    ImageRequest,
    Prompt,
    Sampler,
    Sampling,
    View,
)

_DEFAULT = Sampling()
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
class ImageSettings:
    """What the panel asks for. `repaint`: start from the scene's colours, by `strength`."""

    prompt: str = ""
    negative: str = ""
    model: str = STARTER_MODEL
    width: int = 256
    height: int = 256
    steps: int = _DEFAULT.steps
    guidance: float = _DEFAULT.guidance
    sampler: Sampler = _DEFAULT.sampler
    seed: int = 0
    repaint: bool = False
    strength: float = 0.6
    controls: tuple[ControlSettings, ...] = (
        ControlSettings(ControlKind.DEPTH, enabled=True, scale=1.0),
        ControlSettings(ControlKind.NORMAL, enabled=True, scale=0.6),
        ControlSettings(ControlKind.CANNY),
        ControlSettings(ControlKind.LINEART),
    )

    @property
    def active_controls(self) -> tuple[ControlSettings, ...]:
        return tuple(control for control in self.controls if control.enabled)


def tidy(value: float) -> float:
    """A float32 as the decimal number it was typed as, to six digits after the point."""
    return round(float(value), 6)


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
        prompt=Prompt(settings.prompt, settings.negative),
        model=settings.model or STARTER_MODEL,
        width=settings.width,
        height=settings.height,
        sampling=Sampling(settings.sampler, settings.steps, tidy(settings.guidance), settings.seed),
        view=view,
        controls=tuple(_control(control) for control in settings.active_controls),
    )
    start = _start_image(settings, view)
    return (
        request if start is None else replace(request, init=start, strength=tidy(settings.strength))
    )


def settings_of(request: ImageRequest) -> ImageSettings:
    """The panel settings that make this request again over the present scene."""
    asked = {control.kind: control for control in request.controls}
    sampling = request.sampling
    return ImageSettings(
        prompt=request.prompt.text,
        negative=request.prompt.negative,
        model=request.model,
        width=request.width,
        height=request.height,
        steps=sampling.steps,
        guidance=sampling.guidance,
        sampler=sampling.sampler,
        seed=sampling.seed,
        repaint=request.init is not None,
        strength=request.strength,
        controls=tuple(_row(kind, asked.get(kind)) for kind in PANEL_CONTROLS),
    )


def _control(settings: ControlSettings) -> Control:
    return Control(
        settings.kind,
        scale=tidy(settings.scale),
        start=tidy(settings.start),
        end=tidy(settings.end),
    )


def _row(kind: ControlKind, control: Control | None) -> ControlSettings:
    if control is None:
        return ControlSettings(kind)
    return ControlSettings(kind, True, control.scale, control.start, control.end)


def _start_image(settings: ImageSettings, view: View | None) -> BufferRef | None:
    return view.color if settings.repaint and view is not None else None
