"""A model that is one safetensors file, as such files are shared."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.models import AutoencoderKL
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, InpaintRequest, Prompt, Sampler, Sampling
from underpaint_daemon.common.models import list_models
from underpaint_daemon.common.single_files import config_folder, family_of
from underpaint_daemon.worker.pipelines.loading.checkpoint import complete_tokenizer

from helpers.painting.ldm_layout import export_xl
from helpers.painting.precisions import rewritten, stored_as
from helpers.painting.studio import Recorder, Studio, photo
from helpers.painting.tiny_model import break_index, build_xl
from helpers.processes import run_helper

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, sampling=Sampling(Sampler.DDIM, 2, 5.0)
)


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
        ("double_blocks.0.img_attn.qkv.weight", 4, "FLUX.1 that is not whole", "Fetch"),
        ("model.diffusion_model.input_blocks.0.0.weight", 8, "no text encoder", "whole model"),
        ("model.diffusion_model.input_blocks.0.0.weight", 4, "no text encoder", "diffusers"),
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
        ("sd2", 865_910_724, {"text_encoder": (CLIPTextModel, 340_387_840)}),
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


def prediction(studio: Studio, file: Path) -> tuple[str, bool]:
    config = studio.models.load(str(file)).scheduler_config
    return config["prediction_type"], bool(config.get("rescale_betas_zero_snr"))


def test_v_prediction_and_zero_snr_are_told_by_keys_yaml_or_the_user(
    studio: Studio, checkpoint: Path
) -> None:
    schedule = checkpoint.with_suffix("") / "scheduler" / "scheduler_config.json"
    plain = json.loads(schedule.read_text())
    plain |= {"prediction_type": "epsilon", "rescale_betas_zero_snr": False}
    schedule.write_text(json.dumps(plain))
    assert prediction(studio, checkpoint) == ("epsilon", False)
    mark = torch.zeros(1)
    keyed = rewritten(checkpoint, lambda t: t | {"v_pred": mark, "ztsnr": mark.clone()}, "keyed")
    assert prediction(studio, keyed) == ("v_prediction", True)
    only_v = rewritten(checkpoint, lambda t: t | {"v_pred": mark}, "only_v")
    assert prediction(studio, only_v) == ("v_prediction", False)
    told = rewritten(checkpoint, lambda t: t, "told")
    told.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"\n')
    assert prediction(studio, told) == ("v_prediction", False)
    said = rewritten(checkpoint, lambda t: t, "said")
    beside = said.with_name("said.underpaint.json")
    beside.write_text('{"prediction": "v_prediction", "zero_snr": true, "steps": 2}')
    assert prediction(studio, said) == ("v_prediction", True)
    beside.write_text('{"prediction": "epsilon"}')
    assert prediction(studio, said) == ("epsilon", False), "though it was loaded"


@pytest.mark.parametrize("form", ["fp16", "bf16", "fp8", "scaled fp8", "pruned EMA"])
def test_every_precision_paints_nearly_the_same(
    studio: Studio, checkpoint: Path, form: str
) -> None:
    expected = studio.paint(replace(ASKED, model=str(checkpoint)))[0].astype(float)
    file = rewritten(checkpoint, lambda tensors: stored_as(form, tensors), form)
    painted = studio.paint(replace(ASKED, model=str(file)))[0].astype(float)
    assert np.abs(painted - expected).mean() < 6
    assert np.abs(expected - expected.mean()).mean() > 12, "the picture is not flat"


def test_a_text_encoder_as_transformers_names_it_today_is_read(
    studio: Studio, checkpoint: Path
) -> None:
    expected = studio.paint(replace(ASKED, model=str(checkpoint)))[0]

    def shorter(tensors):
        return {name.replace(".text_model.", "."): one for name, one in tensors.items()}

    file = rewritten(checkpoint, shorter, "of today")
    assert np.array_equal(studio.paint(replace(ASKED, model=str(file)))[0], expected)


def test_a_missing_vae_is_taken_from_beside_the_file(studio: Studio, checkpoint: Path) -> None:
    expected = studio.paint(replace(ASKED, model=str(checkpoint)))[0]
    start = "first_stage_model."
    vae = {
        k.removeprefix(start): v for k, v in load_file(checkpoint).items() if k.startswith(start)
    }

    def without(tensors):
        return {k: v for k, v in tensors.items() if not k.startswith(start)}

    file = rewritten(checkpoint, without, "no vae")
    with pytest.raises(RequestError, match="has no VAE") as refusal:
        studio.run(replace(ASKED, model=str(file)))
    assert "no vae.vae.safetensors" in refusal.value.hint
    first = vae["decoder.conv_in.weight"]
    for told, wrong in (
        ("have 16 channels", {"decoder.conv_in.weight": first.repeat(1, 4, 1, 1)}),
        ("is no VAE", {"decoder.layers.0.weight": first.clone()}),
    ):
        save_file(wrong, file.with_name("no vae.vae.safetensors"))
        with pytest.raises(RequestError, match=told):
            studio.run(replace(ASKED, model=str(file)))
    save_file(vae, file.with_name("no vae.vae.safetensors"))
    assert np.array_equal(studio.paint(replace(ASKED, model=str(file)))[0], expected)


def test_an_inpainting_checkpoint_repaints_masks_and_nothing_else(
    studio: Studio, checkpoint: Path
) -> None:
    first = "model.diffusion_model.input_blocks.0.0.weight"

    def wider(tensors):
        more = torch.randn(tensors[first].shape[0], 5, 3, 3) * 0.1
        return tensors | {first: torch.cat([tensors[first], more], 1)}

    file = str(rewritten(checkpoint, wider, "inpainting"))
    with pytest.raises(RequestError, match="made for inpainting"):
        studio.run(replace(ASKED, model=file))
    image = photo()
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 10:50] = 255
    asked = InpaintRequest(
        Prompt("a ball"),
        studio.buffers.add(Kind.COLOR, image),
        studio.buffers.add(Kind.MASK, mask),
        model=file,
        sampling=Sampling(steps=2),
    )
    painted = studio.paint(asked)[0]
    assert np.array_equal(painted[mask == 0], image[mask == 0])
    assert not np.array_equal(painted, image)


def test_an_sdxl_file_paints_what_its_folder_paints(studio: Studio, tmp_path: Path) -> None:
    folder = build_xl(tmp_path / "xl")
    pipeline = StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True)
    keep = shutil.ignore_patterns("*.safetensors", "controlnet_*")
    shutil.copytree(folder, tmp_path / "one file", ignore=keep)
    file = export_xl(pipeline, tmp_path / "one file.safetensors")
    expected = studio.paint(replace(ASKED, model=str(folder)))[0]
    assert np.array_equal(studio.paint(replace(ASKED, model=str(file)))[0], expected)


@pytest.mark.parametrize("kind", ["F16", "F8_E4M3"])
def test_a_file_is_read_where_it_lies_without_a_copy_on_the_disk_or_in_memory(
    checkpoint: Path, tmp_path: Path, kind: str
) -> None:
    """A file of 300 MB (in eight bits 150), all zeros, in a process of its own: what loading it
    adds to its peak."""
    wide = json.loads((checkpoint.with_suffix("") / "unet" / "config.json").read_text())
    wide["block_out_channels"] = [640, 1280]
    configs = tmp_path / "wide"
    shutil.copytree(checkpoint.with_suffix(""), configs)
    (configs / "unet" / "config.json").write_text(json.dumps(wide))
    words = [str(word) for word in (checkpoint, configs, tmp_path, kind)]
    done = run_helper("helpers.painting.load_peak", *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["file_bytes"] > 100e6
    assert told["held_bytes"] < 1.01 * told["file_bytes"]
    assert told["peak_bytes"] <= 1.15 * told["file_bytes"]
    assert told["cache_bytes"] < 0.02 * told["file_bytes"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"_class_name": "StableDiffusionLatentUpscalePipeline"}, "upscaling"),
        ({"_class_name": "StableDiffusionImageVariationPipeline"}, "image variation"),
    ],
)
def test_a_folder_of_another_make_is_listed_as_what_it_is(
    studio: Studio, tmp_path: Path, changes: dict, problem: str
) -> None:
    paths = replace(studio.models.paths, data=tmp_path / "data")
    folder = paths.models / "other"
    shutil.copytree(studio.models.paths.models / "tiny", folder)
    break_index(folder, **changes)
    (listed,) = (row for row in list_models(paths) if row["name"] == "other")
    assert problem in listed["problem"]
    with pytest.raises(RequestError, match=problem):
        studio.run(replace(ASKED, model=str(folder)))
