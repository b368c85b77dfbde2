"""Models on disk: listed, loaded once, shared, dropped; broken ones named."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import Control, ControlKind, ImageRequest, InpaintRequest, Prompt, Sampler
from underpaint_daemon.common.models import list_models
from underpaint_daemon.worker.dispatch import build_runner
from underpaint_daemon.worker.pipelines.families import Task
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.components import make_scheduler
from underpaint_daemon.worker.pipelines.loading.from_disk import load_model
from underpaint_daemon.worker.pipelines.making import make_pipeline

from helpers.painting.studio import Studio, ball_view, photo
from helpers.painting.tiny_model import build, build_xl

ASKED = ImageRequest(Prompt("a red cube"), model="tiny", width=64, height=64)


def test_models_are_listed_with_what_they_can_do(paths: Paths) -> None:
    (tiny,) = (row for row in list_models(paths) if row["name"] == "tiny")
    assert tiny["family"] == "sd15"
    assert tiny["controls"] == ("depth", "normal")
    assert tiny["loras"] == ("style",)
    assert tiny["licence"] == "cc0-1.0"
    assert tiny["size_mb"] > 0
    assert not tiny["problem"]
    json.dumps(list_models(paths))


def test_a_broken_model_is_listed_with_its_problem(tmp_path: Path) -> None:
    found = Paths(tmp_path / "run", tmp_path, tmp_path / "cache")
    folder = build(found.models / "torn")
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    (row,) = (row for row in list_models(found) if row["name"] == "torn")
    assert "vae" in row["problem"]


def cut_weights(folder: Path) -> str:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    return "unet/diffusion_pytorch_model.safetensors"


def lose_a_weight(folder: Path) -> str:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    tensors.pop("conv_in.weight")
    save_file(tensors, file)
    return "conv_in.weight"


def only_pickles(folder: Path) -> str:
    file = folder / "text_encoder" / "model.safetensors"
    file.rename(file.with_name("pytorch_model.bin"))
    return "pytorch_model.bin"


def another_familys_vae(folder: Path) -> str:
    config = folder / "vae" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"latent_channels": 16}))
    return "have 16 channels"


def a_tiny_vae(folder: Path) -> str:
    config = folder / "vae" / "config.json"
    config.write_text(
        json.dumps(json.loads(config.read_text()) | {"_class_name": "AutoencoderTiny"})
    )
    return "is an AutoencoderTiny"


def no_text_encoder(folder: Path) -> str:
    shutil.rmtree(folder / "text_encoder")
    return "text_encoder"


def spoil_config(folder: Path) -> str:
    (folder / "vae" / "config.json").write_text("{")
    return "vae/config.json"


def unknown_family(folder: Path) -> str:
    (folder / "model_index.json").write_text('{"_class_name": "HunyuanVideoPipeline"}')
    return "HunyuanVideoPipeline"


def remote_code(folder: Path) -> str:
    file = folder / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"unet": ["my_code", "Net"]}))
    return "my_code"


def _say(file: Path, **words: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | words))


def a_scale_in_words(folder: Path) -> str:
    _say(folder / "vae" / "config.json", scaling_factor="0.18")
    return "its scaling_factor is '0.18', not a number above 0, such as 0.18215"


def no_noise_steps(folder: Path) -> str:
    _say(folder / "scheduler" / "scheduler_config.json", num_train_timesteps=0)
    return "its num_train_timesteps is 0"


def torn_controlnet(folder: Path) -> str:
    (folder / "controlnet_depth" / "config.json").unlink()
    return "controlnet_depth"


BREAKAGES = [
    cut_weights,
    lose_a_weight,
    only_pickles,
    another_familys_vae,
    a_tiny_vae,
    no_text_encoder,
    spoil_config,
    unknown_family,
    remote_code,
    a_scale_in_words,
    no_noise_steps,
    torn_controlnet,
]


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_broken_model_is_refused_and_the_file_named(
    studio: Studio, paths: Paths, tmp_path: Path, breakage: Callable[[Path], str]
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(paths.models / "tiny", folder)
    named = breakage(folder)
    with pytest.raises(RequestError) as caught:
        studio.run(replace(ASKED, model=str(folder)))
    assert caught.value.code is ErrorCode.MODEL_BROKEN
    assert named in caught.value.message.replace("\\", "/")


@pytest.mark.parametrize("name", ["nowhere", "../tiny", "/nowhere/model", ".."])
def test_a_missing_model_is_refused(studio: Studio, name: str) -> None:
    with pytest.raises(RequestError) as caught:
        studio.run(replace(ASKED, model=name))
    assert caught.value.code is ErrorCode.MODEL_MISSING


def test_half_precision_files_are_loaded_in_full_precision_on_a_cpu(
    studio: Studio, paths: Paths, tmp_path: Path
) -> None:
    folder = tmp_path / "half"
    shutil.copytree(paths.models / "tiny", folder)
    for file in (*folder.glob("*/diffusion_pytorch_model.safetensors"),):
        half = {key: tensor.half() for key, tensor in load_file(file).items()}
        file.unlink()
        save_file(half, file.with_name("diffusion_pytorch_model.fp16.safetensors"))
    model = load_model(paths, str(folder))
    expected = torch.float16 if torch.cuda.is_available() else torch.float32
    assert model.unet.dtype == expected
    assert studio.paint(replace(ASKED, model=str(folder)))[0].shape == (64, 64, 3)


def test_pipelines_share_the_models_components(studio: Studio) -> None:
    model = studio.models.load("tiny")
    assert studio.models.load("tiny") is model
    scheduler = make_scheduler(model, Sampler.LCM)
    control = model.controlnets[ControlKind.DEPTH]
    for task in Task:
        for network in (None, control, [control, model.controlnets["normal"]]):
            pipe = make_pipeline(model, task, network, scheduler)
            assert pipe.unet is model.unet
            assert pipe.vae is model.vae
            assert pipe.text_encoder is model.parts["text_encoder"]


def test_texts_of_any_length_are_encoded_side_by_side(studio: Studio) -> None:
    model = studio.models.load("tiny")
    told = model.family.embed(model.parts, {}, ("a red cube", "a red cube " * 12))
    assert told["prompt_embeds"].shape == told["negative_prompt_embeds"].shape
    assert told["prompt_embeds"].shape[1] % 16 == 0
    assert told["prompt_embeds"].shape[1] > 16


def test_the_least_recently_used_model_goes_first(paths: Paths, tmp_path: Path) -> None:
    second = build(tmp_path / "second")
    cache = ModelCache(paths)
    first = cache.load("tiny")
    cache.limit_bytes = int(first.nbytes * 1.5)
    assert len(cache) == 1
    cache.load(str(second))
    assert len(cache) == 1
    assert cache.load("tiny") is not first
    cache.unload()
    assert len(cache) == 0
    assert cache.nbytes == 0


def test_a_model_changed_on_disk_is_loaded_anew(paths: Paths, tmp_path: Path) -> None:
    folder = tmp_path / "changing"
    shutil.copytree(paths.models / "tiny", folder)
    cache = ModelCache(paths)
    old = cache.load(str(folder))
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    tensors["conv_in.bias"] += 1
    save_file(tensors, file)
    new = cache.load(str(folder))
    assert new is not old
    assert new.digest != old.digest
    assert len(cache) == 1


def test_an_sdxl_model_paints_by_every_task(studio: Studio, tmp_path: Path) -> None:
    folder = str(build_xl(tmp_path / "xl"))
    asked = replace(ASKED, model=folder)
    view = ball_view(studio.buffers)
    depth = (Control(ControlKind.DEPTH),)
    image = photo()
    init = studio.buffers.add(Kind.COLOR, image)
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 10:50] = 255
    hole = studio.buffers.add(Kind.MASK, mask)
    plain = studio.paint(asked)[0]
    controlled = studio.paint(replace(asked, view=view, controls=depth))[0]
    assert not np.array_equal(plain, controlled)
    studio.paint(replace(asked, init=init))
    studio.paint(replace(asked, init=init, view=view, controls=depth))
    for controls in ((), depth):
        request = InpaintRequest(
            Prompt("a ball"), init, hole, model=folder, view=view, controls=controls
        )
        painted = studio.paint(request)[0]
        assert np.array_equal(painted[mask == 0], image[mask == 0])


def test_the_runner_of_the_worker_runs_and_unloads(paths: Paths, studio: Studio) -> None:
    from helpers.painting.studio import Recorder

    runner = build_runner(paths)
    names = [a.name for a in runner(ASKED, studio.buffers, Recorder())]
    assert names == ["image_0.png", "image_0.json"]


def test_torchvision_stays_out_of_a_cpu_environment() -> None:
    """A torchvision of another build breaks diffusers' imports; nothing here needs one."""
    found = importlib.util.find_spec("torchvision")
    assert torch.cuda.is_available() or found is None


def test_a_folder_with_one_variant_alone_paints_as_it_is(studio: Studio, tmp_path: Path) -> None:
    """Whatever the variant is called, and though the optional safety checker is not there."""
    folder = tmp_path / "only b.f.16 für alle"
    shutil.copytree(studio.models.paths.models / "tiny", folder)
    for part in ("unet", "vae", "text_encoder"):
        for file in (folder / part).glob("*.safetensors"):
            file.rename(file.with_name(f"{file.stem}.bf16.safetensors"))
    plain = studio.paint(ASKED)[0]
    assert np.array_equal(studio.paint(replace(ASKED, model=str(folder)))[0], plain)
