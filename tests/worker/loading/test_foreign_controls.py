"""ControlNets and T2I-Adapters of other families and layouts, and with scales by their weights."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    FluxControlNetModel,
    FluxTransformer2DModel,
    QwenImageControlNetModel,
    QwenImageTransformer2DModel,
    SD3ControlNetModel,
    SD3Transformer2DModel,
    T2IAdapter,
    UNet2DConditionModel,
    ZImageControlNetModel,
    ZImageTransformer2DModel,
)
from safetensors.torch import load_file, save_file

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import Control, ControlKind, ImageRequest, Prompt, View
from underpaint_daemon.worker.pipelines.controls.adapters import check_adapter
from underpaint_daemon.worker.pipelines.loading.controlnets import load_control
from underpaint_daemon.worker.pipelines.loading.networks import Device

from helpers.painting.precisions import scaled
from helpers.painting.studio import Studio
from helpers.painting.tiny_model import build_xl

ASKED = ImageRequest(Prompt("a red cube"), model="tiny", width=64, height=64)
DEPTH = ControlKind.DEPTH
CPU = Device(torch.device("cpu"), torch.float32)


def a_unet() -> UNet2DConditionModel:
    """Of the size that Stable Diffusion has, with nothing in it."""
    with torch.device("meta"):
        return UNet2DConditionModel()


@pytest.fixture(scope="module")
def xl(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_xl(tmp_path_factory.mktemp("xl") / "xl"))


def test_a_network_of_another_family_is_refused_by_the_network_it_goes_with(
    studio: Studio, view: View, xl: str, paths: Paths, tmp_path: Path
) -> None:
    flux = tmp_path / "flux"
    flux.mkdir()
    (flux / "config.json").write_text(json.dumps({"_class_name": "FluxControlNetModel"}))
    save_file({"controlnet_blocks.0.weight": torch.zeros(2, 2)}, flux / "a.safetensors")
    for model in ("tiny", xl):
        control = Control(DEPTH, model=str(flux))
        with pytest.raises(RequestError, match="goes with a Flux transformer") as caught:
            studio.run(replace(ASKED, model=model, view=view, controls=(control,)))
        assert caught.value.code is ErrorCode.MODEL_BROKEN
    own = paths.models / "tiny" / "controlnet_depth"
    with pytest.raises(RequestError, match="goes with a Stable Diffusion UNet"):
        load_control(own, FluxTransformer2DModel(num_layers=0, num_single_layers=0), CPU)


def test_an_adapter_of_other_levels_is_refused(studio: Studio, view: View, tmp_path: Path) -> None:
    for kind, channels, fold in (
        ("full_adapter_xl", [16, 32], 16),
        ("full_adapter_xl", [32, 64], 8),
        ("full_adapter", [16, 32], 8),
        ("light_adapter", [16, 32], 8),
    ):
        network = T2IAdapter(
            channels=channels, num_res_blocks=1, downscale_factor=fold, adapter_type=kind
        )
        network.save_pretrained(tmp_path / "other")
        control = Control(DEPTH, model=str(tmp_path / "other"))
        with pytest.raises(RequestError, match="made for another family") as caught:
            studio.run(replace(ASKED, view=view, controls=(control,)))
        assert caught.value.code is ErrorCode.MODEL_BROKEN


def test_a_light_adapters_file_is_its_folder(studio: Studio, tmp_path: Path) -> None:
    """For a UNet whose first level has attention, as Stable Diffusion 1.5's has."""
    torch.manual_seed(5)
    network = T2IAdapter(
        channels=[16, 32], num_res_blocks=4, downscale_factor=8, adapter_type="light_adapter"
    ).eval()
    network.save_pretrained(tmp_path / "light")
    file = tmp_path / "light" / "diffusion_pytorch_model.safetensors"
    (tmp_path / "light" / "config.json").unlink()
    old = {
        name.removeprefix("adapter.").replace(".resnets.", ".body."): tensor.clone()
        for name, tensor in network.state_dict().items()
    }
    save_file(old, tmp_path / "old.safetensors")
    unet = UNet2DConditionModel(
        block_out_channels=(16, 32, 32),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=8,
        cross_attention_dim=16,
        attention_head_dim=8,
    )
    picture = torch.rand(1, 3, 64, 64)
    expected = network(picture)
    for path in (file, tmp_path / "light", tmp_path / "old.safetensors"):
        loaded = load_control(path, unet, CPU)
        check_adapter(loaded, unet, 8, str(path))
        assert all(
            torch.allclose(a, b, atol=1e-5) for a, b in zip(loaded(picture), expected, strict=True)
        )


def test_scaled_fp8_folders_and_files_paint_nearly_the_same(
    studio: Studio, view: View, paths: Paths, tmp_path: Path
) -> None:
    own = paths.models / "tiny" / "controlnet_depth"
    expected = studio.paint(replace(ASKED, view=view, controls=(Control(DEPTH),)))[0]
    shutil.copytree(own, tmp_path / "scaled")
    file = tmp_path / "scaled" / "diffusion_pytorch_model.safetensors"
    save_file(scaled(load_file(file)), file)
    for path in (tmp_path / "scaled", file):
        control = Control(DEPTH, model=str(path))
        painted = studio.paint(replace(ASKED, view=view, controls=(control,)))[0]
        assert np.abs(painted.astype(int) - expected).mean() < 6


SMALL = {"num_layers": 2, "attention_head_dim": 8, "num_attention_heads": 2}
FLUX = {**SMALL, "num_single_layers": 1, "joint_attention_dim": 24, "axes_dims_rope": (2, 2, 4)}
SD3 = {**SMALL, "sample_size": 16, "joint_attention_dim": 24, "caption_projection_dim": 16}
SD3 |= {"pooled_projection_dim": 24, "pos_embed_max_size": 16}
QWEN = {**SMALL, "joint_attention_dim": 24, "axes_dims_rope": (2, 2, 4)}


@pytest.mark.parametrize(
    ("network", "model"),
    [
        (
            FluxControlNetModel(**{**FLUX, "num_single_layers": 0}, num_mode=10),
            FluxTransformer2DModel(**FLUX, guidance_embeds=True),
        ),
        (
            QwenImageControlNetModel(**{**QWEN, "num_layers": 1}, extra_condition_channels=4),
            QwenImageTransformer2DModel(**QWEN),
        ),
        (
            SD3ControlNetModel(**SD3, extra_conditioning_channels=1),
            SD3Transformer2DModel(**{**SD3, "num_layers": 3}, dual_attention_layers=(0,)),
        ),
    ],
    ids=["FLUX.1 union", "Qwen-Image inpainting", "Stable Diffusion 3"],
)
def test_a_network_of_a_transformers_family_is_had_from_one_file(
    network: Any, model: Any, tmp_path: Path
) -> None:
    """Alone; beside its config; and in a folder where it has another name."""
    own = network.state_dict()
    alone, folder = tmp_path / "network.safetensors", tmp_path / "folder"
    save_file({name: tensor.clone() for name, tensor in own.items()}, alone)
    network.save_pretrained(folder)
    beside = (folder / "diffusion_pytorch_model.safetensors").rename(folder / "a v1.safetensors")
    for place in (alone, beside, folder):
        loaded = load_control(place, model, CPU)
        assert loaded.state_dict().keys() == own.keys()
        assert all(torch.equal(tensor, own[name]) for name, tensor in loaded.state_dict().items())
    with pytest.raises(RequestError, match="goes with a flow transformer"):
        load_control(alone, a_unet(), CPU)
    with pytest.raises(RequestError, match=r"lacks|of shape"):
        load_control(alone, FluxTransformer2DModel(num_layers=0, num_single_layers=0), CPU)


Z_IMAGE = {"dim": 32, "n_refiner_layers": 2, "n_heads": 2, "n_kv_heads": 2}
RELEASES: dict[str, dict[str, Any]] = {
    "1.0": {"control_layers_places": [0, 5, 10, 15, 20, 25], "control_in_dim": 16},
    "2.0": {
        "control_layers_places": list(range(0, 30, 2)),
        "control_in_dim": 33,
        "add_control_noise_refiner": "control_layers",
    },
    "2.0 without the rest": {
        "control_layers_places": list(range(0, 30, 2)),
        "control_in_dim": 33,
        "add_control_noise_refiner": "control_layers",
    },
    "2.1 lite": {
        "control_layers_places": [0, 10, 20],
        "control_in_dim": 33,
        "add_control_noise_refiner": "control_noise_refiner",
    },
}


@pytest.mark.parametrize("release", RELEASES)
def test_a_network_that_shares_z_images_layers_is_had_from_one_file(
    release: str, tmp_path: Path
) -> None:
    """2.0 has a refiner of its own in the file that was never trained."""
    places = {"control_refiner_layers_places": [0, 1], **RELEASES[release]}
    network = ZImageControlNetModel(**Z_IMAGE, **places)
    torch.nn.init.normal_(network.control_layers[0].before_proj.weight)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    if release == "2.0":
        for name in [name for name in state if name.startswith("control_layers.0.")]:
            untrained = torch.zeros_like(state[name])
            state[name.replace("control_layers", "control_noise_refiner")] = untrained
    elif release == "2.1 lite":
        state["control_noise_refiner.0.before_proj.weight"].normal_()
    save_file(state, tmp_path / "union.safetensors")
    with torch.device("meta"):  # what is in it does not count
        model = ZImageTransformer2DModel(
            in_channels=16, n_layers=30, cap_feat_dim=8, axes_dims=[4, 6, 6], **Z_IMAGE
        )
    loaded = load_control(tmp_path / "union.safetensors", model, CPU)
    for name, told in places.items():
        assert loaded.config[name] == told
    assert loaded.t_embedder is model.t_embedder, "it comes with the layers that it shares"
    own = network.state_dict().keys()
    assert own < loaded.state_dict().keys()
    assert all(torch.equal(loaded.state_dict()[name], state[name]) for name in own)
    with pytest.raises(RequestError, match="goes with a flow transformer"):
        load_control(tmp_path / "union.safetensors", a_unet(), CPU)
    with pytest.raises(RequestError, match=r"lacks|of shape"):
        load_control(tmp_path / "union.safetensors", QwenImageTransformer2DModel(**QWEN), CPU)
    save_file(FluxControlNetModel(**FLUX).state_dict(), tmp_path / "flux.safetensors")
    with pytest.raises(RequestError, match="is no ControlNet of Z-Image"):
        load_control(tmp_path / "flux.safetensors", model, CPU)


def test_an_adapter_in_a_layout_of_its_own_is_refused_by_name(tmp_path: Path) -> None:
    layers = {
        "body.0.resnets.0.block1.weight": torch.zeros(2, 2),
        "conv_in.weight": torch.zeros(2, 64, 3, 3),
    }
    save_file(layers, tmp_path / "odd.safetensors")
    with pytest.raises(RequestError, match="of a kind that is known here: adapter"):
        load_control(tmp_path / "odd.safetensors", a_unet(), CPU)
