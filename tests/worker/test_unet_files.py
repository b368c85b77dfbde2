"""Single files of networks that were distilled by leaving layers out (SSD-1B, Segmind-Vega, KOALA,
the small and mid ControlNets of SDXL), which say nowhere how deep they are; and of UNets alone,
whose text encoders and VAE come from another model."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import gguf
import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, StableDiffusionXLPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file

from underpaint.paths import Paths
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    Lora,
    Prompt,
    Sampler,
    Sampling,
    View,
)
from underpaint_daemon.common.denoisers.unets import deep_as, shapes_of
from underpaint_daemon.common.model_files import read_json
from underpaint_daemon.common.single_files import UNET_PREFIX, config_folder
from underpaint_daemon.tools.miniatures.unet_parts import save_unet_lora
from underpaint_daemon.worker.pipelines.loading.networks import weight_bytes

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
LAYOUTS = ("diffusers", "prefixed", "bare")
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


class Whole(NamedTuple):
    """The same model twice: a folder, and a checkpoint with its configurations beside it."""

    folder: Path
    file: Path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("whole")
    folder = build_xl(root / "folder")
    keep = shutil.ignore_patterns("*.safetensors", "controlnet_*")
    shutil.copytree(folder, root / "file", ignore=keep)
    pipeline = StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True)
    return Whole(folder, export_xl(pipeline, root / "file.safetensors"))


def cut(whole: Whole, file: Path, layout: str) -> Path:
    """The model's UNet as a file of its own."""
    if layout == "diffusers":
        return Path(shutil.copy(next((whole.folder / "unet").glob("*.safetensors")), file))
    inside = load_file(whole.file).items()
    unet = {name: weight for name, weight in inside if name.startswith(UNET_PREFIX)}
    start = UNET_PREFIX if layout == "bare" else ""
    save_file({name.removeprefix(start): weight for name, weight in unet.items()}, file)
    return file


def with_base(file: Path, base: Path) -> Path:
    """Named beside it, as `models add --base` does."""
    file.with_suffix(".underpaint.json").write_text(json.dumps({"base": str(base)}))
    return file


@pytest.mark.parametrize("of_checkpoint", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_unet_alone_paints_what_the_model_that_it_was_cut_from_paints(
    studio: Studio, whole: Whole, tmp_path: Path, layout: str, of_checkpoint: bool
) -> None:
    base = whole.file if of_checkpoint else whole.folder
    file = with_base(cut(whole, tmp_path / "xl_unet.safetensors", layout), base)
    expected = studio.paint(replace(ASKED, model=str(base)))[0]
    assert np.array_equal(studio.paint(replace(ASKED, model=str(file)))[0], expected)
    loaded = studio.models.load(str(file))
    assert loaded.info.family == "sdxl"
    assert sum(studio.needed(file).values()) == weight_bytes(loaded.networks)


@pytest.mark.parametrize("layout", ["diffusers", "bare"])
def test_a_unet_alone_of_another_depth_than_its_base_has_paints(
    studio: Studio, whole: Whole, tmp_path: Path, layout: str
) -> None:
    other = Whole(tmp_path / "other", tmp_path / "other.safetensors")
    shutil.copytree(whole.folder, other.folder)
    torch.manual_seed(5)
    config = read_json(whole.folder / "unet" / "config.json") | FEWER_TRANSFORMERS
    shutil.rmtree(other.folder / "unet")
    UNet2DConditionModel.from_config(config).save_pretrained(other.folder / "unet")
    pipeline = StableDiffusionXLPipeline.from_pretrained(other.folder, local_files_only=True)
    export_xl(pipeline, other.file)
    file = with_base(cut(other, tmp_path / "unet.safetensors", layout), whole.file)
    expected = studio.paint(replace(ASKED, model=str(other.folder)))[0]
    assert np.array_equal(studio.paint(replace(ASKED, model=str(file)))[0], expected)


def test_controlnets_and_loras_act_on_a_unet_alone(
    studio: Studio, whole: Whole, view: View, tmp_path: Path
) -> None:
    file = with_base(cut(whole, tmp_path / "unet.safetensors", "bare"), whole.file)
    network = UNet2DConditionModel.from_pretrained(whole.folder / "unet")
    save_unet_lora(network, tmp_path / "ink.safetensors")
    control = Control(ControlKind.DEPTH, model=str(whole.folder / "controlnet_depth"))
    asked = replace(
        ASKED, view=view, controls=(control,), loras=(Lora(str(tmp_path / "ink.safetensors"), 1.0),)
    )
    expected = studio.paint(replace(asked, model=str(whole.folder)))[0]
    assert np.array_equal(studio.paint(replace(asked, model=str(file)))[0], expected)
    assert not np.array_equal(studio.paint(replace(ASKED, model=str(file)))[0], expected)


def test_a_base_that_changes_is_read_again(studio: Studio, whole: Whole, tmp_path: Path) -> None:
    base = Path(shutil.copy(whole.file, tmp_path / "base.safetensors"))
    shutil.copytree(whole.file.with_suffix(""), base.with_suffix(""))
    file = with_base(cut(whole, tmp_path / "unet.safetensors", "diffusers"), base)
    before = studio.models.load(str(file)).digest
    asked = replace(ASKED, model=str(file))
    painted = studio.paint(asked)[0]
    weights = load_file(base)
    weights["first_stage_model.decoder.conv_out.bias"] += 0.3
    save_file(weights, base)
    assert studio.models.load(str(file)).digest != before
    assert not np.array_equal(studio.paint(asked)[0], painted)


def test_a_unet_alone_in_a_gguf_file_paints_what_its_weights_paint(
    studio: Studio, whole: Whole, tmp_path: Path
) -> None:
    """As the converter for ComfyUI writes it: what has no rows of whole blocks is flattened."""
    packed, plain = tmp_path / "unet.gguf", tmp_path / "unet.safetensors"
    unpacked = dict[str, torch.Tensor]()
    writer, kind = gguf.GGUFWriter(packed, "sdxl"), gguf.GGMLQuantizationType.Q8_0
    for name, weight in load_file(cut(whole, tmp_path / "cut.safetensors", "bare")).items():
        data = weight.numpy()
        if data.ndim == 1 or data.size % 256:
            writer.add_tensor(name, data)
            unpacked[name] = weight
            continue
        writer.add_array(f"comfy.gguf.orig_shape.{name}", list(data.shape))
        blocks = gguf.quants.quantize(data.reshape(-1, 256), kind)
        writer.add_tensor(name, blocks, raw_dtype=kind)
        there = gguf.quants.dequantize(blocks, kind).reshape(data.shape)
        unpacked[name] = torch.from_numpy(np.ascontiguousarray(there))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(unpacked, plain)
    for file in (packed, plain):
        with_base(file, whole.file)
    expected = studio.paint(replace(ASKED, model=str(plain)))[0]
    assert np.array_equal(studio.paint(replace(ASKED, model=str(packed)))[0], expected)
    sizes = {path: sum(studio.needed(path).values()) for path in (packed, plain)}
    assert sizes[packed] == weight_bytes(studio.models.load(str(packed)).networks) < sizes[plain]
