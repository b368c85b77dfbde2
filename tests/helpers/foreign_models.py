"""Small models of families that Underpaint has no file for, in folders as their makers publish
them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.pipelines.kolors.text_encoder import ChatGLMConfig, ChatGLMModel
from tokenizers.processors import TemplateProcessing

from underpaint_daemon.tools.miniatures.parts import awake, flow
from underpaint_daemon.tools.miniatures.texts import (
    WIDTH,
    clip_encoder,
    clip_tokenizer,
    qwen_tokenizer,
    t5_encoder,
    t5_tokenizer,
)
from underpaint_daemon.tools.miniatures.vaes import kl

_WORDS = Path(__file__).parents[1] / "data/sentencepiece"


def pixart(folder: Path, kind: str = "PixArtAlphaPipeline") -> Path:
    """PixArt: ε, T5 with its `spiece.model` alone, and pictures of the sizes that it learnt."""
    torch.manual_seed(6)
    transformer = diffusers.PixArtTransformer2DModel(
        num_attention_heads=2, attention_head_dim=8, num_layers=1, cross_attention_dim=16,
        sample_size=32, caption_channels=WIDTH, out_channels=8,
    )  # fmt: skip
    encoder = transformers.T5EncoderModel(
        transformers.T5Config(
            vocab_size=700, d_model=WIDTH, d_kv=8, d_ff=WIDTH, num_layers=1, num_heads=4,
            feed_forward_proj="gated-gelu", tie_word_embeddings=False,
        )
    )  # fmt: skip
    place = folder / "tokenizer"
    getattr(diffusers, kind)(
        tokenizer=transformers.T5Tokenizer(model_max_length=512),
        text_encoder=encoder.eval(),
        vae=kl(4, shift=0.0, quantised=True),
        transformer=awake(transformer),
        scheduler=diffusers.DPMSolverMultistepScheduler(
            beta_start=0.0001, beta_end=0.02, beta_schedule="linear"
        ),
    ).save_pretrained(folder)
    (place / "tokenizer.json").unlink()
    shutil.copy(_WORDS / "t5.model", place / "spiece.model")
    return folder


def cogview4(folder: Path) -> Path:
    """CogView 4: flow, words of a GLM whose length is filled up before them."""
    torch.manual_seed(7)
    tokenizer = qwen_tokenizer()
    tokenizer.padding_side = "left"
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A",
        special_tokens=[("<|im_start|>", tokenizer.convert_tokens_to_ids("<|im_start|>"))],
    )
    transformer = diffusers.CogView4Transformer2DModel(
        in_channels=4, out_channels=4, num_layers=1, attention_head_dim=8, num_attention_heads=2,
        text_embed_dim=WIDTH, time_embed_dim=8, condition_dim=4, sample_size=32,
    )  # fmt: skip
    encoder = transformers.GlmModel(
        transformers.GlmConfig(
            vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=WIDTH,
            num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
            pad_token_id=0,
        )
    )  # fmt: skip
    diffusers.CogView4Pipeline(
        tokenizer=tokenizer,
        text_encoder=encoder.eval(),
        vae=kl(4, shift=0.0),
        transformer=awake(transformer),
        scheduler=flow(
            shift=1.0,
            dynamic=True,
            base_shift=0.25,
            max_shift=0.75,
            base_image_seq_len=256,
        ),
    ).save_pretrained(folder)
    return folder


def amused(folder: Path) -> Path:
    """Amused: patches by their numbers, masked and guessed."""
    torch.manual_seed(5)
    numbers, mask = 30, 31
    transformer = diffusers.UVit2DModel(
        hidden_size=WIDTH, cond_embed_dim=WIDTH, micro_cond_encode_dim=2, micro_cond_embed_dim=10,
        encoder_hidden_size=WIDTH, vocab_size=mask + 1, codebook_size=numbers, in_channels=WIDTH,
        block_out_channels=WIDTH, num_res_blocks=1, downsample=True, upsample=True,
        block_num_heads=1, num_hidden_layers=1, num_attention_heads=1, intermediate_size=WIDTH,
    )  # fmt: skip
    vae = diffusers.VQModel(
        block_out_channels=[32], latent_channels=32, layers_per_block=1, sample_size=32,
        num_vq_embeddings=numbers, mid_block_add_attention=False, lookup_from_codebook=True,
    )  # fmt: skip
    diffusers.AmusedPipeline(
        vae.eval(), clip_tokenizer(), clip_encoder(projection=True, width=WIDTH),
        awake(transformer), diffusers.AmusedScheduler(mask_token_id=mask),
    ).save_pretrained(folder)  # fmt: skip
    return folder


def sana_sprint(folder: Path) -> Path:
    """Sana Sprint: two steps of consistency, guidance as an input."""
    torch.manual_seed(4)
    transformer = diffusers.SanaTransformer2DModel(
        patch_size=1, in_channels=4, out_channels=4, num_layers=1, num_attention_heads=2,
        attention_head_dim=4, num_cross_attention_heads=2, cross_attention_head_dim=4,
        cross_attention_dim=8, caption_channels=WIDTH, sample_size=32,
        qk_norm="rms_norm_across_heads", guidance_embeds=True,
    )  # fmt: skip
    vae = diffusers.AutoencoderDC(
        latent_channels=4, attention_head_dim=2, encoder_block_types="ResBlock",
        decoder_block_types="ResBlock", encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8), encoder_qkv_multiscales=((), ()),
        decoder_qkv_multiscales=((), ()), encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 1), downsample_block_type="conv",
        upsample_block_type="interpolate",
    )  # fmt: skip
    diffusers.SanaSprintPipeline(
        qwen_tokenizer(), gemma2(layers=1), vae.eval(), awake(transformer), diffusers.SCMScheduler()
    ).save_pretrained(folder)
    return folder


def deepfloyd(folder: Path) -> Path:
    """DeepFloyd IF's first half: pixels without a VAE, and judges beside it."""
    torch.manual_seed(8)
    unet = diffusers.UNet2DConditionModel(
        sample_size=64, in_channels=3, out_channels=6, layers_per_block=1, norm_num_groups=4,
        block_out_channels=(8, 16), down_block_types=("ResnetDownsampleBlock2D",) * 2,
        up_block_types=("ResnetUpsampleBlock2D",) * 2,
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        cross_attention_dim=16, encoder_hid_dim=WIDTH, attention_head_dim=4,
        addition_embed_type="text", addition_embed_type_num_heads=2, act_fn="gelu",
        resnet_time_scale_shift="scale_shift",
    )  # fmt: skip
    diffusers.IFPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder(),
        unet=awake(unet),
        scheduler=diffusers.DDPMScheduler(
            variance_type="learned_range", beta_schedule="squaredcos_cap_v2", thresholding=True,
        ),
        safety_checker=None, feature_extractor=None, watermarker=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
    index = folder / "model_index.json"
    told = json.loads(index.read_text())
    told["safety_checker"] = ["deepfloyd_if", "IFSafetyChecker"]
    told["watermarker"] = ["deepfloyd_if", "IFWatermarker"]
    index.write_text(json.dumps(told))
    return folder


def kolors(folder: Path) -> Path:
    """Kolors: a UNet as SDXL's, words of a ChatGLM whose class diffusers brings."""
    torch.manual_seed(9)
    config = ChatGLMConfig(
        num_layers=2, padded_vocab_size=800, hidden_size=WIDTH, ffn_hidden_size=WIDTH,
        kv_channels=8, num_attention_heads=4, seq_length=256, multi_query_attention=True,
        multi_query_group_num=2, add_qkv_bias=True, original_rope=True,
    )  # fmt: skip
    encoder = ChatGLMModel(config)
    for weight in encoder.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    unet = diffusers.UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, norm_num_groups=4,
        block_out_channels=(8, 16), down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
        encoder_hid_dim=WIDTH, encoder_hid_dim_type="text_proj", attention_head_dim=4,
        addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
    )  # fmt: skip
    parts = {
        "vae": (kl(4, shift=0.0), ["diffusers", "AutoencoderKL"]),
        "unet": (awake(unet), ["diffusers", "UNet2DConditionModel"]),
        "text_encoder": (encoder.eval(), ["kolors", "ChatGLMModel"]),
        "scheduler": (
            diffusers.EulerDiscreteScheduler(
                beta_start=0.00085, beta_end=0.014, beta_schedule="scaled_linear"
            ),
            ["diffusers", "EulerDiscreteScheduler"],
        ),
    }
    index = {"_class_name": "KolorsPipeline", "force_zeros_for_empty_prompt": True}
    for name, (part, named) in parts.items():
        part.save_pretrained(folder / name)
        index[name] = named
    place = folder / "tokenizer"
    place.mkdir()
    shutil.copy(_WORDS / "llama.model", place / "tokenizer.model")
    (place / "tokenizer_config.json").write_text('{"tokenizer_class": "ChatGLMTokenizer"}')
    absent = {name: [None, None] for name in ("image_encoder", "feature_extractor")}
    index |= {"tokenizer": ["kolors", "ChatGLMTokenizer"], **absent}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def bria(folder: Path) -> Path:
    """Bria 3: FLUX's make without its guidance, words of T5."""
    torch.manual_seed(10)
    transformer = diffusers.BriaTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=8,
        num_attention_heads=2, joint_attention_dim=WIDTH, pooled_projection_dim=None,
        guidance_embeds=False, axes_dims_rope=[2, 2, 4],
    )  # fmt: skip
    diffusers.BriaPipeline(
        transformer=awake(transformer),
        scheduler=flow(shift=1.0),
        vae=kl(4, shift=0.0),
        text_encoder=t5_encoder(),
        tokenizer=t5_tokenizer(),
    ).save_pretrained(folder)
    return folder


def lumina2(folder: Path) -> Path:
    """Lumina 2: words of Gemma behind a sentence that says what they are."""
    torch.manual_seed(11)
    transformer = diffusers.Lumina2Transformer2DModel(
        sample_size=8, in_channels=4, hidden_size=16, num_layers=1, num_refiner_layers=1,
        num_attention_heads=2, num_kv_heads=1, multiple_of=2, axes_dim_rope=[4, 2, 2],
        axes_lens=[1024, 64, 64], cap_feat_dim=WIDTH,
    )  # fmt: skip
    diffusers.Lumina2Pipeline(
        transformer=awake(transformer),
        scheduler=flow(shift=6.0),
        vae=kl(4, shift=0.0),
        text_encoder=gemma2(layers=2),
        tokenizer=qwen_tokenizer(),
    ).save_pretrained(folder)
    return folder


def gemma2(layers: int) -> Any:
    """Gemma 2 as an encoder."""
    config = transformers.Gemma2Config(
        vocab_size=len(qwen_tokenizer()), hidden_size=WIDTH, intermediate_size=WIDTH,
        num_hidden_layers=layers, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        pad_token_id=0,
    )  # fmt: skip
    return transformers.Gemma2Model(config).eval()
