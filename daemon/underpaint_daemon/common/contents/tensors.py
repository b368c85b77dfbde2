"""What a safetensors file holds, told from the names of its tensors. No torch."""

from __future__ import annotations

from collections.abc import Iterable

from .disguises import Told

_MODEL = "Give a whole model: a folder in the diffusers format, or a Stable Diffusion checkpoint."
_LORA = "Give it as a LoRA (--lora FILE:WEIGHT), beside a model."
_CONTROL = "Give it to a control (--control KIND@FILE), beside a model."
_LOOKS = "Give it to a reference picture (--reference IMAGE@FILE)."
_NO_CONTROL = "Take a ControlNet or T2I-Adapter in its place."
_WORDS = "Put it into a folder embeddings among the models, and name it in the prompt."
_FOLDER = (
    "Convert it to a folder in the diffusers format, and give the folder; or give a whole "
    "Stable Diffusion 1.5, 2 or XL checkpoint."
)
_ALONE = (
    "Give the whole model: a checkpoint with text encoders and a VAE in it, or a folder in the "
    "diffusers format. Where its makers offer a LoRA as well, that does the same over a base model."
)
_UNPACKED = "Take the same model in fp8 or as a GGUF."
_ENLARGE = (
    "Pictures are enlarged with a model that paints (underpaint upscale), not with such networks."
)
_VAE = (
    "Beside a checkpoint without one it is used when it is called NAME.vae.safetensors. Give the "
    "model itself."
)

_WHOLE = Told("is a whole model", "Give it as the model (--model FILE).")

IS_UNET = "is the UNet of a model alone"
IS_LORA = "is a LoRA"
IS_CONTROLNET = "is a ControlNet"
IS_ADAPTER = "is a T2I-Adapter"
IS_OWN_CONTROLNET = "is a ControlNet of a family with a transformer"

# Rows of pieces that all stand in some tensor's name; "^": at its beginning. The first row counts.
_ROWS: tuple[tuple[tuple[str, ...], Told], ...] = (
    ((".qweight", ".wscales"), Told(
        "is packed in four bits for Nunchaku (SVDQuant), whose own program alone reads it",
        _UNPACKED,
    )),
    (("^model_ema.",), Told(
        "has a training's averaged weights (EMA) alone, under names that its trainer alone reads",
        "Take the model's pruned checkpoint.",
    )),
    (("lora_controlnet",), Told("is a ControlNet-LoRA (Control-LoRA)", _NO_CONTROL)),
    (("lllite_",), Told("is a ControlNet-LLLite", _NO_CONTROL)),
    (("ctrl_to_base",), Told("is a ControlNet-XS", _NO_CONTROL)),
    (("^image_proj.",), Told("is an IP-Adapter", _LOOKS)),
    (("^ip_adapter.",), Told("is an IP-Adapter", _LOOKS)),
    *(((piece,), Told(IS_LORA, _LORA)) for piece in (
        "lora_", ".lora.", "_lora.", "_lora1.", "_lora2.", "^lycoris_", ".lokr_", ".hada_", ".oft_",
        ".boft_", ".dora_scale", ".ia3_", ".vera_lambda",
    )),
    (("control_model.",), Told(IS_CONTROLNET, _CONTROL)),
    (("controlnet_cond_embedding.",), Told(IS_CONTROLNET, _CONTROL)),
    (("double_blocks.", "controlnet_blocks."), Told(
        "is a ControlNet of FLUX in XLabs' layout", "Take one in diffusers' layout: a folder."
    )),
    (("^input_hint_block.",), Told(IS_CONTROLNET, _CONTROL)),
    (("controlnet_x_embedder.",), Told(IS_OWN_CONTROLNET, _CONTROL)),
    (("^controlnet_blocks.",), Told(IS_OWN_CONTROLNET, _CONTROL)),
    (("^control_layers.",), Told(IS_OWN_CONTROLNET, _CONTROL)),
    (("adapter.body.",), Told(IS_ADAPTER, _CONTROL)),
    (("^body.0.block1.",), Told(IS_ADAPTER, _CONTROL)),
    (("^emb_params",), Told("is a textual inversion", _WORDS)),
    (("^string_to_param",), Told("is a textual inversion", _WORDS)),
    (("^bundle_emb.",), Told("is a LoRA bundled with textual inversions", _LORA)),
    (("^clip_g", "^clip_l"), Told("is a textual inversion of SDXL", _WORDS)),
    (("distilled_guidance_layer.", "nerf_"), Told("is a Chroma Radiance checkpoint", _FOLDER)),
    (("distilled_guidance_layer.",), Told("is a Chroma checkpoint", _FOLDER)),
    (("individual_token_refiner.",), Told("is a HunyuanVideo checkpoint", _MODEL)),
    (("double_blocks.", "double_stream_modulation"), Told("is a FLUX.2 checkpoint", _FOLDER)),
    (("single_transformer_blocks.", "double_stream_modulation"), Told(
        "is a FLUX.2 checkpoint", _FOLDER
    )),
    (("double_blocks.",), Told("is a FLUX checkpoint", _FOLDER)),
    (("single_transformer_blocks.",), Told("is a FLUX checkpoint", _FOLDER)),
    (("joint_blocks.",), Told("is a Stable Diffusion 3 checkpoint", _FOLDER)),
    (("pos_embed.proj.weight", "context_embedder.weight", "transformer_blocks."), Told(
        "is a Stable Diffusion 3 checkpoint", _FOLDER
    )),
    (("cap_embedder.", "cap_pad_token"), Told("is a Z-Image checkpoint", _FOLDER)),
    (("cap_embedder.",), Told("is a Lumina checkpoint", _FOLDER)),
    (("addition_t_embedding.", "txt_norm."), Told("is a Qwen-Image-Layered checkpoint", _FOLDER)),
    (("txt_norm.", "transformer_blocks."), Told("is a Qwen-Image checkpoint", _FOLDER)),
    (("blocks.", "patch_embedding."), Told("is a Wan video checkpoint", _MODEL)),
    (("y_embedder.", "blocks."), Told("is a PixArt or Sana checkpoint", _FOLDER)),
    (("clip_txt_pooled_mapper.",), Told("is a Stable Cascade checkpoint", _FOLDER)),
    (("model.diffusion_model.", "open_clip.model.visual."), Told(
        "is a Stable Video Diffusion checkpoint", _MODEL
    )),
    (("^model.diffusion_model.", "cond_stage_model."), _WHOLE),
    (("^model.diffusion_model.", "conditioner.embedders."), _WHOLE),
    *((pieces, Told("is a video model or a part of one", _MODEL)) for pieces in (
        (".time_stack.",), ("temporal_transformer_blocks.",), ("motion_modules.",),
    )),
    (("input_blocks.", "output_blocks."), Told(IS_UNET, _ALONE)),
    (("^model.diffusion_model.",), Told(
        "has a UNet and no text encoder that is known here", _ALONE
    )),
    (("^decoder.conv_in.",), Told("is a VAE", _VAE)),
    (("^first_stage_model.",), Told("is a VAE", _VAE)),
    (("^encoder.block.",), Told("is a text encoder (T5)", _MODEL)),
    (("^enc.blk.",), Told("is a text encoder (T5, packed)", _MODEL)),
    (("^v.blk.",), Told("is the part of a text encoder that sees (mmproj)", _MODEL)),
    (("^blk.0.attn_q.weight",), Told("is a language model (packed)", _MODEL)),
    (("vision_model.",), Told("is an image encoder (CLIP)", _MODEL)),
    (("^text_model.",), Told("is a text encoder (CLIP)", _MODEL)),
    (("^model.layers.", "self_attn."), Told("is a language model", _MODEL)),
    (("^layers.0.attention.wq.",), Told("is a language model (as Mistral publishes it)", _MODEL)),
    *((pieces, Told("is an upscaling network (ESRGAN or alike)", _ENLARGE)) for pieces in (
        ("^model.1.sub.",), ("^conv_first.",), ("^model.0.weight",), ("rdb1.conv1.",),
    )),
    (("down_blocks.", "up_blocks.", "conv_in."), Told(IS_UNET, _ALONE)),
    (("down_blocks.",), Told("is one network of a model in the diffusers format", _FOLDER)),
    (("transformer_blocks.",), Told("is one network of a model in the diffusers format", _FOLDER)),
)  # fmt: skip


def content_of(names: Iterable[str]) -> Told | None:
    """What a file with tensors of these names is; None of what is not known here."""
    # Checkpoints of several programs put one prefix before all of a network's names.
    every = [name.removeprefix("base_model.model.") for name in names]
    return next((told for pieces, told in _ROWS if all(_in(one, every) for one in pieces)), None)


def _in(piece: str, names: list[str]) -> bool:
    if piece.startswith("^"):
        return any(name.startswith(piece[1:]) for name in names)
    return any(piece in name for name in names)
