"""The latent code that denoisers are trained on: the mean of the autoencoder's encoder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from underpaint_starter.training.vae_train import load_vae

_AT_ONCE = 16  # images


@dataclass(frozen=True, slots=True)
class Codes:
    """A frozen encoder. `tag`: a name of its weights, for what is kept of its output."""

    vae: AutoencoderKL
    tag: str

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) in -1..1 to latents (n, 4, h/4, w/4) on the images' device."""
        parts = [
            self.vae.encode(part.to(self.vae.device)).latent_dist.mean
            for part in torch.split(images, _AT_ONCE)
        ]
        return torch.cat(parts).float().to(images.device)


def load_codes(work: Path, device: torch.device) -> Codes:
    """The code of a work folder's autoencoder."""
    vae = load_vae(work).to(device=device)
    digest = hashlib.sha256()
    for value in vae.encoder.state_dict().values():
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return Codes(vae, digest.hexdigest()[:8])
