"""One view, one step of a model that diffusers' own pipeline calls: the transformers.

The family's pipeline runs for a single step with a scheduler that listens. What the pipeline hands
to it is the guided output for the sample that it was given; packing, ControlNets, references and
guidance are as the pipeline's authors wrote them, for every family alike. So is the schedule: the
pipeline says what it would set its scheduler to.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from underpaint_daemon.common.defaults.settle import Settled
from underpaint_daemon.worker.pipelines.adapters import Turn
from underpaint_daemon.worker.pipelines.controls.networks import Conditioning
from underpaint_daemon.worker.pipelines.denoise import steadied
from underpaint_daemon.worker.pipelines.families import Task
from underpaint_daemon.worker.pipelines.families.base import Ask
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel, make_scheduler
from underpaint_daemon.worker.pipelines.making import make_pipeline
from underpaint_daemon.worker.pipelines.spaces import channels_of, packed, unpacked

from .denoiser import Turning
from .remembered import Encodings, Readings
from .stations import Station
from .views_prompt import Region


class _Heard(Exception):
    """The pipeline has said what was to be heard."""

    def __init__(self, *said: Any, **named: Any) -> None:
        super().__init__("heard")
        self.said, self.named = said, named


@dataclass(slots=True)
class PipelineDenoiser(Turning):
    """Predicts a network's output for one view through its family's pipeline. turn: of LoRAs.
    encodings, readings: what the VAE and the text encoder have made of
    the views' pictures."""

    model: LoadedModel
    sampling: Settled
    turn: Turn | None = None
    memory: None = None
    encodings: Encodings = field(default_factory=Encodings)
    readings: Readings = field(default_factory=Readings)

    @property
    def channels(self) -> int:
        """Latent channels."""
        return channels_of(self.model.vae)

    def scheduler(self, station: Station, steps: int) -> Any:
        """A sampler of so many steps, its noise levels as the pipeline sets them for the view's
        size."""
        made = self._fresh()
        listening = self._fresh()
        listening.set_timesteps = _raising(made.set_timesteps)
        try:
            self._call(station, station.regions[0], listening, steps)
        except _Heard as heard:
            made.set_timesteps(*heard.said, **heard.named)
        return made

    def predict(
        self, station: Station, scaled: Tensor, timestep: Any, progress: tuple[int, int]
    ) -> Tensor:
        """The guided output (1, C, h, w) float32 for a sample of this shape.

        progress: the step and how many there are; controls act in a part of them.
        """
        acting = _acting(station, progress)
        guidance = self.sampling.guidance_at(*progress)
        first, *others = station.regions
        self.wear(first)
        output = self._guided(acting, first, scaled, timestep, guidance)
        for region in others:
            assert region.mask is not None
            self.wear(region)
            told = self._guided(acting, region, scaled, timestep, guidance)
            output = torch.where(region.mask, told, output)
        return output

    def _guided(
        self, station: Station, region: Region, sample: Tensor, timestep: Any, guidance: float
    ) -> Tensor:
        listening = _at(self._fresh(), timestep)
        place = self.model.place
        given = self._sequence(sample).to(place.device, place.dtype)
        try:
            self._call(station, region, listening, 1, latents=given, guidance=guidance)
        except _Heard as heard:
            return self._laid_out(heard.said[0], station.size).to(sample.device)
        raise RuntimeError(f"{self.model.family.name}'s pipeline made no step")

    def _laid_out(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """What the pipeline said, as an image."""
        image = unpacked(output.float(), self.model.family.patches, size)
        if image is None:
            raise RuntimeError(f"latents of {tuple(output.shape)} are no image of {size}")
        return image

    def _call(
        self,
        station: Station,
        region: Region,
        scheduler: Any,
        steps: int,
        *,
        latents: Tensor | None = None,
        guidance: float = 1.0,
    ) -> None:
        family, place = self.model.family, self.model.place
        conditioning = station.conditioning
        network = conditioning.network if conditioning.networks else None
        pipe = make_pipeline(self.model, Task.TEXT, network, scheduler)
        if "prompt" in region.embedding:  # read by the pipeline, together with the pictures
            self.readings.of(pipe, station.beside.pictures)
        ask = Ask(Task.TEXT, guidance, station.size, station.beside.pictures)
        arguments = {
            **region.embedding,
            **_controlled(family.controlled, conditioning, family.control_argument[Task.TEXT]),
            "height": station.size[0],
            "width": station.size[1],
            "num_inference_steps": steps,
            **family.arguments(ask),
            "latents": latents,
            "generator": torch.Generator("cpu").manual_seed(0),
            "output_type": "latent",
            "return_dict": False,
        }
        known = inspect.signature(type(pipe).__call__).parameters
        with steadied(self.sampling.seed, place.device), self.encodings.of(self.model.vae):
            pipe(**{key: value for key, value in arguments.items() if key in known})

    def _sequence(self, sample: Tensor) -> Tensor:
        """A sample as the pipeline takes it: FLUX.2's packs single cells itself."""
        patches = self.model.family.patches
        return sample if patches == 1 else packed(sample, patches)

    def _fresh(self) -> Any:
        return make_scheduler(self.model, self.sampling.sampler)


def _controlled(change: Any, conditioning: Conditioning, name: str) -> Mapping[str, Any]:
    arguments = conditioning.arguments(name)
    return change(arguments) if arguments else arguments


def _raising(method: Any) -> Any:
    """In place of a method: what it is called with, raised."""

    @functools.wraps(method)
    def heard(*said: Any, **named: Any) -> Any:
        raise _Heard(*said, **named)

    return heard


def _at(scheduler: Any, timestep: Any) -> Any:
    """A scheduler of the one step at `timestep`, which raises the output that it gets."""

    @functools.wraps(scheduler.set_timesteps)
    def set_timesteps(*_said: Any, device: Any = None, **_named: Any) -> None:
        scheduler.timesteps = torch.as_tensor(timestep).reshape(1).to(device)
        scheduler.num_inference_steps = 1

    scheduler.set_timesteps = set_timesteps
    scheduler.step = _raising(scheduler.step)
    return scheduler


def _acting(station: Station, progress: tuple[int, int]) -> Station:
    """A station with the controls that act in a step (diffusers' rule), there in all of it."""
    step, steps = progress
    told = station.conditioning
    if not told.networks:  # a picture in the network's own channels acts always
        return station
    rows = [
        (replace(control, start=0.0, end=1.0), network, image)
        for control, network, image in zip(told.controls, told.networks, told.images, strict=True)
        if step / steps >= control.start and (step + 1) / steps <= control.end
    ]
    controls, networks, images = zip(*rows, strict=True) if rows else ((), (), ())
    return replace(station, conditioning=Conditioning(controls, networks, images, told.adapters))
