"""A VAE that learnt on small windows is given windows again, and nothing shows where they meet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import TileAxes
from underpaint_daemon.common.defaults.own_file import own_wants
from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.worker.pipelines.finishing.decoding import decoded_by
from underpaint_daemon.worker.pipelines.finishing.windows import in_windows
from underpaint_daemon.worker.pipelines.latents import encode_images

SIZES = [(16, 16), (7, 40), (16, 17), (64, 33)]


def larger(latents: Tensor) -> Tensor:
    assert max(latents.shape[2:]) <= 16
    return functional.interpolate(latents[:, :3], scale_factor=4.0)


@pytest.mark.parametrize("tile", list(TileAxes))
@pytest.mark.parametrize("size", SIZES)
def test_windows_of_a_decoder_that_looks_at_cells_alone_are_the_whole(
    size: tuple[int, int], tile: TileAxes
) -> None:
    latents = torch.rand(2, 4, *size, generator=torch.Generator().manual_seed(0))
    whole = functional.interpolate(latents[:, :3], scale_factor=4.0)
    assert torch.allclose(in_windows(latents, 16, 4, larger, tile), whole, atol=1e-5)


def darker_at_the_edge(latents: Tensor) -> Tensor:
    """A decoder that knows where its window ends."""
    pixels = larger(latents)
    pixels[..., :1] = pixels[..., -1:] = 0
    return pixels


def test_where_a_picture_repeats_no_window_ends_at_its_edge() -> None:
    even = torch.ones(1, 4, 16, 64)
    plain = in_windows(even, 16, 4, darker_at_the_edge)
    repeating = in_windows(even, 16, 4, darker_at_the_edge, TileAxes.X)
    assert float(plain[..., 0].max()) == 0
    assert float(repeating[..., 0].min()) > 0.5
    inside = (repeating[..., 1:] - repeating[..., :-1]).abs().max()
    assert float((repeating[..., 0] - repeating[..., -1]).abs().max()) <= float(inside)


@pytest.mark.parametrize(
    ("size", "whole"), [((32, 32), True), ((26, 38), True), ((52, 19), True), ((52, 76), False)]
)
def test_small_pictures_of_any_shape_are_decoded_at_once(
    size: tuple[int, int], whole: bool
) -> None:
    from diffusers import AutoencoderKL

    vae, seen = AutoencoderKL.from_pretrained(starter_folder(), subfolder="vae"), []
    vae.decoder.register_forward_hook(lambda _vae, given, _picture: seen.append(given[0].shape))
    picture = decoded_by(vae, torch.zeros(1, 4, *size), 64)
    assert picture.shape[2:] == (size[0] * 4, size[1] * 4)
    assert ([tuple(shape[2:]) for shape in seen] == [size]) is whole


@pytest.mark.parametrize("side", [192, 256])
def test_the_starter_keeps_the_lightness_of_an_even_surface(side: int) -> None:
    from diffusers import AutoencoderKL

    vae = AutoencoderKL.from_pretrained(starter_folder(), subfolder="vae")
    window = own_wants(starter_folder()).decode_window
    for level in (60, 128, 232):
        latents = encode_images(vae, torch.full((1, 3, side, side), level / 255))
        seen = decoded_by(vae, latents, window) * 255
        assert abs(float(seen.mean()) - level) < 2.5, level


@pytest.mark.parametrize("window", [0, -64, 7, 65])
def test_a_window_that_is_none_is_said_with_its_file(tmp_path: Path, window: int) -> None:
    (tmp_path / "underpaint.json").write_text(json.dumps({"decode_window": window}))
    with pytest.raises(RequestError, match="decode_window") as caught:
        own_wants(tmp_path)
    assert caught.value.code is ErrorCode.MODEL_BROKEN
