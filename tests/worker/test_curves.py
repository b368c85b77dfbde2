"""Guidance and LoRAs that change over the steps, in pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from underpaint.requests import Control, ControlKind, ImageRequest, Lora, Prompt, Sampling, View

from helpers.painting.studio import Studio

ASKED = ImageRequest(
    Prompt("a red cube", "blue"), "tiny", 64, 64, Sampling(guidance=4.0, steps=4, seed=3)
)
HALF, FALLING = ((0.0, 0.5),), ((0.0, 1.0), (1.0, 0.0))


def test_guidance_follows_its_curve(studio: Studio, view: View) -> None:
    asked = replace(ASKED, view=view, controls=(Control(ControlKind.DEPTH),))

    def painted(**sampling: object) -> np.ndarray:
        return studio.paint(replace(asked, sampling=replace(asked.sampling, **sampling)))[0]

    full, half = painted(), painted(guidance=2.0)
    assert np.array_equal(painted(guidance_curve=((0.0, 1.0), (1.0, 1.0))), full)
    assert np.array_equal(painted(guidance_curve=HALF), half)
    off = painted(guidance_curve=((0.0, 0.0),)).astype(int)
    assert np.abs(off - painted(guidance=1.0)).max() <= 1
    falling = painted(guidance_curve=FALLING)
    assert len({one.tobytes() for one in (full, half, falling)}) == 3


def test_a_lora_follows_its_curve_in_every_picture_of_a_batch(studio: Studio) -> None:
    before = studio.paint(ASKED)[0]

    def painted(*lora: object, **more: object) -> list[np.ndarray]:
        return studio.paint(replace(ASKED, loras=(Lora("style", *lora),), **more))

    assert np.array_equal(painted(1.0, HALF)[0], painted(0.5)[0])
    falling = painted(1.0, FALLING)[0]
    assert len({one.tobytes() for one in (before, falling, painted(1.0)[0])}) == 3
    batch = painted(1.0, FALLING, batch=2, sampling=replace(ASKED.sampling, seed=2))
    assert np.array_equal(batch[1], falling)
    assert np.array_equal(studio.paint(ASKED)[0], before)
