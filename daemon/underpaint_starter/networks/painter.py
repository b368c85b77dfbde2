"""Painting with the starter model's networks through the standard pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    MultiControlNetModel,
    StableDiffusionControlNetPipeline,
)
from PIL import Image
from torch import Tensor
from transformers import CLIPTokenizer

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ControlKind, Sampler
from underpaint_daemon.common.defaults.own_file import own_wants
from underpaint_daemon.common.defaults.wants import Wants, layered
from underpaint_daemon.worker.pipelines.controls.on_surfaces import OnSurfaces
from underpaint_daemon.worker.pipelines.families.vocabulary import Vocabulary
from underpaint_daemon.worker.pipelines.finishing.decoding import decoded_by
from underpaint_daemon.worker.pipelines.finishing.detail import detailed
from underpaint_daemon.worker.pipelines.finishing.sharpen import sharpened
from underpaint_daemon.worker.pipelines.finishing.unguided import smoothed_unguided
from underpaint_daemon.worker.pipelines.latents import to_image8
from underpaint_daemon.worker.pipelines.samplers import make_scheduler as make_sampler
from underpaint_starter.networks.models import Networks, channels_last, make_scheduler
from underpaint_starter.scenes.shards import Image8

Conditions = Mapping[str, Image8]
"""Control images (h, w, 3) uint8 of one picture by the name of their control."""
_PREFIX = "controlnet_"
DEFAULT_STEPS = 4
DEFAULT_GUIDANCE = 1.0
_AT_ONCE = {"cpu": 2}  # pictures: more of them leave a processor's cache, and each takes longer
_MANY = 8
_USUAL = Wants(sampler=Sampler.LCM, steps=DEFAULT_STEPS, guidance=DEFAULT_GUIDANCE)


@dataclass(frozen=True, slots=True)
class Painter:
    """A pipeline over networks in memory that follows some of the model's controls.

    `nets`: every ControlNet of the model; `controls`: those that are followed; `wants`: what the
    model asks to be painted with; `vocabulary`: the words that it knows, where it says them.
    """

    pipeline: Any
    nets: Mapping[str, ControlNetModel]
    controls: tuple[str, ...]
    wants: Wants
    vocabulary: Vocabulary | None = None

    @classmethod
    def of(
        cls, networks: Networks, vae: AutoencoderKL, tokenizer: CLIPTokenizer, *controls: str
    ) -> Painter:
        """A painter over networks that are being trained."""
        first = networks.controls[controls[0]]
        pipeline: Any = StableDiffusionControlNetPipeline(
            vae=vae,
            text_encoder=networks.text,
            tokenizer=tokenizer,
            unet=networks.unet,
            controlnet=first,
            scheduler=make_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        return cls(pipeline, networks.controls, (), _USUAL).following(*controls)

    @classmethod
    def load(cls, folder: Path, device: torch.device, *controls: str) -> Painter:
        """A painter from an exported model folder, in float32."""
        nets = {path.name.removeprefix(_PREFIX): _net(path) for path in _net_folders(folder)}
        first = nets[controls[0]]
        pipeline: Any = StableDiffusionControlNetPipeline.from_pretrained(
            folder, controlnet=first, dtype=torch.float32, local_files_only=True
        )
        pipeline.set_progress_bar_config(disable=True)
        for net in (pipeline.unet, pipeline.vae, *nets.values()):
            channels_last(net.to(device))
        wants = layered((own_wants(folder), _USUAL))
        painter = cls(pipeline.to(device), nets, (), wants, Vocabulary.of(folder))
        return painter.following(*controls)

    def following(self, *controls: str) -> Painter:
        """The same networks under other controls of the model."""
        nets = [_heard(name, self.nets[name]) for name in controls]
        chosen = nets[0] if len(nets) == 1 else MultiControlNetModel(nets)
        pipeline: Any = StableDiffusionControlNetPipeline(
            **{**self.pipeline.components, "controlnet": chosen}, requires_safety_checker=False
        )
        pipeline.set_progress_bar_config(disable=True)
        return Painter(pipeline, self.nets, controls, self.wants, self.vocabulary)

    def paint(
        self,
        prompts: Sequence[str],
        conditions: Sequence[Conditions],
        seed: int,
        *,
        steps: int | None = None,
        scale: float = 1.0,
    ) -> list[Image8]:
        """Images (h, w, 3) uint8 for prompts and control images of one size; `steps`: other than
        the model's; `scale`: of the model's strengths. The k-th is drawn from `seed` + k, whatever
        else is painted with it."""
        wants = self.wants
        assert wants.sampler is not None
        prompts = [self._read(text) for text in prompts]
        steps = steps or wants.steps or DEFAULT_STEPS
        config = self.pipeline.scheduler.config
        self.pipeline.scheduler = make_sampler(config, wants.sampler, steps, wants.spacing)
        most = _AT_ONCE.get(self.pipeline.device.type, _MANY)
        images: list[Image8] = []
        for first in range(0, len(prompts), most):
            part = slice(first, first + most)
            images += self._batch(prompts[part], conditions[part], seed + first, steps, scale)
        return images

    def _read(self, prompt: str) -> str:
        if self.vocabulary is None:
            return prompt
        return self.vocabulary.read(prompt, self.pipeline.tokenizer).text

    def _batch(
        self,
        prompts: Sequence[str],
        conditions: Sequence[Conditions],
        seed: int,
        steps: int,
        scale: float,
    ) -> list[Image8]:
        with torch.inference_mode():
            latents = self.pipeline(
                list(prompts),
                self._images(conditions),
                num_inference_steps=steps,
                guidance_scale=self.wants.guidance,
                controlnet_conditioning_scale=self._scales(scale),
                generator=[torch.Generator().manual_seed(seed + i) for i in range(len(prompts))],
                output_type="latent",
            ).images
        planes = decoded_by(self.pipeline.vae, latents, self.wants.decode_window)
        if self.wants.smooth_unguided and "guide" in self.controls:
            pairs = zip(torch.split(planes, 1), conditions, strict=True)
            planes = torch.cat([_calm(plane, seen) for plane, seen in pairs])
        plain = sharpened(planes, self.wants.sharpen or 0.0)
        return [
            to_image8(detailed(soft[None], sharp[None], guide, self.wants.guide_detail or 0.0)[0])
            for soft, sharp, guide in zip(planes, plain, self._guides(conditions), strict=True)
        ]

    def _guides(self, conditions: Sequence[Conditions]) -> list[Image8 | None]:
        followed = ControlKind.GUIDE.value in self.controls
        return [one[ControlKind.GUIDE.value] if followed else None for one in conditions]

    def _scales(self, scale: float) -> float | list[float]:
        """The model's own strength of each control, times `scale`."""
        own = {control.kind.value: control.scale for control in self.wants.controls or ()}
        scales = [scale * own.get(name, 1.0) for name in self.controls]
        return scales[0] if len(scales) == 1 else scales

    def _images(self, conditions: Sequence[Conditions]) -> list[Any]:
        """One image a prompt, or with several controls a list of them a prompt."""
        rows = [[Image.fromarray(c[name]) for name in self.controls] for c in conditions]
        return [row[0] for row in rows] if len(self.controls) == 1 else rows


def _calm(plane: Tensor, seen: Conditions) -> Tensor:
    return smoothed_unguided(plane, seen["guide"], seen.get("depth"))


def _net_folders(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob(f"{_PREFIX}*") if path.is_dir())
    if not found:
        raise RequestError(ErrorCode.FILE, f"No {_PREFIX}* in the model folder {folder}")
    return found


def _heard(name: str, net: ControlNetModel) -> ControlNetModel:
    """A control's network as the daemon lets it speak."""
    return OnSurfaces(net) if name == ControlKind.GUIDE else net


def _net(folder: Path) -> ControlNetModel:
    return ControlNetModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
