"""Training of the autoencoder, which begins with the closed-form code (see `pca`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional as F

from underpaint_starter.networks.models import LATENT_CHANNELS, LATENT_FACTOR, make_vae
from underpaint_starter.networks.pca import PatchPca, fit_pca, write_encoder
from underpaint_starter.scenes.shards import crops, read_shard, resize_area, shard_paths, to_unit
from underpaint_starter.training.adversary import (
    Adversary,
    Discriminator,
    Weighed,
    balanced_backward,
)
from underpaint_starter.training.checkpoint import Average, load_state, save_state
from underpaint_starter.training.config import Precision, VaeConfig, autocast
from underpaint_starter.training.losses import detail_loss, image_loss, psnr
from underpaint_starter.training.muon import Optimisers
from underpaint_starter.training.progress import Progress

CHECKPOINT, DISCRIMINATOR = "vae.pt", "vae_discriminator.pt"
_BLUR = 0.1  # on pictures in -1..1
_PULL = 0.02  # weight of the latents' squared distance from their start
LATENT_NOISE = 0.04  # in training, so that the decoder forgives the denoiser


@dataclass(frozen=True, slots=True)
class VaeRun:
    """Where and how the autoencoder is trained."""

    data: Path
    held: Path
    work: Path
    device: torch.device
    precision: Precision


def _fitted_code(data: Path) -> PatchPca:
    """The closed-form code of the first shard's views, whole and at half their size."""
    images = read_shard(shard_paths(data)[0]).rgb
    half = np.stack([resize_area(image, images.shape[1] // 2) for image in images])
    return fit_pca(_four_high(to_unit(images[:64]), to_unit(half)))


def _four_high(*batches: Tensor) -> Tensor:
    """Batches of images of several sizes as one batch of strips, four pixels high and wide."""
    strips = [
        F.pixel_unshuffle(images, 4).movedim(1, -1).reshape(-1, 48, 1, 1) for images in batches
    ]
    return F.pixel_shuffle(torch.cat(strips), 4)


def train_vae(run: VaeRun, config: VaeConfig) -> AutoencoderKL:
    """Train or resume; writes `vae.pt` in the work folder at every report.

    For the first share `alone` of the run encoder and decoder learn together, the latents held
    near what they were at the start: networks that know those need little to follow. Then the
    latents are fixed, and a discriminator joins to make the decoder sharp.
    """
    vae = _new_vae(run)
    optimiser = _Optimiser(vae, config)
    average = Average({"vae": vae}, 0.998)
    adversary = Adversary(Discriminator(3 + LATENT_CHANNELS, _BLUR, width=32).to(run.device))
    adversary.load(run.work / DISCRIMINATOR)
    state = load_state(run.work / CHECKPOINT, {"vae": vae}, optimiser, average.values)
    start = _start_of(run.work, vae)
    progress = Progress("vae", run.work, config.minutes, config.steps, state)
    held = to_unit(read_shard(shard_paths(run.held)[0]).rgb[:32]).to(run.device)
    source = crops(run.data, config.crop, config.batch, seed=progress.step)
    while not progress.done:
        images = next(source).to(run.device)
        together = progress.fraction < config.alone
        optimiser.set_rate(progress.fraction, progress.step)
        optimiser.zero_grad()
        with autocast(run.device, run.precision), torch.set_grad_enabled(together):
            codes = vae.encode(images).latent_dist.mean.float()
        noisy = codes + LATENT_NOISE * torch.randn_like(codes)
        with autocast(run.device, run.precision):
            out = vae.decode(noisy).sample.float()
        losses: dict[str, float | Tensor] = {}
        if together:
            losses["drift"] = _pull_back(codes, start, images)
        strength = 0.0 if together else config.adversary
        losses |= _backward(out, images, noisy.detach(), adversary, strength)
        optimiser.step()
        average.update({"vae": vae}, progress.step)
        if progress.advance(**losses):
            adversary.save(run.work / DISCRIMINATOR)
            progress.report(psnr_db=vae_psnr(averaged_vae(average), held))
            save_state(
                run.work / CHECKPOINT, {"vae": vae}, optimiser, progress.state(), average.values
            )
    return averaged_vae(average)


def _new_vae(run: VaeRun) -> AutoencoderKL:
    vae = make_vae().to(device=run.device)
    if not (run.work / CHECKPOINT).exists():
        write_encoder(vae, _fitted_code(run.data))
    return vae


def _start_of(work: Path, vae: AutoencoderKL) -> AutoencoderKL:
    """The autoencoder as it was when the run began."""
    path = work / "vae_start.pt"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        torch.save(vae.state_dict(), path)
    start = make_vae()
    start.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return start.to(device=vae.device)


def _pull_back(codes: Tensor, start: AutoencoderKL, images: Tensor) -> float:
    """Send back the gradient that holds latents near their start; returns their distance."""
    with torch.no_grad():
        before = start.encode(images).latent_dist.mean
    distance = F.mse_loss(codes, before)
    torch.autograd.backward(_PULL * distance, retain_graph=True)
    return float(distance.detach().sqrt())


class _Optimiser:
    """Muon for the decoder; AdamW for the encoder, whose closed-form weights it leaves whole."""

    def __init__(self, vae: AutoencoderKL, config: VaeConfig) -> None:
        self._config = config
        self._decoder = Optimisers([vae.decoder, vae.post_quant_conv], config.learning_rate)
        self._encoder = torch.optim.AdamW(
            [*vae.encoder.parameters(), *vae.quant_conv.parameters()],
            betas=(0.9, 0.98),
            weight_decay=0.0,
        )
        self._weights = list(vae.parameters())

    def set_rate(self, fraction: float, step: int, warm: int = 100) -> None:
        """The learning rates at a fraction (0..1) of the run."""
        warmth = min(1.0, (step + 1) / warm)
        self._decoder.set_rate(self._config.learning_rate * warmth * _fall(fraction))
        together = min(1.0, fraction / max(self._config.alone, 1e-6))
        for group in self._encoder.param_groups:
            group["lr"] = self._config.encoder_rate * warmth * _fall(together)

    def zero_grad(self) -> None:
        """Drop the gradients."""
        self._decoder.zero_grad()
        self._encoder.zero_grad(set_to_none=True)

    def step(self) -> None:
        """One update of every weight that has a gradient."""
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        self._decoder.step()
        self._encoder.step()

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"decoder": self._decoder.state_dict(), "encoder": self._encoder.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From a checkpoint."""
        self._decoder.load_state_dict(state["decoder"])
        self._encoder.load_state_dict(state["encoder"])


def _fall(fraction: float) -> float:
    return 0.02 + 0.49 * (1 + math.cos(math.pi * fraction))


def _backward(
    out: Tensor, images: Tensor, codes: Tensor, adversary: Adversary, strength: float
) -> dict[str, Tensor]:
    """Gradients of the reconstruction and, at a strength above 0, of what makes it sharp: the
    local contrast and the discriminator's word."""
    weighed: Weighed = {"loss": (lambda o: image_loss(o, images), 1.0)}
    told: dict[str, Tensor] = {}
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
    state = torch.load(work / CHECKPOINT, map_location="cpu", weights_only=True)
    vae.load_state_dict(state["averages"]["vae"])
    return vae.eval()


@torch.no_grad()
def vae_psnr(vae: AutoencoderKL, images: Tensor) -> float:
    """Mean PSNR in dB of the reconstruction of (n, 3, h, w) images in -1..1."""
    parts = [
        vae.decode(vae.encode(part).latent_dist.mean).sample for part in torch.split(images, 8)
    ]
    return float(psnr(torch.cat(parts), images))
