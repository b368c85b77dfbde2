"""LoRAs of text encoders: of any of their layers, and where diffusers' own loaders put none on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from underpaint.requests import ImageRequest, Lora, Prompt, Sampling
from underpaint_daemon.tools.miniatures import MINIATURES

from helpers.painting.lora_changes import ASKED, TEXT, Changes, State, kohya, laid_on, merged, same
from helpers.painting.studio import Studio


def test_text_encoders_and_convolutions_of_other_ranks_weigh_as_trained(
    studio: Studio, work: Path, changes: Changes
) -> None:
    """As LoCons are trained: one rank for what is linear, another for convolutions."""
    encoder = studio.models.load("tiny").parts["text_encoder"]
    text: State = {}
    for name, module in encoder.named_modules():
        if name.endswith(("q_proj", "fc1")):
            layer = "lora_te_text_model_" + name.removeprefix("text_model.").replace(".", "_")
            text[f"{layer}.lora_down.weight"] = changes.noise(4, module.in_features)
            text[f"{layer}.lora_up.weight"] = changes.noise(module.out_features, 4)
            text[f"{layer}.alpha"] = torch.tensor(2.0)
    own, deltas = dict[str, Tensor](), changes.plain()
    for name in changes.shapes:
        rank = 2 if name in changes.linear else 1
        own[f"{kohya(name)}.lora_down.weight"] = changes.down[name][:rank]
        own[f"{kohya(name)}.lora_up.weight"] = changes.up[name][:, :rank]
        own[f"{kohya(name)}.alpha"] = torch.tensor(0.5)
        product = changes.up[name][:, :rank].flatten(1) @ changes.down[name][:rank].flatten(1)
        deltas[name] = product * 0.5 / rank
    both = laid_on(studio, work, own | text)
    merged(studio, work, deltas)
    file = work / "words.safetensors"
    save_file(text, file)
    asked = replace(ASKED, model=str(work / "merged"), loras=(Lora(str(file)),))
    expected = studio.paint(asked)[0].astype(int)
    assert np.abs(expected - laid_on(studio, work, own)).mean() > 1, "the words act"
    assert same(both, expected)


@pytest.mark.parametrize(
    "which", ["q_proj", "v_proj", "fc2", "k_proj out_proj"], ids=lambda which: which
)
@pytest.mark.parametrize("spelling", ["kohya", "diffusers"])
def test_a_lora_of_any_layers_of_a_text_encoder_acts(
    studio: Studio, work: Path, changes: Changes, which: str, spelling: str
) -> None:
    """Of one kind of projection alone, and of one layer alone, too."""
    encoder = studio.models.load("tiny").parts["text_encoder"]
    text, deltas = dict[str, Tensor](), dict[str, Tensor]()
    own = dict(load_file(studio.models.paths.models / "tiny" / f"{TEXT}.safetensors"))
    for name, module in encoder.named_modules():
        if not name.endswith(tuple(which.split())) or (len(which) < 6 and "layers.0" in name):
            continue
        down = changes.noise(2, module.in_features)
        up = changes.noise(module.out_features, 2)
        bare = "text_model." + name.removeprefix("text_model.")
        saved = next(n for n in own if f"text_model.{n}".endswith(f"{bare}.weight"))
        deltas[saved.removesuffix(".weight")] = up @ down * 0.5
        if spelling == "kohya":
            layer = "lora_te_" + bare.replace(".", "_")
            text |= {f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up}
            text[f"{layer}.alpha"] = torch.tensor(1.0)
        else:
            layer = f"text_encoder.{bare}"
            text |= {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up * 0.5}
    expected = merged(studio, work, deltas, within=TEXT)
    assert np.abs(expected - studio.paint(ASKED)[0].astype(int)).max() > 1, "the words act"
    assert same(laid_on(studio, work, text), expected)


def test_a_lora_of_flux_larger_encoder_acts_and_leaves_no_trace(
    studio: Studio, tmp_path: Path
) -> None:
    """Of T5, from which diffusers' own loader takes nothing off again."""
    MINIATURES["flux1"](tmp_path / "flux")
    asked = ImageRequest(
        Prompt("a red cube"), str(tmp_path / "flux"), 64, 64, Sampling(steps=1), controls=()
    )
    before = studio.paint(asked)[0]
    layer = "lora_te2_encoder_block_0_layer_0_SelfAttention_q"
    encoder = studio.models.load(str(tmp_path / "flux")).parts["text_encoder_2"]
    wide = encoder.encoder.block[0].layer[0].SelfAttention.q
    text = {
        f"{layer}.lora_down.weight": torch.ones(1, wide.in_features),
        f"{layer}.lora_up.weight": torch.ones(wide.out_features, 1),
    }
    file = tmp_path / "words.safetensors"
    save_file(text, file)
    for _ in range(2):
        changed = studio.paint(replace(asked, loras=(Lora(str(file)),)))[0]
        assert np.abs(changed.astype(int) - before).max() > 1
        assert not any("lora" in name for name, _ in encoder.named_modules())
        assert np.array_equal(studio.paint(asked)[0], before)
