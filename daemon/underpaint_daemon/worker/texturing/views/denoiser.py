"""One view, one step: ControlNets, UNet and guidance, whatever the family of the model.

Each view is a call of its own, so that its result never depends on how many views there are or
how much memory: what runs together cannot change what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests.curves import part_of
from underpaint_daemon.common.defaults.settle import Settled
from underpaint_daemon.worker.pipelines.adapters import Turn
from underpaint_daemon.worker.pipelines.controls.adapters import applied
from underpaint_daemon.worker.pipelines.latents import from_image8
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.pipelines.references.attention import acts, drawn, signal_at, write
from underpaint_daemon.worker.pipelines.references.seen import Attended, seen_by

from .attention import AttentionMemory
from .stations import Station
from .views_prompt import Region

_Residuals = dict[str, Any]


class Turning:
    """What changes over the steps beside the sample, and for the objects of a view. turn: of LoRAs;
    None = nothing does."""

    __slots__ = ()
    turn: Turn | None

    def start_step(self, step: int, steps: int) -> None:
        """Turn what changes over the steps."""
        if self.turn is not None:
            self.turn.over_steps(part_of(step, steps))

    def wear(self, region: Region) -> None:
        """Have the LoRAs of a region act."""
        if self.turn is not None:
            self.turn.of_part(region.loras)

    def end(self) -> None:
        """LoRAs as the words are read with, until the next denoising."""
        if self.turn is not None:
            self.turn.of_part()
            self.turn.over_steps(None)

    def look(
        self, station: Station, sampler: Any, timestep: Any, progress: tuple[int, int]
    ) -> None:
        """Before a step's views are predicted: look at what they are painted after. station: the
        first; sampler: its own."""


@dataclass(slots=True)
class Denoiser(Turning):
    """Predicts a network's output for one view. sampling: whose guidance is the classifier-free
    scale, 1 = off. turn: of LoRAs. shown: what IP-Adapters read of no picture and of theirs (2, …).
    attended: pictures that the UNet looks at by its attention."""

    model: LoadedModel
    sampling: Settled
    memory: AttentionMemory | None = None
    turn: Turn | None = None
    shown: Sequence[Tensor] = ()
    attended: Sequence[Attended] = ()

    def __post_init__(self) -> None:
        if int(self.model.unet.config.in_channels) != self.channels:
            raise RequestError(
                ErrorCode.BAD_REQUEST,
                f"Model {self.model.info.name!r} is an inpainting model; texturing needs a "
                "text-to-image one",
            )

    @property
    def channels(self) -> int:
        """Latent channels."""
        return int(self.model.vae.config.latent_channels)

    def look(
        self, station: Station, sampler: Any, timestep: Any, progress: tuple[int, int]
    ) -> None:
        """Let the memory's bank note what the pictures have at a step, by the first station's
        words: once for all views."""
        if self.memory is None or not self.attended:
            return
        self.wear(station.regions[0])
        guided = self.sampling.guidance_at(*progress) > 1
        text = self._text(station.regions[0].embedding, station.size, guided)
        seen = drawn(seen_by(self.model, self.attended, station.size), self.sampling.seed)
        hidden = text["encoder_hidden_states"]
        write(
            self.memory.bank,
            self.model.unet,
            [one for one in seen if acts(one.start, one.end, progress)],
            timestep,
            signal_at(sampler, timestep),
            hidden,
            **{**text, **self._seen(text, guided)},
        )

    def predict(
        self, station: Station, scaled: Tensor, timestep: Any, progress: tuple[int, int]
    ) -> Tensor:
        """The guided output (1, C, h, w) float32 for a sample scaled for the network, where the
        sample is.

        progress: the step and how many there are; controls act in a part of them.
        """
        output: Tensor | None = None
        for region in station.regions:
            if self.memory is not None:
                self.memory.region = region.key
            self.wear(region)
            told = self._guided(station, region, scaled, timestep, progress)
            if output is None or region.mask is None:
                output = told
            else:
                output = torch.where(region.mask, told, output)
        if self.memory is not None:
            self.memory.end_view()
        assert output is not None
        return output

    def _guided(
        self,
        station: Station,
        region: Region,
        scaled: Tensor,
        timestep: Any,
        progress: tuple[int, int],
    ) -> Tensor:
        scale = self.sampling.guidance_at(*progress)
        guided = scale > 1
        place = self.model.place
        sample = torch.cat([scaled, scaled] if guided else [scaled]).to(place.device, place.dtype)
        text = self._text(region.embedding, station.size, guided)
        residuals = self._controls(station, sample, timestep, text, progress)
        steps = int(self.model.scheduler_config.get("num_train_timesteps", 1000))
        with applied(self.model.unet, station.conditioning.adapters, steps):
            told_of = {**text, **self._seen(text, guided), **residuals}
            output = self.model.unet(sample, timestep, return_dict=False, **told_of)[0]
        told: Tensor = output.float().to(scaled.device)
        if not guided:
            return told
        return torch.lerp(told[:1], told[1:], scale)

    def _text(
        self, embedding: Mapping[str, Tensor], size: tuple[int, int], guided: bool
    ) -> dict[str, Any]:
        """The prompt as UNet and ControlNets take it; unprompted half first."""
        place = self.model.place

        def pair(name: str) -> Tensor:
            parts = [embedding[f"negative_{name}"]] if guided else []
            return torch.cat([*parts, embedding[name]]).to(place.device, place.dtype)

        hidden = pair("prompt_embeds")
        arguments: dict[str, Any] = {"encoder_hidden_states": hidden}
        if "pooled_prompt_embeds" in embedding:
            times = hidden.new_tensor([[*size, 0, 0, *size]]).expand(len(hidden), -1)
            pooled = pair("pooled_prompt_embeds")
            arguments["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": times}
        return arguments

    def _seen(self, text: Mapping[str, Any], guided: bool) -> dict[str, Any]:
        """The pictures that the UNet alone reads, unprompted half first."""
        if not self.shown:
            return {}
        pictures = [pair if guided else pair[1:] for pair in self.shown]
        return {
            "added_cond_kwargs": {**text.get("added_cond_kwargs", {}), "image_embeds": pictures}
        }

    def _controls(
        self,
        station: Station,
        sample: Tensor,
        timestep: Any,
        text: Mapping[str, Any],
        progress: tuple[int, int],
    ) -> _Residuals:
        """The sum of what the ControlNets that act in this step say."""
        down: list[Tensor] | None = None
        middle: Tensor | None = None
        conditioning = station.conditioning
        for control, network, told in zip(
            conditioning.controls, conditioning.networks, conditioning.images, strict=True
        ):
            if not acts(control.start, control.end, progress):
                continue
            # Made anew each time: kept for all views they would fill the memory of two.
            image = from_image8(told).to(sample)
            said_down, said_middle = network(
                sample,
                timestep,
                controlnet_cond=image.expand(len(sample), -1, -1, -1),
                conditioning_scale=control.scale,
                return_dict=False,
                **text,
            )
            down = said_down if down is None else _sums(down, said_down)
            middle = said_middle if middle is None else middle + said_middle
        if down is None:
            return {}
        return {
            "down_block_additional_residuals": tuple(down),
            "mid_block_additional_residual": middle,
        }


def _sums(some: list[Tensor], others: list[Tensor]) -> list[Tensor]:
    return [a + b for a, b in zip(some, others, strict=True)]
