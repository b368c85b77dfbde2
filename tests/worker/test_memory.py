"""Running out of memory, for real: less is tried, then the job fails with figures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Recorder, Studio
from diffusers import AutoencoderKL

from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import ImageRequest, Lora, Prompt, Sampling
from underpaint_daemon.worker.pipelines.image import run_image
from underpaint_daemon.worker.pipelines.latents import decode_latents
from underpaint_daemon.worker.pipelines.memory import Tier, frugal, release, within_memory

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, sampling=Sampling(steps=1)
)
needs_rlimit = pytest.mark.skipif(sys.platform != "linux", reason="address space limits: Linux")


@contextmanager
def only_more(megabytes: int) -> Iterator[None]:
    """Let this process take only so much more address space."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@needs_rlimit
def test_what_cannot_fit_fails_with_a_clear_word_and_the_next_job_runs(studio: Studio) -> None:
    before, told = studio.paint(ASKED)[0], Recorder(credit=False)
    with only_more(300), pytest.raises(UnderpaintError) as caught:
        studio.run(replace(ASKED, width=8192, height=8192), told)
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY
    assert caught.value.retryable
    assert "8192×8192" in caught.value.message
    assert caught.value.details["tiers_tried"] == ["full", "tiled"]
    assert len(told.warnings) == 1
    assert np.array_equal(before, studio.paint(ASKED)[0])


@needs_rlimit
def test_the_next_lower_tier_is_tried_and_can_suffice() -> None:
    vae = AutoencoderKL(
        block_out_channels=(32, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        mid_block_add_attention=False,
        sample_size=128,
    ).eval()
    latents = torch.zeros((1, 4, 256, 256))

    def decode(tier: Tier) -> tuple[Tier, torch.Tensor]:
        with frugal(tier, [vae], torch.device("cpu")):
            return tier, decode_latents(vae, latents)

    warnings: list[str] = []
    release()
    with only_more(48):
        tier, image = within_memory(decode, (Tier.FULL, Tier.TILED), warnings.append, "A decode")
    assert tier is Tier.TILED
    assert image.shape == (1, 3, 512, 512)
    assert len(warnings) == 1
    assert not vae.use_tiling


def test_other_failures_are_not_taken_for_lack_of_memory() -> None:
    def attempt(tier: Tier) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        within_memory(attempt, (Tier.FULL, Tier.TILED), print, "A job")


def test_every_tier_paints_the_same_motif(studio: Studio) -> None:
    model = studio.models.load("tiny")
    asked = replace(ASKED, sampling=Sampling(steps=3), loras=(Lora("style"),))
    full, tiled, offloaded, again = (
        run_image(model, asked, {}, tier, Recorder())[0].astype(int)
        for tier in (Tier.FULL, Tier.TILED, Tier.OFFLOADED, Tier.FULL)
    )
    assert np.abs(full - tiled).mean() < 1
    assert np.array_equal(tiled, offloaded)
    assert np.array_equal(full, again)
    assert model.unet.device.type != "meta"
