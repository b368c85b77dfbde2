"""Single files of networks that were distilled by leaving layers out: SSD-1B, Segmind-Vega, KOALA,
the small and mid ControlNets of SDXL. They say nowhere how deep they are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, StableDiffusionXLPipeline, UNet2DConditionModel

from underpaint.paths import Paths
from underpaint.requests import Control, ControlKind, ImageRequest, Prompt, Sampler, Sampling, View
from underpaint_daemon.common.denoisers.unets import deep_as, shapes_of
from underpaint_daemon.common.model_files import read_json
from underpaint_daemon.common.single_files import config_folder

from helpers.painting.ldm_layout import export_controlnet, export_xl
from helpers.painting.studio import Studio
from helpers.painting.tiny_model import build_xl

SAMPLING = Sampling(Sampler.DDIM, 2, 5.0)
ASKED = ImageRequest(Prompt("a red cube"), model="tiny", width=64, height=64, sampling=SAMPLING)
FEWER_TRANSFORMERS = {
    "layers_per_block": 2,
    "transformer_layers_per_block": [1, 2],
    "reverse_transformer_layers_per_block": [[2, 1, 3], 1],
    "mid_block_type": "UNetMidBlock2D",
}
NO_MIDDLE = {"transformer_layers_per_block": [1, 3], "mid_block_type": None}
ONE_MORE_LEVEL = {
    "block_out_channels": [16, 32, 48],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
}


@pytest.mark.parametrize("make", [FEWER_TRANSFORMERS, NO_MIDDLE, ONE_MORE_LEVEL])
def test_a_checkpoint_with_other_layers_paints_what_its_folder_paints(
    studio: Studio, tmp_path: Path, make: dict
) -> None:
    folder = build_xl(tmp_path / "xl")
    shutil.copytree(folder, tmp_path / "file", ignore=shutil.ignore_patterns("*.safetensors"))
    torch.manual_seed(5)
    config = read_json(folder / "unet" / "config.json") | make
    shutil.rmtree(folder / "unet")
    UNet2DConditionModel.from_config(config).save_pretrained(folder / "unet")
    shutil.rmtree(folder / "controlnet_depth")
    pipeline = StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True)
    file = export_xl(pipeline, tmp_path / "file.safetensors")
    expected = studio.paint(replace(ASKED, model=str(folder)))[0]
    assert np.array_equal(studio.paint(replace(ASKED, model=str(file)))[0], expected)


@pytest.mark.parametrize(
    "make",
    [
        {"down_block_types": ["DownBlock2D"] * 2, "mid_block_type": "UNetMidBlock2D"},
        {"down_block_types": ["CrossAttnDownBlock2D"] * 2, "transformer_layers_per_block": [0, 1]},
        {"down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "layers_per_block": 1},
    ],
)
def test_a_controlnet_with_other_layers_acts_as_its_folder_does(
    studio: Studio, view: View, paths: Paths, tmp_path: Path, make: dict
) -> None:
    torch.manual_seed(6)
    config = read_json(paths.models / "tiny" / "controlnet_depth" / "config.json") | make
    network = ControlNetModel.from_config(config)
    for parameter in network.parameters():
        # Zero convolutions start at zero; an untrained net must still show an effect.
        torch.nn.init.normal_(parameter, std=0.15) if not parameter.any() else None
    network.save_pretrained(tmp_path / "folder")
    plain = tmp_path / "plain.safetensors"
    shutil.copy(tmp_path / "folder" / "diffusion_pytorch_model.safetensors", plain)
    original = export_controlnet(network, tmp_path / "original.safetensors", "control_model.")

    def painted(place: Path) -> np.ndarray:
        control = Control(ControlKind.DEPTH, model=str(place))
        return studio.paint(replace(ASKED, view=view, controls=(control,)))[0]

    expected = painted(tmp_path / "folder")
    assert not np.array_equal(expected, studio.paint(replace(ASKED, view=view))[0])
    for file in (plain, original):
        assert np.array_equal(painted(file), expected), file.name


@pytest.mark.parametrize("family", ["sd15", "sd2", "sdxl", "sdxl_refiner"])
def test_networks_as_deep_as_the_released_ones_keep_their_configuration(family: str) -> None:
    config = read_json(config_folder(family) / "unet" / "config.json")
    with torch.device("meta"):
        network = UNet2DConditionModel.from_config(config)
        told = deep_as(config, shapes_of(network.state_dict()))
        again = UNet2DConditionModel.from_config(told)
    assert shapes_of(again.state_dict()) == shapes_of(network.state_dict())


def test_the_depths_of_ssd_1b_are_told_from_its_weights() -> None:
    """Its published configuration: half of SDXL's transformers, none in the middle."""
    sdxl = read_json(config_folder("sdxl") / "unet" / "config.json")
    told = {
        "transformer_layers_per_block": [1, 2, 4],
        "reverse_transformer_layers_per_block": [[4, 4, 10], [2, 1, 1], 1],
        "mid_block_type": "UNetMidBlock2D",
    }
    with torch.device("meta"):
        network = UNet2DConditionModel.from_config(sdxl | told)
    found = deep_as(sdxl, shapes_of(network.state_dict()))
    assert {name: found[name] for name in (*told, *sdxl)} == sdxl | told
