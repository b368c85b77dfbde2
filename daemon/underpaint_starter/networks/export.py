"""Export to a standard diffusers folder: what any Stable Diffusion tool can load."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from torch import nn
from transformers import CLIPTokenizer

from underpaint_daemon.common.conventions import BESIDE, Convention
from underpaint_starter.networks.models import Networks, make_networks, make_scheduler, make_vae
from underpaint_starter.networks.weights import join_weights

SIZE_LIMIT_MB = 67.0


def export_model(
    folder: Path, networks: Networks, vae: AutoencoderKL, tokenizer: CLIPTokenizer
) -> None:
    """Write half-precision safetensors to `folder`.

    The folder is a StableDiffusionPipeline with one folder `controlnet_NAME` of each control
    beside its parts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pipeline: Any = StableDiffusionPipeline(
        vae=_half(vae),
        text_encoder=_half(networks.text),
        tokenizer=tokenizer,
        unet=_half(networks.unet),
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    for name, net in networks.controls.items():
        twin: Any = _half(net)
        twin.save_pretrained(folder / f"controlnet_{name}", safe_serialization=True)
    if "normal" in networks.controls:
        said = json.dumps({"convention": Convention.OPENGL.value})
        (folder / "controlnet_normal" / BESIDE).write_text(f"{said}\n", "utf-8")


def join_model(model: Path, weights: Path, out: Path) -> float:
    """A copy of an exported model with the weights that `write_weights` has written; returns its
    size in MB. What those lack stays as it was."""
    found = join_weights(weights)
    shutil.copytree(model, out, dirs_exist_ok=True)
    tokenizer = CLIPTokenizer.from_pretrained(model / "tokenizer")
    networks, vae = make_networks(tokenizer), make_vae()
    for name, net in {**networks.named(), "vae": vae}.items():
        net.load_state_dict(found[name])
    export_model(out, networks, vae, tokenizer)
    return folder_mb(out)


def folder_mb(folder: Path) -> float:
    """Size of all files below, in millions of bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _half(net: nn.Module) -> nn.Module:
    twin = copy.deepcopy(net)
    for weight in twin.parameters():
        weight.data = weight.data.to("cpu", torch.float16).contiguous()
    return twin.eval()
