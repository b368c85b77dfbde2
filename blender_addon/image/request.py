"""The Image tab's settings to requests and back. No bpy: panel, scripts and tests share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from underpaint.buffers import BufferRef, Kind
from underpaint.files.viewfile import SceneObject
from underpaint.requests import (
    HANDOFF,
    Control,
    ControlKind,
    ImageRequest,
    Prompt,
    Refiner,
    RegionPrompt,
    View,
)

from ..following.kinds import PANEL_CONTROLS, USUAL_ROWS, ControlSettings, ControlSource
from ..plain.painting_settings import PaintingSettings, asked, asked_by


@dataclass(frozen=True, slots=True)
class ImageSettings(PaintingSettings):
    """What the Image tab asks for. `repaint`: start from the scene's colours, by `strength`.
    `model_controls`: follow what the model wants to follow, and not `controls`.
    `object_prompts`: objects that have words or LoRAs of their own are painted by them. `regions`:
    prompts where a mask is white. `left_alone`: the full names of objects that stay as the view
    shows them. `image_guidance`: how closely models that edit keep the picture.
    `refiner`: the model that finishes the picture, by `refiner_strength`, or is handed it over at
    `refiner_handoff`; empty is none."""

    width: int | None = None
    height: int | None = None
    repaint: bool = False
    object_prompts: bool = False
    regions: tuple[RegionPrompt, ...] = ()
    image_guidance: float | None = None
    refiner: str = ""
    refiner_strength: float = Refiner("").strength
    refiner_hands_over: bool = False
    refiner_handoff: float = HANDOFF
    left_alone: tuple[str, ...] = ()
    model_controls: bool = True
    controls: tuple[ControlSettings, ...] = USUAL_ROWS

    @property
    def active_controls(self) -> tuple[ControlSettings, ...]:
        """What was set by hand to be followed."""
        if self.model_controls:
            return ()
        return tuple(control for control in self.controls if control.enabled)

    @property
    def pictures(self) -> tuple[BufferRef, ...]:
        """The pictures that the request brings along, beside what the view shows."""
        masks = [region.mask for region in self.regions]
        read = [one.image for one in self.references]
        images = [control.image for control in self.active_controls]
        return tuple(ref for ref in (*read, *images, *masks) if ref is not None)


def wanted_buffers(settings: ImageSettings) -> frozenset[Kind]:
    """The buffers to capture; empty when the request needs no view."""
    # What a model follows by itself is the form.
    wants = {Kind.DEPTH, Kind.NORMAL} if settings.model_controls else set()
    wants = wants.union(*(control.captured for control in settings.active_controls))
    wants |= {Kind.COLOR} if settings.repaint else set()
    wants |= {Kind.COLOR, Kind.OBJECT_ID} if settings.left_alone else set()
    return frozenset(wants | ({Kind.OBJECT_ID} if settings.object_prompts else set()))


def image_request(
    settings: ImageSettings, view: View | None, own_words: Mapping[int, SceneObject] | None = None
) -> ImageRequest:
    """The request of these settings over a captured view (with `wanted_buffers`). `own_words`: the
    objects with words or LoRAs that it shows, by object id."""
    painting = asked(settings)
    painting["sampling"] = replace(painting["sampling"], image_guidance=settings.image_guidance)
    request = ImageRequest(
        **painting,
        width=settings.width,
        height=settings.height,
        view=view,
        controls=None if settings.model_controls else _controls(settings),
        regions=(*_of_objects(settings, own_words or {}), *settings.regions),
        refiner=_refiner(settings),
    )
    start = view.color if settings.repaint and view is not None else None
    return request if start is None else replace(request, init=start, strength=settings.strength)


def settings_of(request: ImageRequest) -> ImageSettings:
    """The panel settings that make this request again over the present scene."""
    by_kind = {control.kind: control for control in request.controls or ()}
    rows = tuple(_row(kind, by_kind.get(kind)) for kind in PANEL_CONTROLS)
    return ImageSettings(
        **asked_by(request),
        width=request.width,
        height=request.height,
        repaint=request.init is not None,
        object_prompts=any(region.object_id for region in request.regions),
        regions=tuple(region for region in request.regions if region.mask is not None),
        strength=request.strength,
        image_guidance=request.sampling.image_guidance,
        refiner=request.refiner.model if request.refiner else "",
        refiner_strength=(request.refiner or Refiner("")).strength,
        refiner_hands_over=(request.refiner or Refiner("")).handoff is not None,
        refiner_handoff=(request.refiner or Refiner("")).handoff or HANDOFF,
        model_controls=request.controls is None,
        controls=USUAL_ROWS if request.controls is None else rows,
    )


def _of_objects(
    settings: ImageSettings, own_words: Mapping[int, SceneObject]
) -> tuple[RegionPrompt, ...]:
    return tuple(
        RegionPrompt(
            Prompt(one.prompt, settings.negative),
            object_id=number,
            name=one.name,
            loras=one.loras,
        )
        for number, one in sorted(own_words.items())
    )


def _refiner(settings: ImageSettings) -> Refiner | None:
    if not settings.refiner:
        return None
    handoff = settings.refiner_handoff if settings.refiner_hands_over else None
    return Refiner(settings.refiner, settings.refiner_strength, handoff=handoff)


def _controls(settings: ImageSettings) -> tuple[Control, ...]:
    return tuple(_control(control) for control in settings.active_controls)


def _control(settings: ControlSettings) -> Control:
    return Control(
        settings.kind,
        settings.scale,
        settings.start,
        settings.end,
        image=settings.image,
        model=settings.model or None,
    )


def _row(kind: ControlKind, control: Control | None) -> ControlSettings:
    if control is None:
        return ControlSettings(kind)
    model, image = control.model or "", control.image
    row = ControlSettings(kind, True, control.scale, control.start, control.end, model, image)
    return row if image is None else replace(row, source=ControlSource.IMAGE)
