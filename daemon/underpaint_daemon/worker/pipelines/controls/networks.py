"""A request's controls: their networks, control images, scales and ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Control, ControlKind, View

from ..canvas import Canvas
from ..latents import from_image8
from ..loading.components import LoadedModel, controlnet
from .conditioning import depth_control
from .detectors import detect

Image8 = npt.NDArray[np.uint8]
Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Conditioning:
    """ControlNets with what they see: `images` (h, w, 3) uint8 at the padded working size."""

    controls: tuple[Control, ...]
    networks: tuple[Any, ...]
    images: tuple[Image8, ...]

    def arguments(self, image_name: str) -> dict[str, Any]:
        """A ControlNet pipeline's arguments; `image_name` is what it calls control images."""
        if not self.controls:
            return {}
        named: dict[str, list[Any]] = {
            image_name: [from_image8(image) for image in self.images],
            "controlnet_conditioning_scale": [control.scale for control in self.controls],
            "control_guidance_start": [control.start for control in self.controls],
            "control_guidance_end": [control.end for control in self.controls],
        }
        return {key: values if self.several else values[0] for key, values in named.items()}

    @property
    def several(self) -> bool:
        return len(self.controls) > 1

    @property
    def network(self) -> Any:
        """What a pipeline takes as its controlnet: one network or a list."""
        return list(self.networks) if self.several else self.networks[0]


def prepare_controls(
    model: LoadedModel,
    controls: Sequence[Control],
    view: View | None,
    arrays: Arrays,
    canvas: Canvas,
) -> Conditioning:
    """Load the ControlNets and make their control images.

    Raises RequestError: CONTROL_MISSING, DETECTOR_MISSING or MODEL_BROKEN.
    """
    active = tuple(control for control in controls if control.scale > 0)
    networks = tuple(
        controlnet(model, control.kind, Path(control.model) if control.model else None)
        for control in active
    )
    images = tuple(control_image(control, view, arrays, canvas) for control in active)
    return Conditioning(active, networks, images)


def control_image(control: Control, view: View | None, arrays: Arrays, canvas: Canvas) -> Image8:
    """One control's image, (h, w, 3) uint8 at the canvas's padded size.

    Depth is resampled without blending, in metres, and then encoded; normals are made unit length
    again. Other kinds are detected in the colours at working size. A colour image given for depth
    or normal is taken as it is.
    """
    ref = control.image or _from_view(control, view)
    array = arrays[ref.sha256]
    if ref.kind is Kind.DEPTH:
        return depth_control(canvas.nearest(array))
    if ref.kind is Kind.NORMAL:
        return canvas.normal(array)
    colour = canvas.colour(array)
    if control.kind in (ControlKind.DEPTH, ControlKind.NORMAL):
        return colour
    weights = Path(control.detector_weights) if control.detector_weights else None
    return detect(control.kind, colour, weights)


def _from_view(control: Control, view: View | None) -> Any:
    part = {ControlKind.DEPTH: "depth", ControlKind.NORMAL: "normal"}.get(control.kind, "color")
    ref = getattr(view, part) if view is not None else None
    if ref is None:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"The {control.kind} control needs a view with {part}"
        )
    return ref
