"""A diffusers pipeline as one file, under the names of the layout that checkpoints are shared in
(CompVis' latent-diffusion). Only for small pipelines whose VAE has no attention."""

from __future__ import annotations

import re
from pathlib import Path

from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

_UNET = (
    (r"^time_embedding\.linear_1", "time_embed.0"),
    (r"^time_embedding\.linear_2", "time_embed.2"),
    (r"^conv_in", "input_blocks.0.0"),
    (r"^conv_norm_out", "out.0"),
    (r"^conv_out", "out.2"),
    (r"^mid_block\.resnets\.0", "middle_block.0"),
    (r"^mid_block\.attentions\.0", "middle_block.1"),
    (r"^mid_block\.resnets\.1", "middle_block.2"),
)
_RESNET = (
    (r"\.norm1\.", ".in_layers.0."),
    (r"\.conv1\.", ".in_layers.2."),
    (r"\.time_emb_proj\.", ".emb_layers.1."),
    (r"\.norm2\.", ".out_layers.0."),
    (r"\.conv2\.", ".out_layers.3."),
    (r"\.conv_shortcut\.", ".skip_connection."),
)
_VAE = (
    (r"conv_norm_out", "norm_out"),
    (r"conv_shortcut", "nin_shortcut"),
    (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"down_blocks\.(\d+)\.resnets", r"down.\1.block"),
    (r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample"),
)


def export(pipeline: StableDiffusionPipeline, file: Path) -> Path:
    """Write the pipeline's networks into one safetensors file."""
    parts = {
        "model.diffusion_model.": _unet_names(pipeline.unet),
        "first_stage_model.": _vae_names(pipeline.vae),
        "cond_stage_model.transformer.text_model.": _text_names(pipeline.text_encoder),
    }
    tensors = {
        prefix + name: tensor.contiguous().clone()
        for prefix, named in parts.items()
        for name, tensor in named.items()
    }
    save_file(tensors, file)
    return file


def export_controlnet(network, file: Path, prefix: str = "") -> Path:
    """Write a ControlNet as the first releases were: `input_hint_block`, `zero_convs`."""
    last = 2 * (len(network.controlnet_cond_embedding.blocks) + 1)
    rules = (
        (r"^controlnet_cond_embedding\.conv_in", "input_hint_block.0"),
        (r"^controlnet_cond_embedding\.conv_out", f"input_hint_block.{last}"),
        (r"^controlnet_down_blocks\.(\d+)", r"zero_convs.\1.0"),
        (r"^controlnet_mid_block", "middle_block_out.0"),
    )

    def name(old: str) -> str:
        old = re.sub(
            r"^controlnet_cond_embedding\.blocks\.(\d+)",
            lambda found: f"input_hint_block.{2 * int(found[1]) + 2}",
            old,
        )
        return _renamed(old, rules)

    tensors = {name(old): tensor for old, tensor in _unet_names(network).items()}
    save_file({prefix + n: t.contiguous().clone() for n, t in tensors.items()}, file)
    return file


def _unet_names(unet) -> dict:
    rows = unet.config.layers_per_block + 1

    def down(found: re.Match[str]) -> str:
        level, kind, j = int(found[1]), found[2], int(found[3])
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * rows}.0.op"
        return f"input_blocks.{1 + level * rows + j}.{int(kind == 'attentions')}"

    def up(found: re.Match[str]) -> str:
        level, kind, j = int(found[1]), found[2], int(found[3])
        if kind == "upsamplers":
            after = 1 + unet.config.up_block_types[level].startswith("CrossAttn")
            return f"output_blocks.{level * rows + rows - 1}.{after}.conv"
        return f"output_blocks.{level * rows + j}.{int(kind == 'attentions')}"

    def name(old: str) -> str:
        new = _renamed(old, _RESNET if ".resnets." in old else ())
        new = _renamed(new, _UNET)
        new = re.sub(r"^down_blocks\.(\d+)\.(\w+)\.(\d+)(?:(?<=samplers\.0)\.conv)?", down, new)
        return re.sub(r"^up_blocks\.(\d+)\.(\w+)\.(\d+)(?:(?<=samplers\.0)\.conv)?", up, new)

    return {name(old): tensor for old, tensor in unet.state_dict().items()}


def _vae_names(vae) -> dict:
    last = len(vae.config.block_out_channels) - 1

    def up(found: re.Match[str]) -> str:
        kind = {"resnets": "block", "upsamplers.0": "upsample"}[found[2]]
        return f"up.{last - int(found[1])}.{kind}"

    def name(old: str) -> str:
        return re.sub(r"up_blocks\.(\d+)\.(resnets|upsamplers\.0)", up, _renamed(old, _VAE))

    return {name(old): tensor for old, tensor in vae.state_dict().items()}


def _text_names(encoder) -> dict:
    state = encoder.state_dict().items()
    return {name.removeprefix("text_model."): tensor for name, tensor in state}


def _renamed(name: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, there in rules:
        name = re.sub(pattern, there, name)
    return name
