"""Training of the decoder alone: latents stay as they are, so every denoiser keeps its meaning.

The encoder keeps four numbers of sixteen pixels; the decoder makes of them what training pictures
look like at that scale, told so by a discriminator. It learns from true latents and from what the
guided denoiser paints of the same windows: what that leaves soft it can then make crisp, since the
guide has put every pattern where it is in the picture.
"""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional as F

from underpaint_starter.networks.models import LATENT_CHANNELS, LATENT_FACTOR
from underpaint_starter.training.adversary import Adversary, Discriminator, balanced_backward
from underpaint_starter.training.checkpoint import Average
from underpaint_starter.training.guided.clock import Clock
from underpaint_starter.training.guided.window_store import WindowStore
from underpaint_starter.training.losses import detail_loss, image_loss
from underpaint_starter.training.muon import Optimisers

_RATE = 8e-4
_CROP = 64  # px
_BLUR = 0.1  # on pictures in -1..1, before the discriminator
_NOISE = 0.08  # on latents, so that the decoder forgives the denoiser
_DETAILS, _VERDICT = 0.5, 0.8  # gradients of local contrast and of the discriminator's word
_ALONE = 60  # steps over which the discriminator comes in


def teach_decoder(
    vae: AutoencoderKL,
    store: WindowStore,
    painted: tuple[Tensor, Tensor],
    clock: Clock,
    batch: int,
    average: Average,
) -> None:
    """Train decoder and `post_quant_conv`; `average` follows the weights. `painted`: windows (n,)
    and what the denoiser makes of them, (n, 4, h/4, w/4)."""
    vae.requires_grad_(False)
    parts = [vae.decoder, vae.post_quant_conv]
    for part in parts:
        part.requires_grad_(True)
    optimiser = Optimisers(parts, _RATE)
    weights = [weight for part in parts for weight in part.parameters()]
    seer = Discriminator(3 + LATENT_CHANNELS, _BLUR, width=24).to(vae.device)
    adversary = Adversary(seer, 8e-4)
    while not clock.done:
        codes, images = _pairs(store, painted, batch)
        level = _NOISE * torch.rand(len(codes), 1, 1, 1, device=codes.device)
        noisy = codes + level * torch.randn_like(codes)
        out = vae.decode(noisy.contiguous(memory_format=torch.channels_last)).sample
        optimiser.set_rate(clock.rate(_RATE))
        optimiser.zero_grad()
        figures = _backward(out, images, codes, adversary, min(1.0, clock.step / _ALONE))
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        clock.tick(figures)
        average.update({"vae": vae}, clock.step)
    vae.requires_grad_(False)


def _pairs(store: WindowStore, painted: tuple[Tensor, Tensor], count: int) -> tuple[Tensor, Tensor]:
    """Crops: latents (n, 4, c/4, c/4), images (n, 3, c, c) in -1..1, cut at one place; one half of
    true latents, one of painted ones."""
    windows, made = painted
    device = windows.device
    own = torch.randint(0, len(store), (count - count // 2,), device=device)
    theirs = torch.randint(0, len(windows), (count // 2,), device=device)
    rows = torch.cat((own, windows[theirs]))
    side = _CROP // LATENT_FACTOR
    y, x = (int(n) for n in torch.randint(0, made.shape[-1] - side + 1, (2,)))
    small = (slice(None), slice(None), slice(y, y + side), slice(x, x + side))
    codes = torch.cat((store["codes"][own][small], made[theirs][small]))
    top, left = LATENT_FACTOR * y, LATENT_FACTOR * x
    images = store["rgb"][rows, top : top + _CROP, left : left + _CROP].permute(0, 3, 1, 2)
    return codes.float(), images.float() / 127.5 - 1


def _backward(
    out: Tensor, images: Tensor, codes: Tensor, adversary: Adversary, strength: float
) -> dict[str, Tensor]:
    beside = F.interpolate(codes, scale_factor=float(LATENT_FACTOR))
    everywhere = torch.ones_like(images[:, :1])
    told = adversary.learn(images, out, beside)
    losses = balanced_backward(
        out,
        {
            "loss": (lambda o: image_loss(o, images), 1.0),
            "details": (lambda o: detail_loss(o, images, everywhere), _DETAILS),
            "verdict": (lambda o: adversary.verdict(o, beside), _VERDICT * strength),
        },
    )
    return losses | {"told": told}
