"""The networks of the starter model, in the layout of Stable Diffusion 1.x, made small."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

LATENT_CHANNELS = 4  # the inpaint pipelines blend by mask only when there are four
LATENT_FACTOR = 4  # image side over latent side
TEXT_WIDTH = 192
NATIVE_SIZE = 256
CONTROLS = ("depth", "normal", "guide")
GUIDE_WIDTHS = (32, 64, 96)  # of the guide's embedding: materials are made there, pixel by pixel
NOISE_SHIFT = 6.0
_SHIFT_GROWS = 50.0  # times over which it is reached


def make_vae() -> AutoencoderKL:
    """Image (n, 3, h, w) in -1..1 to latent (n, 4, h/4, w/4) and back; 1.5 M weights."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(32, 64, 96),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=NATIVE_SIZE,
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )


def make_unet() -> UNet2DConditionModel:
    """Thin where the picture is large: 64x64 latents have to run on a laptop's processor."""
    return UNet2DConditionModel(
        sample_size=NATIVE_SIZE // LATENT_FACTOR,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=(
            "DownBlock2D",
            "DownBlock2D",
            "CrossAttnDownBlock2D",
            "CrossAttnDownBlock2D",
        ),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        block_out_channels=(48, 96, 144, 192),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def make_controlnet(unet: UNet2DConditionModel, name: str) -> ControlNetModel:
    """A ControlNet for RGB control images; three embedding widths bring it down by four."""
    if name != "guide":
        return ControlNetModel.from_unet(
            unet, conditioning_channels=3, conditioning_embedding_out_channels=(16, 32, 64)
        )
    layout = {key: unet.config[key] for key in _SHARED}
    return ControlNetModel(
        conditioning_embedding_out_channels=GUIDE_WIDTHS,
        addition_embed_type="text",  # words reach the finest block, and multiply its features
        resnet_time_scale_shift="scale_shift",
        **layout,
    )


def make_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Two CLIP text layers over the captions' own vocabulary."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=tokenizer.model_max_length,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        projection_dim=TEXT_WIDTH,
    )
    return CLIPTextModel(config)


def make_scheduler() -> DDIMScheduler:
    """v-prediction to zero terminal signal, steps counted from the end (Lin et al. 2024,
    "Common diffusion noise schedules and sample steps are flawed"), on a noisier schedule."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        trained_betas=shifted_betas(),
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


def shifted_betas() -> list[float]:
    """Stable Diffusion's schedule with the signal-to-noise ratio divided by NOISE_SHIFT squared
    (Hoogeboom et al. 2023, "simple diffusion").

    A few steps then fall where form and colour are settled, which a small network does well;
    with even steps of the usual schedule most of them go to details that it cannot invent. The
    shift grows over the first times, so that the last step of any sampler ends without noise.
    """
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    signal = torch.cumprod(1 - betas, 0).sqrt()
    signal = (signal - signal[-1]) * signal[0] / (signal[0] - signal[-1])  # zero at the end
    shift = 1 + (NOISE_SHIFT - 1) * torch.linspace(0, 1000 / _SHIFT_GROWS, 1000).clamp(max=1)
    ratio = signal**2 / (1 - signal**2) / shift.double() ** 2
    alpha_bar = ratio / (1 + ratio)
    before = torch.cat((torch.ones(1, dtype=torch.float64), alpha_bar[:-1]))
    return [round(float(beta), 9) for beta in 1 - alpha_bar / before]


_SHARED = (  # of a UNet's settings and its ControlNets'
    "in_channels",
    "down_block_types",
    "block_out_channels",
    "layers_per_block",
    "cross_attention_dim",
    "attention_head_dim",
    "norm_num_groups",
)


@dataclass(frozen=True, slots=True)
class Networks:
    """What is trained together: the denoiser, a ControlNet per control, the text encoder."""

    unet: UNet2DConditionModel
    controls: dict[str, ControlNetModel]
    text: CLIPTextModel

    def named(self) -> dict[str, nn.Module]:
        """Every network by the name of its checkpoint entry."""
        parts = {f"controlnet_{name}": net for name, net in self.controls.items()}
        return {"unet": self.unet, "text_encoder": self.text, **parts}

    def to(self, device: torch.device) -> Networks:
        """Move in place, convolutions channels-last (faster on CPU and on GPU)."""
        for net in self.named().values():
            channels_last(net.to(device))
        return self


def channels_last(net: nn.Module) -> nn.Module:
    """Lay out convolution weights as the fast kernels want them, in place."""
    for weight in net.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return net


def make_networks(tokenizer: CLIPTokenizer) -> Networks:
    """All of them, fresh."""
    unet = make_unet()
    controls = {name: make_controlnet(unet, name) for name in CONTROLS}
    return Networks(unet, controls, make_text_encoder(tokenizer))


def parameter_count(net: nn.Module) -> int:
    """Number of weights."""
    return sum(weight.numel() for weight in net.parameters())
