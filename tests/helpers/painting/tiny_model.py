"""A tiny random-weight model in the standard layout: every real code path, in seconds."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"})

import torch
from diffusers import MarigoldIntrinsicsPipeline, MarigoldNormalsPipeline
from transformers import CLIPTextModel

from underpaint_daemon.tools.miniatures.unet_parts import (
    STEPS,
    WIDTH,
    paints_quickly,
    scheduler,
    text_config,
    tokenizer,
    unet,
    vae,
)
from underpaint_daemon.tools.miniatures.unets import sd15 as build
from underpaint_daemon.tools.miniatures.unets import sdxl_bare as build_xl

__all__ = ["STEPS", "WIDTH", "break_index", "build", "build_guided", "build_marigold", "build_xl"]


def build_guided(folder: Path) -> Path:
    """The same with a ControlNet for the guide, which it follows by itself, as the starter does."""
    build(folder)
    shutil.copytree(folder / "controlnet_normal", folder / "controlnet_guide")
    paints_quickly(folder, controls=[{"kind": "depth"}, {"kind": "guide"}])
    return folder


def build_marigold(folder: Path, *, intrinsics: bool) -> Path:
    """A Marigold model: of albedo, roughness and metallicity, or of normals."""
    torch.manual_seed(9)
    targets = 2 if intrinsics else 1
    network = unet(WIDTH, in_channels=4 * (targets + 1), out_channels=4 * targets)
    parts = {
        "unet": network,
        "vae": vae(),
        "text_encoder": CLIPTextModel(text_config()).eval(),
        "tokenizer": tokenizer(),
        "scheduler": scheduler(True),
        "default_denoising_steps": 2,
        "default_processing_resolution": 64,
    }
    if intrinsics:
        stacked = {
            "prediction_space": "stack",
            "sub_target_names": ["roughness", "metallicity", None],
        }
        linear = {"prediction_space": "linear", "up_to_scale": False}
        properties = {
            "target_names": ["albedo", "material"],
            "albedo": {"prediction_space": "srgb", "up_to_scale": False},
            "material": stacked,
            "roughness": linear,
            "metallicity": linear,
        }
        made = MarigoldIntrinsicsPipeline(
            prediction_type="intrinsics", target_properties=properties, **parts
        )
    else:
        made = MarigoldNormalsPipeline(prediction_type="normals", **parts)
    made.save_pretrained(folder)
    return folder


def break_index(folder: Path, **changes: object) -> None:
    """Rewrite entries of a model's index."""
    file = folder / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
