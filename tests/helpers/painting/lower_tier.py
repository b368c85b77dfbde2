"""A decode that does not fit at first: prints which tier served, as JSON."""

from __future__ import annotations

import json

import torch
from diffusers import AutoencoderKL

from underpaint_daemon.worker.pipelines.latents import decode_latents
from underpaint_daemon.worker.pipelines.memory import Tier, frugal, release, within_memory

from ..address_space import only_more

_MIB = 240
"""Well above what tiles need (some 90, as the allocator lays them), well below a whole decode."""
torch.set_num_threads(1)
vae = AutoencoderKL(
    block_out_channels=(32, 32),
    down_block_types=("DownEncoderBlock2D",) * 2,
    up_block_types=("UpDecoderBlock2D",) * 2,
    mid_block_add_attention=False,
    sample_size=128,
).eval()
latents = torch.zeros((1, 4, 512, 512))


def decode(tier: Tier) -> tuple[Tier, torch.Tensor]:
    with frugal(tier, [vae], torch.device("cpu")):
        return tier, decode_latents(vae, latents)


warnings: list[str] = []
release()
with only_more(_MIB):
    served, image = within_memory(decode, (Tier.FULL, Tier.TILED), warnings.append, "A decode")
outcome = {
    "tier": served.value,
    "shape": list(image.shape),
    "warnings": len(warnings),
    "still_tiling": vae.use_tiling,
}
print(json.dumps(outcome))
