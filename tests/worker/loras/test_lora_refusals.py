"""What is no LoRA, or none that can be laid on this model, is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import Lora

from helpers.painting.lora_changes import ASKED, Changes, State, kohya
from helpers.painting.studio import Studio

ONES = torch.ones(4, 4)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("{layer}.oft_blocks", "an OFT"),
        ("{layer}.boft_R", "a BOFT"),
        ("{layer}.a1.weight", "a GLoRA"),
        ("{layer}.diff", "whole changes"),
        ("{layer}.diff_b", "whole changes"),
        ("{layer}.w_norm", "changes norms"),
        ("{layer}.hada_t1", "Tucker"),
        ("{layer}.lokr_t2", "Tucker"),
        ("{layer}.lokr_w1", "of which only lokr_w1"),
        ("{layer}.on_input", "an IA3"),
        ("base_model.model.mid.ia3_l", "an IA3"),
        ("base_model.model.mid.vera_lambda_b", "a VeRA"),
        ("emb_params", "textual inversion"),
        ("decoder.conv_in.weight", "a VAE"),
        ("image_proj.proj.weight", "IP-Adapter"),
        ("lllite_unet_x.depth.weight", "LLLite"),
        ("model.diffusion_model.out.0.weight", "has a UNet"),
        ("model.1.sub.0.weight", "upscaling"),
        ("something.else", "holds no layers of a LoRA"),
        ("diffusion_model.layers.7.attention.qkv.lora_A.weight", "made for Z-Image"),
        ("transformer.noise_refiner.0.attention.to_q.lora_A.weight", "made for Z-Image"),
        ("lora_unet_layers_3_attention_qkv.lora_down.weight", "made for Z-Image"),
        ("lora_unet_single_blocks_0_linear1.lora_down.weight", "made for FLUX"),
        ("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight", "made for FLUX"),
        ("transformer.transformer_blocks.0.img_mlp.net.2.lora_A.weight", "made for Qwen-Image"),
        ("diffusion_model.blocks.0.self_attn.q.lora_A.weight", "made for Wan"),
        ("lora_unet_joint_blocks_0_x.lora_down.weight", "made for Stable Diffusion 3"),
        ("lora_prior_unet_down_blocks_0.lora_down.weight", "made for Stable Cascade"),
    ],
)
def test_what_cannot_be_laid_on_is_named(
    studio: Studio, tmp_path: Path, changes: Changes, name: str, told: str
) -> None:
    file = tmp_path / "a.safetensors"
    save_file({name.format(layer=kohya(changes.linear[0])): ONES}, file)
    with pytest.raises(UnderpaintError, match=told) as caught:
        studio.run(replace(ASKED, loras=(Lora(str(file)),)))
    assert caught.value.code is ErrorCode.LORA_MISSING


def test_one_that_does_nothing_or_is_of_another_size_is_told(
    studio: Studio, tmp_path: Path, changes: Changes
) -> None:
    layer, file = kohya(changes.linear[0]), tmp_path / "a.safetensors"

    def refused(state: State) -> str:
        save_file(state, file)
        with pytest.raises(UnderpaintError) as caught:
            studio.run(replace(ASKED, loras=(Lora(str(file)),)))
        assert caught.value.code is ErrorCode.LORA_MISSING
        return caught.value.message

    pair = {f"{layer}.lora_down.weight": ONES, f"{layer}.lora_up.weight": ONES.clone()}
    assert "its alpha is 0" in refused(pair | {f"{layer}.alpha": torch.tensor(0.0)})
    assert "of shape (4, 4)" in refused(pair)
    kron = {f"{layer}.lokr_w1": ONES, f"{layer}.lokr_w2": ONES.clone()}
    assert "of shape (16, 16)" in refused(kron)
