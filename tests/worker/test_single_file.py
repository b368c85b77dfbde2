"""A model that is one safetensors file, as such files are shared."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Recorder, Studio
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models import AutoencoderKL
from ldm_layout import export
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint_daemon.common.models import list_models
from underpaint_daemon.common.single_files import config_folder, family_of
from underpaint_daemon.worker.pipelines.loading.single_file import complete_tokenizer

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, sampling=Sampling(steps=2)
)


@pytest.fixture
def checkpoint(studio: Studio, tmp_path: Path) -> Path:
    """The tiny model as one file, with its configurations beside it."""
    models = studio.models.paths.models
    pipeline = StableDiffusionPipeline.from_pretrained(models / "tiny", local_files_only=True)
    keep = shutil.ignore_patterns("*.safetensors", "controlnet_*", "loras", "ip_adapter")
    shutil.copytree(models / "tiny", tmp_path / "single", ignore=keep)
    return export(pipeline, tmp_path / "single.safetensors")


def test_one_file_paints_what_its_folder_paints(studio: Studio, checkpoint: Path) -> None:
    expected = studio.paint(ASKED)[0]
    assert np.array_equal(studio.paint(replace(ASKED, model=str(checkpoint)))[0], expected)


def test_a_file_in_the_models_folder_is_listed_by_its_name(studio: Studio, checkpoint: Path):
    paths = replace(studio.models.paths, data=checkpoint.parent / "data")
    paths.models.mkdir(parents=True)
    shutil.copy(checkpoint, paths.models / "dream.safetensors")
    listed = {model["name"]: model for model in list_models(paths)}
    assert listed["dream.safetensors"]["family"] == "sd15"
    assert listed["dream.safetensors"]["native_size"] == 512
    assert not listed["dream.safetensors"]["problem"]


@pytest.mark.parametrize(
    ("tensor", "channels", "problem", "hint"),
    [
        ("lora_unet_mid.lora_up.weight", 4, "is a LoRA", "--lora"),
        ("control_model.input_blocks.0.0.weight", 4, "is a ControlNet", "--control"),
        ("double_blocks.0.img_attn.qkv.weight", 4, "is a FLUX checkpoint", "diffusers"),
        ("model.diffusion_model.input_blocks.0.0.weight", 9, "takes 9 channels", "diffusers"),
        ("model.diffusion_model.input_blocks.0.0.weight", 4, "has no VAE", "diffusers"),
        ("something.else", 4, "no checkpoint of a family", "diffusers"),
    ],
)
def test_another_file_is_refused_by_what_it_is(
    studio: Studio, tmp_path: Path, tensor: str, channels: int, problem: str, hint: str
) -> None:
    file = tmp_path / "file.safetensors"
    save_file({tensor: torch.zeros(8, channels, 3, 3)}, file)
    with pytest.raises(RequestError) as refusal:
        studio.run(replace(ASKED, model=str(file)), Recorder(credit=False))
    assert refusal.value.code is ErrorCode.MODEL_BROKEN
    assert problem in refusal.value.message
    assert hint in refusal.value.hint


def test_a_file_that_is_cut_short_is_refused(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    with pytest.raises(RequestError, match="its header says"):
        family_of(checkpoint)


def weights(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def diffusers_network(kind, folder: Path):
    return kind.from_config(json.loads((folder / "config.json").read_text()))


def text_network(kind, folder: Path):
    return kind(CLIPTextConfig.from_pretrained(folder, local_files_only=True))


# The numbers of weights that the released models have.
@pytest.mark.parametrize(
    ("family", "unet", "encoders"),
    [
        ("sd15", 859_520_964, {"text_encoder": (CLIPTextModel, 123_060_480)}),
        (
            "sdxl",
            2_567_463_684,
            {
                "text_encoder": (CLIPTextModel, 123_060_480),
                "text_encoder_2": (CLIPTextModelWithProjection, 694_659_840),
            },
        ),
    ],
)
def test_the_shipped_configurations_are_those_of_the_released_models(family, unet, encoders):
    folder = config_folder(family)
    with torch.device("meta"):
        assert weights(diffusers_network(UNet2DConditionModel, folder / "unet")) == unet
        assert weights(diffusers_network(AutoencoderKL, folder / "vae")) == 83_653_863
        for part, (kind, count) in encoders.items():
            assert weights(text_network(kind, folder / part)) == count


def test_the_shipped_vocabulary_is_clips(tmp_path: Path) -> None:
    shutil.copytree(config_folder("sd15") / "tokenizer", tmp_path / "tokenizer")
    complete_tokenizer(tmp_path / "tokenizer")
    tokenizer = CLIPTokenizer.from_pretrained(tmp_path / "tokenizer", local_files_only=True)
    # As CLIP's own README and papers that use it show them.
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer("hello world").input_ids == [49406, 3306, 1002, 49407]
    assert len(tokenizer) == 49408
