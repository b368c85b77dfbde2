"""A diffusers pipeline as one file, under the names of the layout that checkpoints are shared in
(CompVis' latent-diffusion). Only for small pipelines whose VAE has no attention."""

from __future__ import annotations

import re
from pathlib import Path

import torch
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


def names_of_one_file(unet) -> dict:
    """A UNet's tensors under their names in a checkpoint."""
    return {f"model.diffusion_model.{name}": t for name, t in _unet_names(unet).items()}


def export_xl(pipeline, file: Path) -> Path:
    """Write an SDXL pipeline's networks into one file: a second text encoder, as OpenCLIP names
    it, and the layers that read sizes."""
    unet = {
        name.replace("add_embedding.linear_1", "label_emb.0.0").replace(
            "add_embedding.linear_2", "label_emb.0.2"
        ): tensor
        for name, tensor in _unet_names(pipeline.unet).items()
    }
    parts = {
        "model.diffusion_model.": unet,
        "first_stage_model.": _vae_names(pipeline.vae),
        "conditioner.embedders.0.transformer.text_model.": _text_names(pipeline.text_encoder),
        "conditioner.embedders.1.model.": _open_clip_names(pipeline.text_encoder_2),
    }
    tensors = {
        p + name: t.contiguous().clone() for p, named in parts.items() for name, t in named.items()
    }
    save_file(tensors, file)
    return file


def export_refiner(pipeline, file: Path) -> Path:
    """Write an SDXL refiner into one file: its one text encoder is the second of SDXL."""
    unet = {
        name.replace("add_embedding.linear_1", "label_emb.0.0").replace(
            "add_embedding.linear_2", "label_emb.0.2"
        ): tensor
        for name, tensor in _unet_names(pipeline.unet).items()
    }
    parts = {
        "model.diffusion_model.": unet,
        "first_stage_model.": _vae_names(pipeline.vae),
        "conditioner.embedders.0.model.": _open_clip_names(pipeline.text_encoder_2),
    }
    tensors = {
        p + name: t.contiguous().clone() for p, named in parts.items() for name, t in named.items()
    }
    save_file(tensors, file)
    return file


_OPEN_CLIP = (
    (r"^embeddings\.token_embedding\.weight", "token_embedding.weight"),
    (r"^embeddings\.position_embedding\.weight", "positional_embedding"),
    (r"^encoder\.layers\.", "transformer.resblocks."),
    (r"\.self_attn\.out_proj", ".attn.out_proj"),
    (r"\.layer_norm(\d)", r".ln_\1"),
    (r"\.fc1", ".c_fc"),
    (r"\.fc2", ".c_proj"),
    (r"^final_layer_norm", "ln_final"),
)


def _open_clip_names(encoder) -> dict:
    named, joined = {}, {}
    for old, tensor in encoder.state_dict().items():
        if old == "text_projection.weight":
            named["text_projection"] = tensor.T
            continue
        name = _renamed(old.removeprefix("text_model."), _OPEN_CLIP)
        found = re.search(r"(.*)\.self_attn\.([qkv])_proj\.(weight|bias)$", name)
        if found:
            joined.setdefault(f"{found[1]}.attn.in_proj_{found[3]}", {})[found[2]] = tensor
        else:
            named[name] = tensor
    named |= {name: torch.cat([three[c] for c in "qkv"]) for name, three in joined.items()}
    return named


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
