"""The starter model's own IP-Adapter: a picture beside the prompt, for its colours and stuff.

Method: Ye et al. 2023, "IP-Adapter", with an image encoder small enough to be trained with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPTokenizer, CLIPVisionConfig, CLIPVisionModelWithProjection

from underpaint_daemon.common.models import IP_ADAPTER
from underpaint_daemon.worker.pipelines.references.image_prompt import normalised
from underpaint_starter.networks.models import TEXT_WIDTH
from underpaint_starter.training.batches import Batch
from underpaint_starter.training.finetune import FinetuneRun, finetune, frozen_networks
from underpaint_starter.training.losses import denoising_loss
from underpaint_starter.training.problems import ProblemMaker, predict

IMAGE_SIZE = 64
IMAGE_WIDTH = 128
_TOKENS = 4  # of the picture, beside the prompt's
_CAPTION_DROPOUT = 0.6  # so that the picture is needed
_PICTURE_DROPOUT = 0.1


def train_ip_adapter(
    run: FinetuneRun, tokenizer: CLIPTokenizer
) -> tuple[dict[str, Tensor], CLIPVisionModelWithProjection]:
    """Train or resume; returns the adapter's weights, named as in its file, and the encoder."""
    networks = frozen_networks(run.work, tokenizer, run.device)
    encoder = make_image_encoder().to(run.device)
    unet: Any = networks.unet
    unet._load_ip_adapter_weights([_fresh(unet)])
    maker = ProblemMaker(tokenizer, run.device, _CAPTION_DROPOUT)

    def loss_of(batch: Batch) -> Tensor:
        problem = maker.make_often_first(batch)
        picture = encoder(normalised(reference_of(batch.rgb).to(run.device))).image_embeds
        kept = (torch.rand(len(picture), 1) >= _PICTURE_DROPOUT).to(picture)
        out = predict(networks, problem, picture=(picture * kept)[:, None])
        return denoising_loss(out.float(), problem.target, problem.mask)

    added = {**_cross_attention(unet), "proj": unet.encoder_hid_proj}
    weights = [weight for part in (*added.values(), encoder) for weight in part.parameters()]
    for weight in weights:
        weight.requires_grad_(True)
    finetune(IP_ADAPTER, run, weights, loss_of)
    return _named(unet), encoder.eval()


def save_ip_adapter(
    weights: dict[str, Tensor], encoder: CLIPVisionModelWithProjection, model: Path
) -> None:
    """Write the adapter and its image encoder into the exported model, in half precision."""
    folder = model / IP_ADAPTER
    encoder.half().save_pretrained(folder / "image_encoder")
    halves = {name: value.detach().half().cpu().contiguous() for name, value in weights.items()}
    save_file(halves, folder / "ip_adapter.safetensors")


def make_image_encoder() -> CLIPVisionModelWithProjection:
    """Three CLIP vision layers over 8x8 patches of 64 px."""
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=IMAGE_WIDTH,
            intermediate_size=3 * IMAGE_WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            image_size=IMAGE_SIZE,
            patch_size=8,
            projection_dim=IMAGE_WIDTH,
        )
    )


def reference_of(images: Tensor) -> Tensor:
    """Another look at (n, 3, h, w) images in -1..1: perhaps mirrored, cropped, at 64 px."""
    mirrored = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images, images.flip(-1))
    side = images.shape[-1]
    crop = int(side * (0.65 + 0.35 * float(torch.rand(()))))
    top, left = (int(torch.randint(0, side - crop + 1, ())) for _ in range(2))
    part = mirrored[..., top : top + crop, left : left + crop]
    return F.interpolate(part, size=(IMAGE_SIZE,) * 2, mode="area")


def _cross_attention(unet: Any) -> dict[str, Any]:
    """The adapter's attention processors by their number in the file."""
    numbered = enumerate(unet.attn_processors.values())
    return {str(index): part for index, part in numbered if hasattr(part, "to_k_ip")}


def _fresh(unet: Any) -> dict[str, dict[str, Tensor]]:
    """Weights before training: keys and values as of the prompt, a picture that says nothing."""
    attention: dict[str, Tensor] = {}
    modules = dict(unet.named_modules())
    for index, name in enumerate(unet.attn_processors):
        if "attn2" in name:
            layer = modules[name.removesuffix(".processor")]
            attention[f"{index}.to_k_ip.weight"] = layer.to_k.weight.detach().clone()
            attention[f"{index}.to_v_ip.weight"] = 0.1 * layer.to_v.weight.detach().clone()
    projection = {
        "proj.weight": torch.randn(_TOKENS * TEXT_WIDTH, IMAGE_WIDTH) * IMAGE_WIDTH**-0.5,
        "proj.bias": torch.zeros(_TOKENS * TEXT_WIDTH),
        "norm.weight": torch.ones(TEXT_WIDTH),
        "norm.bias": torch.zeros(TEXT_WIDTH),
    }
    return {"ip_adapter": attention, "image_proj": projection}


def _named(unet: Any) -> dict[str, Tensor]:
    layer = unet.encoder_hid_proj.image_projection_layers[0]
    named = {
        f"image_proj.{ours}": value
        for ours, value in (
            ("proj.weight", layer.image_embeds.weight),
            ("proj.bias", layer.image_embeds.bias),
            ("norm.weight", layer.norm.weight),
            ("norm.bias", layer.norm.bias),
        )
    }
    for index, part in _cross_attention(unet).items():
        named[f"ip_adapter.{index}.to_k_ip.weight"] = part.to_k_ip[0].weight
        named[f"ip_adapter.{index}.to_v_ip.weight"] = part.to_v_ip[0].weight
    return named
