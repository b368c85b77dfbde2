"""Latents of every kind of VAE, and of pipelines that pack them, come back as they were."""

from __future__ import annotations

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline

from underpaint_daemon.tools.miniatures import vaes
from underpaint_daemon.worker.pipelines.latents import decode_latents, encode_images, fit_preview
from underpaint_daemon.worker.pipelines.spaces import cell_of, channels_of, packed, unpacked
from underpaint_daemon.worker.pipelines.watch import predicted_original

torch.set_num_threads(1)
KINDS = {
    "kl": (lambda: vaes.kl(16), 8, 16),
    "flux2": (vaes.flux2_kl, 16, 128),
    "qwen": (vaes.qwen_kl, 8, 16),
    "deep": (vaes.deep, 32, 32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_space_has_its_cells_and_channels_and_a_preview(kind: str) -> None:
    make, cell, channels = KINDS[kind]
    torch.manual_seed(1)
    vae = make()
    assert (cell_of(vae), channels_of(vae)) == (cell, channels)
    latents = encode_images(vae, torch.rand(1, 3, 64, 128))
    assert latents.shape == (1, channels, 64 // cell, 128 // cell)
    image = decode_latents(vae, latents)
    assert image.shape == (1, 3, 64, 128)
    assert 0 <= float(image.min()) <= float(image.max()) <= 1
    assert fit_preview(vae)(latents).shape == (64 // cell, 128 // cell, 3)


def test_packed_latents_are_laid_out_as_the_pipeline_packs_them() -> None:
    latents = torch.randn(1, 16, 8, 12)
    theirs = FluxPipeline._pack_latents(latents, 1, 16, 8, 12)
    assert torch.equal(packed(latents, 2), theirs)
    assert torch.equal(unpacked(theirs, 2, (64, 96)), latents)
    assert unpacked(theirs[:, :-1], 2, (64, 96)) is None


def test_a_flow_models_preview_shows_the_clean_picture() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(4)
    clean, noise = torch.randn(1, 4, 2, 2), torch.randn(1, 4, 2, 2)
    sigma = scheduler.sigmas[0]
    sample = (1 - sigma) * clean + sigma * noise
    scheduler.step(noise - clean, scheduler.timesteps[0], sample)
    told = predicted_original(scheduler, noise - clean, sample, scheduler.timesteps[0])
    torch.testing.assert_close(told, clean, atol=1e-5, rtol=1e-5)
