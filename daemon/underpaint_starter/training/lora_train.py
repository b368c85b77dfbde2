"""The starter model's own LoRA: every picture as an ink drawing on warm paper.

LoRA: Hu et al. 2021, on the attention and convolution weights of the denoiser.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPTokenizer

from underpaint_starter.training.batches import Batch
from underpaint_starter.training.finetune import FinetuneRun, finetune, frozen_networks
from underpaint_starter.training.losses import denoising_loss, luma_chroma
from underpaint_starter.training.problems import ProblemMaker, predict

NAME = "ink"
RANK = 8
_TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "conv1", "conv2", "conv_out"]
_PAPER = (0.92, 0.84, 0.68)  # sRGB, -1..1
_INK = (-0.78, -0.84, -0.86)


def train_lora(run: FinetuneRun, tokenizer: CLIPTokenizer) -> dict[str, Tensor]:
    """Train or resume; returns the LoRA's weights by their names in the diffusers format."""
    networks = frozen_networks(run.work, tokenizer, run.device)
    unet: Any = networks.unet
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=_TARGETS))
    maker = ProblemMaker(tokenizer, run.device)

    def loss_of(batch: Batch) -> Tensor:
        problem = maker.make_often_first(replace(batch, codes=run.codes.encode(ink_drawing(batch))))
        return denoising_loss(predict(networks, problem).float(), problem.target, problem.mask)

    finetune("lora", run, [w for w in unet.parameters() if w.requires_grad], loss_of)
    weights: dict[str, Tensor] = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    return weights


def save_lora(weights: dict[str, Tensor], model: Path) -> None:
    """Write the LoRA into the exported model's `loras/`, in half precision."""
    halves = {name: value.detach().half().cpu().contiguous() for name, value in weights.items()}
    StableDiffusionPipeline.save_lora_weights(
        model / "loras", unet_lora_layers=halves, weight_name=f"{NAME}.safetensors"
    )


def ink_drawing(batch: Batch) -> Tensor:
    """(n, 3, h, w) in -1..1: tones as washes of brown ink on paper, edges of tone and of form as
    dark lines."""
    luma = luma_chroma((batch.rgb + 1) / 2)[0]
    tone = luma.clamp(0, 1) ** 0.8
    lines = 2.2 * _edges(luma) + 1.4 * _edges(batch.normal).amax(1, keepdim=True)
    light = tone * (1 - lines.clamp(0, 0.9))
    paper, ink = (torch.tensor(colour)[None, :, None, None] for colour in (_PAPER, _INK))
    return ink + (paper - ink) * light


def _edges(planes: Tensor) -> Tensor:
    right = F.pad((planes[..., :, 1:] - planes[..., :, :-1]).abs(), (0, 1))
    down = F.pad((planes[..., 1:, :] - planes[..., :-1, :]).abs(), (0, 0, 0, 1))
    return torch.maximum(right, down)
