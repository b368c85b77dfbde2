"""A model that overflows float16 is painted with in a wider type; a damaged one is told apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from underpaint.buffers import Buffers
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, Prompt, Sampler, Sampling
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.latents import decode_latents
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.networks import Device

from helpers.painting.studio import Recorder, Studio
from helpers.painting.tiny_model import build

HALF = Device(torch.device("cpu"), torch.float16)
_WEIGHTS = "diffusion_pytorch_model.safetensors"


def asked(model: str) -> ImageRequest:
    few = Sampling(Sampler.EULER, 2, 1.0, 3)
    return ImageRequest(Prompt("a red cube"), model, 64, 64, few, controls=())


def scaled(studio: Studio, name: str, factor: float) -> str:
    """A model whose first layer is so many times as loud; a norm after it takes that back."""
    file = build(studio.models.paths.models / name) / "unet" / _WEIGHTS
    state = load_file(file)
    state["conv_in.weight"] *= factor
    save_file(state, file)
    return name


def test_it_paints_again_in_a_wider_type_and_says_so_once(studio: Studio) -> None:
    name = scaled(studio, "loud", 3e5)
    half = Studio(PipelineRunner(ModelCache(studio.models.paths, HALF)), Buffers())
    told = Recorder()
    painted = half.paint(asked(name), told)[0]
    assert [w for w in told.warnings if "overflows in float16" in w and "float32" in w]
    exact = studio.paint(asked(name))[0]
    assert np.array_equal(painted, exact)
    assert exact.std() > 1
    again = Recorder()
    assert np.array_equal(half.paint(asked(name), again)[0], painted)
    assert not [w for w in again.warnings if "overflows" in w]


def test_a_model_that_fits_stays_in_half_precision(studio: Studio) -> None:
    half = Studio(PipelineRunner(ModelCache(studio.models.paths, HALF)), Buffers())
    told = Recorder()
    painted = half.paint(asked("tiny"), told)[0]
    assert not [w for w in told.warnings if "overflows" in w]
    assert half.models.load("tiny").unet.dtype is torch.float16
    assert np.abs(painted.astype(int) - studio.paint(asked("tiny"))[0]).mean() < 8


def test_damaged_weights_are_told_instead_of_a_black_picture(studio: Studio) -> None:
    name = scaled(studio, "damaged", float("nan"))
    with pytest.raises(RequestError, match="not all of it is numbers") as broken:
        studio.paint(asked(name))
    assert broken.value.code is ErrorCode.MODEL_BROKEN


def test_a_vae_that_overflows_decodes_in_float32(studio: Studio) -> None:
    vae = ModelCache(studio.models.paths, HALF).load("tiny").vae
    latents = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    vae.register_to_config(force_upcast=False)
    with torch.no_grad():
        vae.decoder.conv_in.weight.mul_(1e4)
        vae.decoder.conv_in.weight.clamp_(-6e4, 6e4)
    picture = decode_latents(vae, latents * 50)
    assert bool(torch.isfinite(picture).all())
    assert float(picture.std()) > 0.01
    assert vae.dtype is torch.float16


@pytest.mark.skipif(torch.cuda.is_available(), reason="for a machine without the GPU")
@pytest.mark.parametrize(("chosen", "said"), [("7", 1), ("cpu", 0), ("", 0)])
def test_a_gpu_that_is_not_there_is_told(
    chosen: str, said: int, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERPAINT_GPU", chosen)
    told = Recorder()
    studio.paint(asked("tiny"), told)
    assert sum("GPU 7 of the settings is not there" in warning for warning in told.warnings) == said
