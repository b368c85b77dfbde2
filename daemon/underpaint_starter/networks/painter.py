"""Painting with the starter model's networks through the standard pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    LCMScheduler,
    StableDiffusionControlNetPipeline,
)
from PIL import Image
from transformers import CLIPTokenizer

from underpaint_starter.networks.models import Networks, make_scheduler
from underpaint_starter.scenes.shards import Image8

DEFAULT_STEPS = 4
DEFAULT_GUIDANCE = 1.5


@dataclass(frozen=True, slots=True)
class Painter:
    """A pipeline over networks in memory, with the default sampler."""

    pipeline: Any

    @classmethod
    def of(
        cls, networks: Networks, vae: AutoencoderKL, tokenizer: CLIPTokenizer, control: str
    ) -> Painter:
        """A painter that follows one control ("depth" or "normal")."""
        scheduler = LCMScheduler.from_config(make_scheduler().config)
        pipeline: Any = StableDiffusionControlNetPipeline(
            vae=vae,
            text_encoder=networks.text,
            tokenizer=tokenizer,
            unet=networks.unet,
            controlnet=networks.controls[control],
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        return cls(pipeline)

    @classmethod
    def load(cls, folder: Path, control: str, device: torch.device) -> Painter:
        """A painter from an exported model folder, in float32."""
        net = ControlNetModel.from_pretrained(
            folder / f"controlnet_{control}", dtype=torch.float32, local_files_only=True
        )
        pipeline: Any = StableDiffusionControlNetPipeline.from_pretrained(
            folder, controlnet=net, dtype=torch.float32, local_files_only=True
        )
        pipeline.scheduler = LCMScheduler.from_config(pipeline.scheduler.config)
        pipeline.set_progress_bar_config(disable=True)
        return cls(pipeline.to(device))

    def paint(
        self,
        prompts: list[str],
        controls: list[Image8],
        seed: int,
        *,
        steps: int = DEFAULT_STEPS,
        guidance: float = DEFAULT_GUIDANCE,
        scale: float = 1.0,
    ) -> list[Image8]:
        """Images (h, w, 3) uint8 for prompts and control images of one size."""
        images = self.pipeline(
            prompts,
            [Image.fromarray(control) for control in controls],
            num_inference_steps=steps,
            guidance_scale=guidance,
            controlnet_conditioning_scale=scale,
            generator=[torch.Generator().manual_seed(seed + i) for i in range(len(prompts))],
            output_type="np",
        ).images
        return [np.round(image * 255).astype(np.uint8) for image in images]
