"""Prompts for parts of a picture: each holds in its place, on every family that has a UNet."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import T2IAdapter

from underpaint.buffers import BufferRef, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import (
    STARTER_MODEL,
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Prompt,
    Reference,
    RegionPrompt,
    Sampling,
    TileAxes,
    View,
)
from underpaint_daemon.common.job_contract import JobCancelled

from helpers.painting.studio import Recorder, Studio, photo
from helpers.painting.tiny_model import build_xl

SIDE = 64
ASKED = ImageRequest(Prompt("a red cube", "blue"), model="tiny", width=SIDE, height=SIDE)
OTHER = Prompt("blue stone ball", "red")
DEPTH = (Control(ControlKind.DEPTH),)


def halves(studio: Studio, side: int = SIDE) -> tuple[BufferRef, BufferRef]:
    """Masks of the left and of the right half."""
    left = np.zeros((side, side), np.uint8)
    left[:, : side // 2] = 255
    return studio.buffers.add(Kind.MASK, left), studio.buffers.add(Kind.MASK, 255 - left)


def everywhere(studio: Studio) -> BufferRef:
    return studio.buffers.add(Kind.MASK, np.full((SIDE, SIDE), 255, np.uint8))


@pytest.fixture(scope="module")
def xl(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_xl(tmp_path_factory.mktemp("xl") / "xl"))


def starts(studio: Studio, view: View, xl: str) -> dict[str, Any]:
    """Every way to paint that a UNet has."""
    picture = studio.buffers.add(Kind.COLOR, photo())
    hole, _ = halves(studio)
    return {
        "words": ASKED,
        "unguided": replace(ASKED, sampling=Sampling(guidance=1.0)),
        "repeating": replace(ASKED, tile=TileAxes.XY),
        "a start image": replace(ASKED, init=picture),
        "controls": replace(ASKED, view=view, controls=(*DEPTH, Control(ControlKind.NORMAL))),
        "a reference": replace(ASKED, references=(Reference(image=picture),)),
        "a mask": InpaintRequest(ASKED.prompt, picture, hole, "tiny", view=view, controls=DEPTH),
        "XL": replace(ASKED, model=xl, view=view, controls=DEPTH),
    }


def test_a_region_of_the_whole_picture_is_that_prompts_picture_bit_for_bit(
    studio: Studio, view: View, xl: str
) -> None:
    mask = everywhere(studio)
    for name, asked in starts(studio, view, xl).items():
        plain = studio.paint(asked)[0]
        expected = studio.paint(replace(asked, prompt=OTHER))[0]
        assert not np.array_equal(plain, expected), name
        told = studio.paint(replace(asked, regions=(RegionPrompt(OTHER, mask),)))[0]
        assert np.array_equal(told, expected), name
        kept = studio.paint(replace(asked, regions=(RegionPrompt(OTHER, mask, weight=0.0),)))[0]
        assert np.array_equal(kept, plain), name
        assert np.array_equal(studio.paint(asked)[0], plain), name


def test_a_regions_words_change_mostly_its_region(studio: Studio) -> None:
    left, _ = halves(studio)
    plain = studio.paint(ASKED)[0].astype(float)
    painted = studio.paint(replace(ASKED, regions=(RegionPrompt(OTHER, left),)))[0]
    change = np.abs(painted - plain).mean((0, 2))
    # Four pixels a latent cell, and a few cells that a UNet of two levels looks beyond the border.
    assert change[: SIDE // 2].mean() > 3 * change[SIDE // 2 + 8 :].mean()


def test_regions_lie_over_one_another_and_weights_blend(studio: Studio) -> None:
    mask, (left, right) = everywhere(studio), halves(studio)
    below, above = RegionPrompt(Prompt("stone"), mask), RegionPrompt(OTHER, mask)
    alone = studio.paint(replace(ASKED, regions=(above,)))[0]
    assert np.array_equal(studio.paint(replace(ASKED, regions=(below, above)))[0], alone)
    assert not np.array_equal(studio.paint(replace(ASKED, regions=(above, below)))[0], alone)
    both = (RegionPrompt(OTHER, left), RegionPrompt(OTHER, right))
    assert np.array_equal(studio.paint(replace(ASKED, regions=both))[0], alone)
    plain = studio.paint(ASKED)[0].astype(float)
    far = [
        np.abs(studio.paint(replace(ASKED, regions=(replace(above, weight=w),)))[0] - plain).mean()
        for w in (0.1, 1.0)
    ]
    assert 0 < far[0] < 0.6 * far[1]


def test_objects_are_regions_by_their_ids(studio: Studio, view: View) -> None:
    left, _ = halves(studio)
    ids = np.where(studio.buffers[left.sha256] > 0, 3, 0).astype(np.int32)
    seen = replace(view, object_id=studio.buffers.add(Kind.OBJECT_ID, ids))
    asked = replace(ASKED, view=seen, controls=DEPTH)
    by_mask = studio.paint(replace(asked, regions=(RegionPrompt(OTHER, left),)))[0]
    by_id = replace(asked, regions=(RegionPrompt(OTHER, object_id=3),))
    assert np.array_equal(studio.paint(by_id)[0], by_mask)
    told = Recorder()
    gone = replace(asked, regions=(RegionPrompt(Prompt("gold"), object_id=4),))
    assert np.array_equal(studio.paint(gone, told)[0], studio.paint(asked)[0])
    assert any("'gold' is left out" in line for line in told.warnings)


def test_an_adapter_acts_in_every_pass(studio: Studio, view: View, tmp_path: Path) -> None:
    torch.manual_seed(4)
    adapter = T2IAdapter(3, [16, 32], 2, 8, "full_adapter_xl")
    adapter.save_pretrained(tmp_path / "depth_adapter")
    control = Control(ControlKind.DEPTH, model=str(tmp_path / "depth_adapter"))
    asked = replace(ASKED, view=view, controls=(control,))
    told = replace(asked, regions=(RegionPrompt(OTHER, everywhere(studio)),))
    expected = studio.paint(replace(asked, prompt=OTHER))[0]
    assert np.array_equal(studio.paint(told)[0], expected)
    left, _ = halves(studio)
    half = studio.paint(replace(asked, regions=(RegionPrompt(OTHER, left),)))[0]
    assert not np.array_equal(half, expected)


def test_a_mask_that_marks_nothing_is_refused_and_one_drawn_on_the_view_fits(
    studio: Studio, view: View
) -> None:
    empty = studio.buffers.add(Kind.MASK, np.zeros((SIDE, SIDE), np.uint8))
    with pytest.raises(RequestError, match="marks nothing") as caught:
        studio.paint(replace(ASKED, regions=(RegionPrompt(OTHER, empty),)))
    assert caught.value.code is ErrorCode.BAD_BUFFER
    larger = replace(ASKED, width=96, height=96, view=view, controls=())
    left, _ = halves(studio)
    told = studio.paint(replace(larger, regions=(RegionPrompt(OTHER, left),)))[0]
    exact, _ = halves(studio, 96)
    same = studio.paint(replace(larger, regions=(RegionPrompt(OTHER, exact),)))[0]
    assert np.abs(told.astype(int) - same).mean() < 2


def test_the_recipe_has_the_regions_with_their_words_settled(studio: Studio) -> None:
    region = RegionPrompt(Prompt("{red|blue} stone"), halves(studio)[0], weight=0.5)
    asked = replace(ASKED, regions=(region,), sampling=Sampling(steps=1, seed=3))
    (recipe,) = (a for a in studio.run(asked) if a.name == "image_0.json")
    (said,) = json.loads(recipe.data)["request"]["regions"]
    assert said["prompt"]["text"] in ("red stone", "blue stone")
    assert said["weight"] == 0.5
    assert said["mask"]["sha256"] == region.mask.sha256


def test_networks_are_as_before_when_it_is_stopped(studio: Studio) -> None:
    unet = studio.models.load("tiny").unet
    before = dict(unet.__dict__)
    asked = replace(ASKED, regions=(RegionPrompt(OTHER, everywhere(studio)),))
    with pytest.raises(JobCancelled):
        studio.run(asked, Recorder(cancel_at=2))
    assert dict(unet.__dict__) == before


@pytest.mark.slow
def test_the_starter_paints_bricks_here_and_moss_there(studio: Studio) -> None:
    side = 192
    left, right = halves(studio, side)
    asked = ImageRequest(
        Prompt("a wall"),
        STARTER_MODEL,
        side,
        side,
        regions=(
            RegionPrompt(Prompt("red bricks"), left),
            RegionPrompt(Prompt("moss"), right),
        ),
        tile=TileAxes.OFF,
    )
    picture = studio.paint(asked)[0].astype(float)
    redder = picture[..., 0] - picture[..., 1]
    assert redder[:, : side // 2].mean() > redder[:, side // 2 :].mean() + 30
