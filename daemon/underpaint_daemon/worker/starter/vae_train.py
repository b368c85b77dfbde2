"""Training of the autoencoder's decoder on the closed-form code (see `pca`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional as F

from underpaint_daemon.worker.starter.adversary import (
    Adversary,
    Discriminator,
    Weighed,
    balanced_backward,
)
from underpaint_daemon.worker.starter.checkpoint import Average, load_state, save_state
from underpaint_daemon.worker.starter.config import Precision, VaeConfig, autocast
from underpaint_daemon.worker.starter.losses import detail_loss, image_loss, psnr
from underpaint_daemon.worker.starter.models import LATENT_CHANNELS, LATENT_FACTOR, make_vae
from underpaint_daemon.worker.starter.pca import PatchPca, fit_pca, write_encoder
from underpaint_daemon.worker.starter.progress import Progress
from underpaint_daemon.worker.starter.shards import (
    crops,
    read_shard,
    resize_area,
    shard_paths,
    to_unit,
)

DISCRIMINATOR = "vae_discriminator.pt"
_BLUR = 0.1  # on pictures in -1..1
LATENT_NOISE = 0.04  # in training, so that the decoder forgives the denoiser


@dataclass(frozen=True, slots=True)
class VaeRun:
    """Where and how the autoencoder is trained."""

    data: Path
    held: Path
    work: Path
    device: torch.device
    precision: Precision


def load_or_fit_pca(data: Path, work: Path) -> PatchPca:
    """The code of this run: fitted once on the first shard, then kept in `pca.pt`."""
    path = work / "pca.pt"
    if not path.exists():
        images = read_shard(shard_paths(data)[0]).rgb
        half = np.stack([resize_area(image, images.shape[1] // 2) for image in images])
        work.mkdir(parents=True, exist_ok=True)
        torch.save(fit_pca(_four_high(to_unit(images[:64]), to_unit(half))).state(), path)
    return PatchPca(**torch.load(path, weights_only=True))


def _four_high(*batches: Tensor) -> Tensor:
    """Batches of images of several sizes as one batch of strips, four pixels high and wide."""
    strips = [
        F.pixel_unshuffle(images, 4).movedim(1, -1).reshape(-1, 48, 1, 1) for images in batches
    ]
    return F.pixel_shuffle(torch.cat(strips), 4)


def train_vae(run: VaeRun, config: VaeConfig) -> AutoencoderKL:
    """Train or resume; writes `vae.pt` in the work folder at every report."""
    pca = load_or_fit_pca(run.data, run.work)
    vae = make_vae().to(device=run.device)
    write_encoder(vae, pca)
    decoder = torch.nn.ModuleList([vae.decoder, vae.post_quant_conv])
    optimiser = torch.optim.AdamW(
        decoder.parameters(), lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4
    )
    average = Average({"vae": vae}, 0.998)
    adversary = Adversary(Discriminator(3 + LATENT_CHANNELS, _BLUR, width=32).to(run.device))
    adversary.load(run.work / DISCRIMINATOR)
    state = load_state(run.work / "vae.pt", {"vae": vae}, optimiser, average.values)
    progress = Progress("vae", run.work, config.minutes, config.steps, state)
    held = to_unit(read_shard(shard_paths(run.held)[0]).rgb[:32]).to(run.device)
    source = crops(run.data, config.crop, config.batch, seed=progress.step)
    while not progress.done:
        _set_rate(optimiser, config.learning_rate, progress.fraction, progress.step)
        images = next(source).to(run.device)
        codes = pca.encode(images)
        codes = codes + LATENT_NOISE * torch.randn_like(codes)
        with autocast(run.device, run.precision):
            out = vae.decode(codes).sample.float()
        optimiser.zero_grad(set_to_none=True)
        strength = config.adversary if progress.fraction >= config.alone else 0.0
        losses = _backward(out, images, codes, adversary, strength)
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimiser.step()
        average.update({"vae": vae}, progress.step)
        if progress.advance(**losses):
            adversary.save(run.work / DISCRIMINATOR)
            now = averaged_vae(average)
            progress.report(
                psnr_db=vae_psnr(now, held), pca_db=float(psnr(pca.decode(pca.encode(held)), held))
            )
            save_state(
                run.work / "vae.pt", {"vae": vae}, optimiser, progress.state(), average.values
            )
    return averaged_vae(average)


def _backward(
    out: Tensor, images: Tensor, codes: Tensor, adversary: Adversary, strength: float
) -> dict[str, float]:
    """Gradients of the reconstruction and, at a strength above 0, of what makes it sharp: the
    local contrast and the discriminator's word."""
    weighed: Weighed = {"loss": (lambda o: image_loss(o, images), 1.0)}
    told = {}
    if strength:
        everywhere = torch.ones_like(images[:, :1])
        beside = F.interpolate(codes, scale_factor=LATENT_FACTOR)
        weighed["details"] = (lambda o: detail_loss(o, images, everywhere), strength)
        weighed["verdict"] = (lambda o: adversary.verdict(o, beside), strength)
        told = {"told": adversary.learn(images, out, beside)}
    return balanced_backward(out, weighed) | told


def averaged_vae(average: Average) -> AutoencoderKL:
    """The autoencoder of the averaged weights."""
    vae = make_vae()
    vae.load_state_dict(average.values["vae"])
    return vae.eval()


def load_vae(work: Path) -> AutoencoderKL:
    """The autoencoder of a work folder's latest checkpoint."""
    vae = make_vae()
    state = torch.load(work / "vae.pt", map_location="cpu", weights_only=True)
    vae.load_state_dict(state["averages"]["vae"])
    return vae.eval()


def _set_rate(
    optimiser: torch.optim.Optimizer, peak: float, fraction: float, step: int, warm: int = 100
) -> None:
    shape = 0.02 + 0.49 * (1 + math.cos(math.pi * fraction))
    rate = peak * min(1.0, (step + 1) / warm) * shape
    for group in optimiser.param_groups:
        group["lr"] = rate


@torch.no_grad()
def vae_psnr(vae: AutoencoderKL, images: Tensor) -> float:
    """Mean PSNR in dB of the reconstruction of (n, 3, h, w) images in -1..1."""
    parts = [
        vae.decode(vae.encode(part).latent_dist.mean).sample for part in torch.split(images, 8)
    ]
    return float(psnr(torch.cat(parts), images))
