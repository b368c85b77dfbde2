"""IP-Adapters of each published form, and an encoder for them: small, with random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from underpaint_daemon.common.adapter_files import Form

SEEN, EMBEDDED, WIDTH, TOKENS = 64, 12, 64, 16  # of the encoder's states, its embedding; resampler


def encoder(folder: Path) -> CLIPVisionModelWithProjection:
    torch.manual_seed(3)
    config = CLIPVisionConfig(
        hidden_size=SEEN,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=1,
        hidden_act="gelu",
        image_size=32,
        patch_size=8,
        projection_dim=EMBEDDED,
    )
    network = CLIPVisionModelWithProjection(config).eval()
    network.save_pretrained(folder)
    return network


def attention(unet) -> dict[str, torch.Tensor]:
    """Keys and values under their published names: every second number is a self-attention."""
    tensors, index = {}, 1
    modules = dict(unet.named_modules())
    for name in unet.attn_processors:
        if "attn2" in name:
            out, words = modules[name.removesuffix(".processor")].to_k.weight.shape
            for which in ("k", "v"):
                tensors[f"ip_adapter.{index}.to_{which}_ip.weight"] = torch.randn(out, words) * 0.3
            index += 2
    return tensors


def linear(name: str, out: int, into: int, *, bias: bool = True) -> dict[str, torch.Tensor]:
    made = {f"{name}.weight": torch.randn(out, into) * into**-0.5}
    return made | ({f"{name}.bias": torch.randn(out) * 0.1} if bias else {})


def norm(name: str, width: int) -> dict[str, torch.Tensor]:
    return {f"{name}.weight": torch.ones(width), f"{name}.bias": torch.randn(width) * 0.1}


def resampler(words: int) -> dict[str, torch.Tensor]:
    """`image_proj` of ip-adapter-plus (Resampler, IP-Adapter's repository): four layers."""
    tensors = {"latents": torch.randn(1, TOKENS, WIDTH)}
    tensors |= linear("proj_in", WIDTH, SEEN) | linear("proj_out", words, WIDTH)
    tensors |= norm("norm_out", words)
    for i in range(4):
        at = f"layers.{i}"
        tensors |= norm(f"{at}.0.norm1", WIDTH) | norm(f"{at}.0.norm2", WIDTH)
        tensors |= linear(f"{at}.0.to_q", WIDTH, WIDTH, bias=False)
        tensors |= linear(f"{at}.0.to_kv", 2 * WIDTH, WIDTH, bias=False)
        tensors |= linear(f"{at}.0.to_out", WIDTH, WIDTH, bias=False)
        tensors |= norm(f"{at}.1.0", WIDTH)
        tensors |= linear(f"{at}.1.1", 4 * WIDTH, WIDTH, bias=False)
        tensors |= linear(f"{at}.1.3", WIDTH, 4 * WIDTH, bias=False)
    return tensors


def plain(words: int) -> dict[str, torch.Tensor]:
    return linear("proj", 4 * words, EMBEDDED) | norm("norm", words)


def full(words: int) -> dict[str, torch.Tensor]:
    return linear("proj.0", SEEN, SEEN) | linear("proj.2", words, SEEN) | norm("proj.3", words)


def adapter(unet, form: Form, file: Path) -> Path:
    torch.manual_seed(5)
    make = {Form.PLAIN: plain, Form.PLUS: resampler, Form.FULL: full}[form]
    projection = make(int(unet.config.cross_attention_dim))
    tensors = {f"image_proj.{name}": tensor for name, tensor in projection.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors | attention(unet), file)
    return file
