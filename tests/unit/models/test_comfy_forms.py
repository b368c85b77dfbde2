"""Weights that ComfyUI quantised are read as the numbers that lie in them, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from underpaint.errors import RequestError
from underpaint.paths import Paths
from underpaint_daemon.common.contents.headers import header
from underpaint_daemon.common.models import list_models
from underpaint_daemon.worker.pipelines.loading.weights import WeightFile

from helpers.comfy.forms import FORMS, save_as, wide_of

NAME = "model.layers.3.mlp.up_proj"


def saved(tmp_path: Path, form: str, *, in_header: bool = True) -> Path:
    seeded = torch.Generator().manual_seed(2)
    weight = torch.randn(272, 352, generator=seeded) * torch.logspace(-3, 0, 352)
    weight[3:9, 32:96] = 0
    tensors = {f"{NAME}.weight": weight, f"{NAME}.bias": torch.ones(272)}
    return save_as(form, tensors, tmp_path / f"{form}.safetensors", in_header=in_header)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("in_header", [True, False], ids=["in the header", "beside each"])
def test_each_form_is_read_as_the_numbers_that_lie_in_it(tmp_path: Path, form, in_header):
    file = saved(tmp_path, form, in_header=in_header)
    expected = load_file(wide_of(file))[f"{NAME}.weight"]
    assert header(file)[f"{NAME}.weight"]["shape"] == [272, 352]
    read = WeightFile(file)
    assert sorted(read.names) == [f"{NAME}.bias", f"{NAME}.weight"]
    close = {"rtol": 2e-6, "atol": 2e-6 * float(expected.abs().max())}
    torch.testing.assert_close(read.tensor(f"{NAME}.weight"), expected, **close)
    packed = read.packed(f"{NAME}.weight")
    assert packed is not None
    assert packed.shape == (272, 352)
    torch.testing.assert_close(packed.unpacked(torch.float32), expected, **close)
    held = packed.data.numel() / expected.numel()
    assert held == {"nvfp4": 9 / 16, "mxfp8": 33 / 32}.get(form, 1.0)


def test_fp8_in_bytes_is_fp8_and_a_program_may_leave_its_prefix_out(tmp_path: Path):
    eight = torch.tensor([[1.5, -2.0]]).to(torch.float8_e4m3fn)
    told = {"layers": {"img_in": {"format": "float8_e4m3fn"}}}
    name = "model.diffusion_model.img_in"
    tensors = {
        f"{name}.weight": eight.view(torch.uint8),
        f"{name}.weight_scale": torch.tensor(0.5),
    }
    file = tmp_path / "a.safetensors"
    save_file(tensors, file, {"_quantization_metadata": json.dumps(told)})
    assert WeightFile(file).tensor(f"{name}.weight").tolist() == [[0.75, -1.0]]


def test_powers_of_two_may_be_of_a_type_of_their_own(tmp_path: Path):
    file = saved(tmp_path, "mxfp8")
    expected = WeightFile(file).tensor(f"{NAME}.weight")
    told = {"layers": {NAME: "mxfp8"}}
    tensors = load_file(file)
    scale = tensors[f"{NAME}.weight_scale"].view(torch.float8_e8m0fnu)
    other = tmp_path / "other.safetensors"
    save_file(
        tensors | {f"{NAME}.weight_scale": scale},
        other,
        {"_quantization_metadata": json.dumps(told)},
    )
    assert torch.equal(WeightFile(other).tensor(f"{NAME}.weight"), expected)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"format": "convrot_w4a4"}, "convrot_w4a4"),
        ({"format": "awq_w4a16"}, "awq_w4a16"),
        (
            {"format": "int8_tensorwise", "convrot": True, "convrot_groupsize": 48},
            "int8_tensorwise",
        ),
    ],
)
def test_a_form_that_is_not_read_is_told_by_its_name(tmp_path: Path, told, named):
    file = tmp_path / "a.safetensors"
    tensors = {
        f"{NAME}.weight": torch.ones(16, 32, dtype=torch.int8),
        f"{NAME}.weight_scale": torch.ones(16, 1),
        f"{NAME}.comfy_quant": torch.tensor(list(json.dumps(told).encode()), dtype=torch.uint8),
    }
    save_file(tensors, file)
    with pytest.raises(RequestError, match=f"holds {NAME}.weight as {named}") as caught:
        WeightFile(file)
    assert caught.value.hint == "Take fp16, bf16 or fp8 weights of the same model."


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"format": "convrot_w4a4"}, "holds conv_in.weight as convrot_w4a4, which is not known"),
        (None, "is quantised to I8; give fp8, fp16 or bf16 weights"),
    ],
)
def test_a_model_in_a_form_that_is_not_read_is_listed_with_why(tmp_path: Path, told, problem):
    shapes = {
        "conv_in": (320, 4, 3, 3),
        "conv_out": (4, 320, 3, 3),
        "up_blocks.0.resnets.0.conv1": (8, 8, 3, 3),
        "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k": (8, 768),
    }
    tensors = {
        f"{name}.weight": torch.ones(shape, dtype=torch.int8) for name, shape in shapes.items()
    }
    if told is not None:
        mark = torch.tensor(list(json.dumps(told).encode()), dtype=torch.uint8)
        tensors["conv_in.comfy_quant"] = mark
    paths = Paths(runtime=tmp_path / "run", data=tmp_path / "data", cache=tmp_path / "cache")
    file = paths.models / "unet.safetensors"
    file.parent.mkdir(parents=True)
    save_file(tensors, file)
    [listed] = [row for row in list_models(paths) if row["name"] == file.name]
    assert listed["problem"].startswith(f"{file} {problem}")
    with pytest.raises(RequestError) as caught:
        WeightFile(file)
    assert caught.value.message == listed["problem"], "loading says the same"


def test_what_nothing_says_or_lacks_its_scales_is_not_guessed_at(tmp_path: Path):
    """NVIDIA's own files have the same shapes and another order of numbers and scales."""
    file = saved(tmp_path, "nvfp4")
    tensors = load_file(file)
    bare = tmp_path / "bare.safetensors"
    save_file(tensors, bare)
    with pytest.raises(RequestError, match="is quantised to U8"):
        WeightFile(bare)
    said = {"_quantization_metadata": json.dumps({"layers": {NAME: {"format": "nvfp4"}}})}
    whole = tensors[f"{NAME}.weight_scale"]
    for spoilt in (
        {f"{NAME}.weight_scale": whole[:272]},
        {f"{NAME}.weight_scale": None},
        {f"{NAME}.weight_scale_2": None},
        {f"{NAME}.pre_quant_scale": torch.ones(352)},
    ):
        kept = {name: one for name, one in (tensors | spoilt).items() if one is not None}
        save_file(kept, bare, said)
        with pytest.raises(RequestError, match=r"weight_scale|pre_quant_scale"):
            WeightFile(bare).tensor(f"{NAME}.weight")
    save_file(tensors, bare, {"_quantization_metadata": "{"})
    with pytest.raises(RequestError, match="is quantised to U8"):
        WeightFile(bare)
