"""LoRAs of text encoders that diffusers' own loaders put none on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from underpaint.requests import ImageRequest, Lora, Prompt, Sampling
from underpaint_daemon.tools.miniatures import MINIATURES

from helpers.painting.studio import Studio


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
