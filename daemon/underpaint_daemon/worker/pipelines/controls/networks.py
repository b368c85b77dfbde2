"""A request's controls: their networks, control images, scales and ranges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Control, ControlKind
from underpaint_daemon.common.control_files import find_control
from underpaint_daemon.common.conventions import convention_of
from underpaint_daemon.common.models import control_folder

from ..latents import from_image8, vae_scale
from ..loading.components import LoadedModel
from ..loading.controlnets import load_control
from .adapters import Features, check_adapter, features
from .images import Sources, control_image
from .on_surfaces import OnSurfaces
from .union import in_mode

Array = npt.NDArray[Any]
_HINT = (
    "Choose a control that the model has, or give a ControlNet (--control {kind}@FOLDER_OR_FILE; "
    "in Python, Control(model=...)), or follow none (--control none)."
)


@dataclass(frozen=True, slots=True)
class Conditioning:
    """ControlNets with what they see: `images` (h, w, 3) at the padded working size, 0–255.
    `adapters`: what T2I-Adapters say, which act beside them. Without networks, the images go into
    the model's own input channels."""

    controls: tuple[Control, ...]
    networks: tuple[Any, ...]
    images: tuple[Array, ...]
    adapters: tuple[Features, ...] = ()

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
        modes = [union_mode(c, n) for c, n in zip(self.controls, self.networks, strict=False)]
        if any(mode is not None for mode in modes):
            named["control_mode"] = modes
        return {key: values if self.several else values[0] for key, values in named.items()}

    @property
    def by_kind(self) -> dict[ControlKind, Array]:
        """The control images; of several of a kind the last."""
        kinds = (control.kind for control in self.controls)
        return dict(zip(kinds, self.images, strict=True))

    @property
    def several(self) -> bool:
        return len(self.controls) > 1

    @property
    def network(self) -> Any:
        """What a pipeline takes as its controlnet: one network or a list."""
        return list(self.networks) if self.several else self.networks[0]


# Of the union ControlNets for FLUX.1 (InstantX's and Shakker Labs' model cards).
_FLUX_MODES = {
    ControlKind.CANNY: 0,
    ControlKind.LINEART: 0,
    ControlKind.DEPTH: 2,
    ControlKind.OPENPOSE: 4,
}


def union_mode(control: Control, network: Any) -> int | None:
    """The number by which a union ControlNet of FLUX.1 is told what its picture is; None of
    networks that need none. Raises RequestError(CONTROL_MISSING)."""
    if getattr(network.config, "num_mode", None) is None:
        return None
    if control.kind not in _FLUX_MODES:
        known = ", ".join(_FLUX_MODES)
        raise RequestError(
            ErrorCode.CONTROL_MISSING,
            f"This union ControlNet has no mode for {control.kind}; it has {known}",
        )
    return _FLUX_MODES[control.kind]


def load_networks(model: LoadedModel, controls: Sequence[Control]) -> None:
    """Load what controls act through: a memory tier has those networks alone that are there when it
    begins. Raises RequestError: CONTROL_MISSING, MODEL_BROKEN."""
    for control in controls:
        if control.scale > 0 and not model.family.control_channels:
            _network(model, control)


def prepare_controls(
    model: LoadedModel,
    controls: Sequence[Control],
    sources: Sources,
    warn: Callable[[str], None],
) -> Conditioning:
    """Load the networks and make their control images; `warn` hears what was done to them.

    Raises RequestError: CONTROL_MISSING, DETECTOR_MISSING, MODEL_BROKEN, or BAD_REQUEST.
    """
    acting, networks, images = list[Control](), list[Any](), list[Array]()
    adapters = list[Features]()
    for control in controls:
        if control.scale <= 0:
            continue
        path, network = (None, None) if model.family.control_channels else _network(model, control)
        image = control_image(
            control, convention_of(control.kind, control.convention, path), sources
        )
        if image.warning:
            warn(image.warning)
        if isinstance(network, diffusers.T2IAdapter):
            check_adapter(network, model.unet, vae_scale(model.vae), str(path))
            with model.at_work(network):
                adapters.append(features(network, control, from_image8(image.pixels)))
            continue
        if isinstance(network, diffusers.ControlNetUnionModel):
            network = in_mode(network, control.kind)
        if control.kind is ControlKind.GUIDE and network is not None:
            network = OnSurfaces(network)
        acting.append(control)
        if network is not None:
            networks.append(network)
        images.append(image.pixels)
    return Conditioning(tuple(acting), tuple(networks), tuple(images), tuple(adapters))


def _network(model: LoadedModel, control: Control) -> tuple[Path, Any]:
    """Where a control's network is, and the network."""
    if control.model is not None:
        path = find_control(model.models, control.model)
        return path, model.companion(path, lambda: load_control(path, model.denoiser, model.place))
    if control.kind not in model.controlnets:
        has = ", ".join(model.controlnets) or "none"
        raise RequestError(
            ErrorCode.CONTROL_MISSING,
            f"Model {model.info.name!r} has no {control.kind.value} ControlNet; it has {has}",
            hint=_HINT.format(kind=control.kind.value),
        )
    path = control_folder(model.controlnets.folder, control.kind)
    return path, model.controlnets[control.kind]
