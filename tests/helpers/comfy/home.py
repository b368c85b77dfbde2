"""A home of ComfyUI with one narrow model in it, a file for each part, as its users have them; and
the same model as a folder of diffusers'."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKLFlux2
from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers
from safetensors.torch import save_file
from torch import Tensor

from underpaint_daemon.tools.miniatures.texts import qwen_tokenizer, t5_tokenizer

from ..painting.original_layout import original


@dataclass(frozen=True, slots=True)
class Parts:
    """A model's parts by diffusers' names, and its pipeline's class."""

    pipeline: str
    parts: dict[str, Any]

    def as_folder(self, folder: Path) -> Path:
        getattr(diffusers, self.pipeline)(**self.parts).save_pretrained(folder)
        if self.pipeline == "Flux2Pipeline":  # its processor: to make one needs torchvision
            file = folder / "model_index.json"
            index = json.loads(file.read_text("utf-8"))
            index["tokenizer"] = ["transformers", "PixtralProcessor"]
            file.write_text(json.dumps(index), "utf-8")
        return folder

    def files(self) -> dict[str, dict[str, Tensor]]:
        """Their files' weights, by where ComfyUI has them."""
        return {
            f"{_PLACES[name]}.safetensors": _written(name, part)
            for name, part in self.parts.items()
            if name in _PLACES and isinstance(part, torch.nn.Module)
        }


_PLACES = {
    "transformer": "diffusion_models/{}",
    "unet": "diffusion_models/{}",
    "text_encoder": "text_encoders/first",
    "text_encoder_2": "clip/second",
    "text_encoder_3": "text_encoders/third",
    "vae": "vae/sub folder/the vae",
}


def _written(name: str, part: Any) -> dict[str, Tensor]:
    if name in ("transformer", "unet"):
        return original(part)
    if name == "vae":
        return vae_file(part)
    return text_file(part)


def text_file(encoder: Any) -> dict[str, Tensor]:
    """Under the names of the releases."""
    state = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    kind = type(encoder).__name__
    if kind == "Mistral3ForConditionalGeneration":
        return mistral_file(state)
    if kind == "CLIPTextModelWithProjection":
        if torch.equal(state["text_projection.weight"], torch.eye(encoder.config.projection_dim)):
            state.pop("text_projection.weight")
        head = ("text_model.", "text_projection.")
        return {n if n.startswith(head) else f"text_model.{n}": t for n, t in state.items()}
    if kind == "CLIPTextModel":
        return {f"text_model.{name.removeprefix('text_model.')}": t for name, t in state.items()}
    if kind == "T5EncoderModel":
        return {name: t for name, t in state.items() if name != "encoder.embed_tokens.weight"}
    if getattr(encoder.config, "tie_word_embeddings", False):
        state.pop("lm_head.weight", None)
    found = {name.replace("model.language_model.", "model."): t for name, t in state.items()}
    found = {name.replace("model.visual.", "visual."): t for name, t in found.items()}
    own = ("model.", "visual.", "lm_head.")
    return {n if n.startswith(own) else f"model.{n}": t for n, t in found.items()}


_LAYER = "model.language_model.layers."


def mistral_file(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As ComfyUI has it: thirty layers and no more, with the tokenizer."""
    kept = {
        name.replace("language_model.", ""): tensor
        for name, tensor in state.items()
        if "embed_tokens" in name
        or (name.startswith(_LAYER) and int(name.removeprefix(_LAYER).split(".")[0]) < 30)
    }
    return {**kept, "tekken_model": torch.tensor(list(tekken()), dtype=torch.uint8)}


MISTRALS_CHAT = (
    "<s>{% for m in messages %}{% if m.role == 'system' %}[SYSTEM_PROMPT]{{ m.content[0].text }}"
    "[/SYSTEM_PROMPT]{% else %}[INST]{{ m.content[0].text }}[/INST]{% endif %}{% endfor %}"
)


def tekken() -> bytes:
    """Mistral's own file of a tokenizer: all bytes, a few words, its marks where they are."""
    marks = {1: "<s>", 2: "</s>", 3: "[INST]", 4: "[/INST]", 11: "<pad>"}
    marks |= {0: "<unk>", 17: "[SYSTEM_PROMPT]", 18: "[/SYSTEM_PROMPT]"}
    words = [bytes([i]) for i in range(256)]
    words += [b"re", b"ed", b" a", b" c", b"red", b" cu", b"be", b" cube", "ü".encode(), b"never"]
    told = {
        "config": {
            "pattern": r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+",
            "default_vocab_size": 20 + len(words) - 1,
            "default_num_special_tokens": 20,
        },
        "vocab": [
            {"rank": i, "token_bytes": base64.b64encode(word).decode(), "token_str": None}
            for i, word in enumerate(words)
        ],
        "special_tokens": [
            {"rank": i, "token_str": marks.get(i, f"<SPECIAL_{i}>"), "is_control": True}
            for i in range(20)
        ],
    }
    return json.dumps(told).encode()


def vae_file(vae: Any) -> dict[str, Tensor]:
    """In the layout of Stable Diffusion's makers, or Wan's."""
    if type(vae).__name__ == "AutoencoderKLQwenImage":
        names = convert_wan_vae_to_diffusers({name: name for name in _wans()})
        back = {new: old for new, old in names.items()}
        return {back[name]: tensor.clone() for name, tensor in vae.state_dict().items()}
    return {_ldm(name, vae): _conv(name, t) for name, t in vae.state_dict().items()}


def _conv(name: str, tensor: Tensor) -> Tensor:
    """Attention is four convolutions of one pixel."""
    layers = ("to_q", "to_k", "to_v", "to_out.0")
    flat = name.endswith(tuple(f"attentions.0.{layer}.weight" for layer in layers))
    return tensor[..., None, None].clone() if flat else tensor.clone()


def _ldm(name: str, vae: Any) -> str:
    levels = len(vae.config.block_out_channels)
    for i in range(levels):
        name = name.replace(f"encoder.down_blocks.{i}.resnets", f"encoder.down.{i}.block")
        name = name.replace(
            f"encoder.down_blocks.{i}.downsamplers.0", f"encoder.down.{i}.downsample"
        )
        back = levels - 1 - i
        name = name.replace(f"decoder.up_blocks.{i}.resnets", f"decoder.up.{back}.block")
        name = name.replace(f"decoder.up_blocks.{i}.upsamplers.0", f"decoder.up.{back}.upsample")
    if name.startswith("quant_conv") and type(vae) is AutoencoderKLFlux2:
        name = f"encoder.{name}"
    if name.startswith("post_quant_conv") and type(vae) is AutoencoderKLFlux2:
        name = f"decoder.{name}"
    for old, new in (
        ("mid_block.resnets.0", "mid.block_1"),
        ("mid_block.resnets.1", "mid.block_2"),
        ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
        ("mid_block.attentions.0.to_q", "mid.attn_1.q"),
        ("mid_block.attentions.0.to_k", "mid.attn_1.k"),
        ("mid_block.attentions.0.to_v", "mid.attn_1.v"),
        ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
        ("conv_shortcut", "nin_shortcut"),
        ("conv_norm_out", "norm_out"),
    ):
        name = name.replace(old, new)
    return name


def _wans() -> list[str]:
    """Every name that Wan's VAE may have."""
    both = ("weight", "bias")
    convs = [f"{layer}.{end}" for layer in ("residual.2", "residual.6", "shortcut") for end in both]
    convs += [f"{layer}.{end}" for layer in ("resample.1", "time_conv") for end in both]
    block = [*convs, "residual.0.gamma", "residual.3.gamma"]
    attention = ["norm.gamma", *(f"{layer}.{end}" for layer in ("to_qkv", "proj") for end in both)]
    names = [f"conv{i}.{end}" for i in (1, 2) for end in both]
    for side, many in (("encoder", "downsamples"), ("decoder", "upsamples")):
        names += [f"{side}.conv1.{end}" for end in both]
        names += [f"{side}.{many}.{i}.{one}" for i in range(16) for one in block]
        names += [f"{side}.middle.{i}.{one}" for i in (0, 2) for one in block[:4] + block[-2:]]
        names += [f"{side}.middle.1.{one}" for one in attention]
        names += [f"{side}.head.0.gamma", *(f"{side}.head.2.{end}" for end in both)]
    return names


def write_home(models: Path, parts: Parts, name: str) -> Path:
    """The files, below a folder `models`; the transformer's. Tokenizers lie where ComfyUI has
    them, beside that folder."""
    files = parts.files()
    for place, state in files.items():
        path = models / place.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({key: tensor.contiguous() for key, tensor in state.items()}, path)
    write_tokenizers(models)
    return models / _PLACES["transformer"].format(name + ".safetensors")


def write_tokenizers(models: Path) -> None:
    comfy = models.parent / "comfy" / "text_encoders"
    t5_tokenizer().save_pretrained(comfy / "t5_tokenizer")
    tokenizer = qwen_tokenizer()
    tokenizer.chat_template = "You are Qwen 2.5."
    tokenizer.save_pretrained(comfy / "qwen25_tokenizer")


WHOLE = {
    "flux1-dev": {
        "transformer": "model.diffusion_model.",
        "text_encoder": "text_encoders.clip_l.transformer.",
        "text_encoder_2": "text_encoders.t5xxl.transformer.",
        "vae": "vae.",
    },
    "sd3.5_medium": {
        "transformer": "model.diffusion_model.",
        "text_encoder": "text_encoders.clip_l.transformer.",
        "text_encoder_2": "text_encoders.clip_g.transformer.",
        "text_encoder_3": "text_encoders.t5xxl.transformer.",
        "vae": "first_stage_model.",
    },
}


def write_whole(file: Path, parts: Parts, prefixes: Mapping[str, str]) -> Path:
    """All in one file, as checkpoints for ComfyUI are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {
        prefix + key: tensor.contiguous()
        for name, prefix in prefixes.items()
        for key, tensor in _written(name, parts.parts[name]).items()
    }
    save_file(state, file)
    return file
