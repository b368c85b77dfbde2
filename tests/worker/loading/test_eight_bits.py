"""Weights in eight bits: they stay so in memory, and paint what the same numbers paint."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from underpaint.requests import ImageRequest, Lora, Prompt, Sampler, Sampling
from underpaint_daemon.worker.pipelines.loading.networks import weight_bytes
from underpaint_daemon.worker.pipelines.loading.packing.packed import is_packed

from helpers.painting.precisions import rewritten, scaled, stored_as, widened
from helpers.painting.studio import Studio

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, sampling=Sampling(Sampler.DDIM, 2, 5.0)
)


@pytest.mark.parametrize("form", ["fp8", "fp8 e5m2", "scaled fp8"])
def test_eight_bits_stay_eight_bits_in_memory_and_paint_the_very_same(
    studio: Studio, checkpoint: Path, form: str
) -> None:
    """Of files and of folders: what was widened while it was read is widened at its layer."""
    file = rewritten(checkpoint, lambda tensors: stored_as(form, tensors), form)
    wide = rewritten(checkpoint, lambda tensors: widened(stored_as(form, tensors)), f"wide {form}")
    expected = studio.paint(replace(ASKED, model=str(wide)))[0]
    assert np.array_equal(studio.paint(replace(ASKED, model=str(file)))[0], expected)
    held = studio.models.load(str(file)).unet
    assert weight_bytes([held]) < 0.27 * weight_bytes([studio.models.load(str(wide)).unet])
    foreseen = studio.needed(file)["unet"]
    assert foreseen == pytest.approx(weight_bytes([held]), rel=0.01)


def test_loras_dora_among_them_go_onto_eight_bits(studio: Studio, checkpoint: Path) -> None:
    """Layers whose weight a DoRA has to know are unpacked for it."""
    file = rewritten(checkpoint, lambda tensors: stored_as("fp8", tensors), "fp8")
    wide = rewritten(checkpoint, lambda t: widened(stored_as("fp8", t)), "wide")
    unet = studio.models.load("tiny").unet
    layers = [
        name
        for name, layer in unet.named_modules()
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d) and name.startswith("down_blocks.0")
    ]
    seeded = torch.Generator().manual_seed(3)
    state = {}
    for name in layers:
        rows, columns, *sides = unet.get_submodule(name).weight.shape
        down = torch.randn(2, columns, *sides, generator=seeded)
        state[f"unet.{name}.lora_A.weight"] = 0.1 * down
        state[f"unet.{name}.lora_B.weight"] = torch.randn(
            rows, 2, *[1] * len(sides), generator=seeded
        )
    plain, dora = (
        checkpoint.with_name("plain.safetensors"),
        checkpoint.with_name("dora.safetensors"),
    )
    save_file(state, plain)
    sizes = {
        f"unet.{name}.lora_magnitude_vector": unet.get_submodule(name).weight.flatten(1).norm(dim=1)
        for name in layers
    }
    save_file(state | sizes, dora)
    bare = studio.paint(replace(ASKED, model=str(file)))[0]
    for lora in (plain, dora):
        asked = replace(ASKED, loras=(Lora(str(lora), 0.7),))
        painted = studio.paint(replace(asked, model=str(file)))[0]
        assert np.array_equal(painted, studio.paint(replace(asked, model=str(wide)))[0])
        assert not np.array_equal(painted, bare)
    assert np.array_equal(studio.paint(replace(ASKED, model=str(file)))[0], bare)


def test_folders_in_eight_bits_stay_so_text_encoders_too(studio: Studio, tmp_path: Path) -> None:
    folder = studio.models.paths.models / "tiny"
    eight, wide = tmp_path / "eight", tmp_path / "wide"
    for place in (eight, wide):
        shutil.copytree(folder, place)
    for part in ("unet", "vae", "text_encoder"):
        for file in (eight / part).glob("*.safetensors"):
            told = scaled(load_file(file))
            save_file(told, file)
            save_file(widened(told), wide / part / file.name)
    expected = studio.paint(replace(ASKED, model=str(wide)))[0]
    assert np.array_equal(studio.paint(replace(ASKED, model=str(eight)))[0], expected)
    parts = studio.models.load(str(eight)).parts
    assert is_packed(parts["unet"])
    assert is_packed(parts["text_encoder"])
    assert not is_packed(parts["vae"])
    needed = studio.needed(eight)
    held = {name: weight_bytes([parts[name]]) for name in ("unet", "text_encoder", "vae")}
    assert needed == pytest.approx(held, rel=0.01), "tables of words are widened"
