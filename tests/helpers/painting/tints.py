"""LoRAs that paint a known colour, whatever the words say: what they do can be measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from underpaint_daemon.worker.pipelines.latents import encode_images

GREY = (0.5, 0.5, 0.5)


def save_tint(
    unet: Any, vae: Any, colour: tuple[float, float, float], file: Path, amount: float = 1.0
) -> Path:
    """A LoRA of a network that predicts velocity (as the starter's) which moves pictures from grey
    towards `colour` (0–1). It is of the last convolution: the mean of what that reads, times the
    way between the two colours in latents."""
    plain = torch.stack([torch.tensor(one).reshape(3, 1, 1).expand(3, 64, 64) for one in
                         (colour, GREY)])  # fmt: skip
    wanted, grey = encode_images(vae, plain).mean((2, 3)).float()
    down = torch.full((1, *unet.conv_out.weight.shape[1:]), 1 / unet.conv_out.weight[0].numel())
    up = (grey - wanted) * amount  # velocity points away from the picture
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            "unet.conv_out.lora_A.weight": down,
            "unet.conv_out.lora_B.weight": up.reshape(-1, 1, 1, 1).contiguous(),
        },
        file,
    )
    return file
