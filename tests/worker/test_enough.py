"""“That is enough”: the job stops at this step and keeps the picture as it is by then."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from underpaint.buffers import Kind
from underpaint.requests import ImageRequest, InpaintRequest, Prompt, Sampler, Sampling

from helpers.painting.studio import Recorder, Studio, photo

ASKED = ImageRequest(
    Prompt("a red cube"),
    model="tiny",
    width=64,
    height=64,
    sampling=Sampling(Sampler.DDIM, 12, 2.0, 5),
    controls=(),
)


@pytest.mark.parametrize("sampler", [Sampler.DDIM, Sampler.EULER, Sampler.DPMPP_2M, Sampler.LCM])
def test_the_picture_is_what_the_network_had_in_mind(studio: Studio, sampler: Sampler) -> None:
    request = replace(ASKED, sampling=replace(ASKED.sampling, sampler=sampler))
    told = Recorder(enough_at=5)
    files = studio.run(request, told)
    assert told.steps == 5
    assert any("enough" in warning for warning in told.warnings)
    recipe = json.loads(next(f for f in files if f.name == "image_0.json").data)
    assert recipe["stopped_early"] is True
    early = studio.paint(request, Recorder(enough_at=5))[0].astype(float)
    whole = studio.paint(request)[0].astype(float)
    assert early.std() > 1
    later = studio.paint(request, Recorder(enough_at=11))[0].astype(float)
    assert np.abs(later - whole).mean() <= np.abs(early - whole).mean()


def test_a_picture_painted_to_its_end_does_not_say_so(studio: Studio) -> None:
    files = studio.run(ASKED)
    recipe = json.loads(next(f for f in files if f.name == "image_0.json").data)
    assert "stopped_early" not in recipe


def test_of_a_batch_the_picture_at_work_is_the_last(studio: Studio) -> None:
    request = replace(ASKED, batch=3)
    whole = studio.paint(request)
    kept = studio.paint(request, Recorder(enough_at=14))
    assert len(whole) == 3
    assert len(kept) == 2
    assert np.array_equal(kept[0], whole[0])


def test_what_a_mask_keeps_stays_though_it_was_enough(studio: Studio) -> None:
    image, mask = photo(), np.zeros((64, 64), np.uint8)
    mask[10:40, 10:40] = 255
    request = InpaintRequest(
        Prompt("a blue ball"),
        studio.buffers.add(Kind.COLOR, image),
        studio.buffers.add(Kind.MASK, mask),
        "tiny",
        ASKED.sampling,
    )
    painted = studio.paint(request, Recorder(enough_at=2))[0]
    assert np.array_equal(painted[mask == 0], image[mask == 0])
    assert not np.array_equal(painted, image)
