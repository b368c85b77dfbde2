"""Finished pictures are sharpened as much as the model wants or the artist says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from underpaint.errors import RequestError
from underpaint.paths import Paths
from underpaint.requests import STARTER_MODEL, ImageRequest, Prompt, Sampling, TileAxes
from underpaint_daemon.common.checks.validation import validate
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.worker.pipelines.finishing.sharpen import sharpened

from helpers.painting.studio import Studio

ASKED = ImageRequest(Prompt("a red cube"), model="tiny", width=64, height=64)


def steps_between_pixels(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture.astype(int), axis=1)).mean())


def test_more_is_sharper_and_none_is_the_picture_as_it_was(studio: Studio) -> None:
    plain, none, some, much = (
        studio.paint(replace(ASKED, sampling=Sampling(sharpen=amount)))[0]
        for amount in (None, 0.0, 0.5, 1.5)
    )
    assert np.array_equal(plain, none), "a model that says nothing of it wants none"
    assert steps_between_pixels(plain) < steps_between_pixels(some) < steps_between_pixels(much)
    assert abs(float(some.mean()) - float(plain.mean())) < 2


def test_an_even_picture_and_its_edges_stay() -> None:
    even = torch.full((1, 3, 16, 24), 0.4)
    assert torch.allclose(sharpened(even, 2.0), even, atol=1e-6)
    assert sharpened(even, 0.0) is even


@pytest.mark.parametrize("axes", [TileAxes.X, TileAxes.Y, TileAxes.XY])
def test_what_repeats_is_sharpened_as_its_own_neighbour(axes: TileAxes) -> None:
    tile = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    across, down = axes is not TileAxes.Y, axes is not TileAxes.X
    moved = tile.roll((7 if down else 0, 7 if across else 0), (2, 3))
    back = sharpened(moved, 1.0, axes).roll((-7 if down else 0, -7 if across else 0), (2, 3))
    assert torch.allclose(back, sharpened(tile, 1.0, axes), atol=1e-5)


def test_out_of_range_it_is_refused() -> None:
    with pytest.raises(RequestError, match="sharpen"):
        validate(replace(ASKED, sampling=Sampling(sharpen=3.0)))


def test_a_models_own_wish_is_settled_and_a_hand_goes_before_it(tmp_path: Path) -> None:
    paths = Paths(runtime=tmp_path / "run", data=tmp_path, cache=tmp_path / "cache")
    starter = replace(ASKED, model=STARTER_MODEL)
    own = settle(starter, paths).sampling.sharpen
    assert own is not None
    assert own > 0
    by_hand = settle(replace(starter, sampling=Sampling(sharpen=0.0)), paths)
    assert by_hand.sampling.sharpen == 0
