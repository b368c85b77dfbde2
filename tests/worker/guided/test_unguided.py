"""Where no guide led, ground and sky are calm; things, and what one began from, stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from underpaint_daemon.worker.pipelines.finishing.unguided import Kept, smoothed_unguided

SIDE = 160
HORIZON = 50
THING = (slice(70, 130), slice(40, 100))


def scene() -> tuple[np.ndarray, np.ndarray, Tensor]:
    """Guide and depth of a thing on a ground under a sky, and a clean picture of it."""
    guide = np.full((SIDE, SIDE, 3), 128, np.uint8)
    guide[THING] = (90, 30, 200)
    depth = np.full((SIDE, SIDE, 3), 60, np.uint8)
    depth[:HORIZON] = 0
    clean = torch.empty(1, 3, SIDE, SIDE)
    clean[..., HORIZON:, :] = torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1)
    clean[..., :HORIZON, :] = torch.tensor([0.6, 0.7, 0.8]).view(1, 3, 1, 1)
    clean[..., THING[0], THING[1]] = torch.tensor([0.8, 0.1, 0.1]).view(1, 3, 1, 1)
    return guide, depth, clean


def noise(deviation: float) -> Tensor:
    drawn = torch.randn(1, 3, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(3))
    return deviation * torch.nn.functional.interpolate(drawn, (SIDE, SIDE), mode="bilinear")


def away(picture: Tensor, clean: Tensor, *place: slice) -> float:
    return float((picture - clean)[(..., *place)].abs().mean())


def test_mush_goes_and_things_stay_to_the_bit() -> None:
    guide, depth, clean = scene()
    mushy = (clean + noise(0.05)).clamp(0, 1)
    calm = smoothed_unguided(mushy, guide, depth)
    assert torch.equal(calm[..., THING[0], THING[1]], mushy[..., THING[0], THING[1]])
    ground = (slice(HORIZON + 4, 66), slice(None))
    assert away(calm, clean, *ground) < 0.4 * away(mushy, clean, *ground)


def test_no_colour_runs_into_another_part() -> None:
    guide, depth, clean = scene()
    calm = smoothed_unguided(clean, guide, depth)
    assert float((calm - clean).abs().max()) < 1e-3


def test_a_strong_edge_on_the_ground_stays() -> None:
    guide, _, clean = scene()
    shaded = clean.clone()
    shaded[..., 20:, :30] = 0.0
    calm = smoothed_unguided(shaded, guide)
    before = (shaded[..., 100, 20] - shaded[..., 100, 38]).abs().mean()
    after = (calm[..., 100, 20] - calm[..., 100, 38]).abs().mean()
    assert float(after) > 0.7 * float(before)


def test_what_one_began_from_keeps_its_details_at_a_small_strength() -> None:
    guide, depth, clean = scene()
    start = (clean + noise(0.1)).clamp(0, 1)
    repainted = (start + noise(0.04).flip(-1)).clamp(0, 1)
    calm = smoothed_unguided(repainted, guide, depth, Kept(start, 0.7))
    ground = (slice(135, None), slice(None))
    assert away(calm, start, *ground) < away(repainted, start, *ground)


def test_a_picture_that_is_led_everywhere_is_left_alone() -> None:
    _, depth, clean = scene()
    led = np.full((SIDE, SIDE, 3), 40, np.uint8)
    assert torch.equal(smoothed_unguided(clean, led, depth), clean)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (64, 500), (700, 90)])
def test_any_size_is_read(height: int, width: int) -> None:
    guide = np.full((height, width, 3), 128, np.uint8)
    even = torch.full((1, 3, height, width), 0.3)
    assert torch.allclose(smoothed_unguided(even, guide), even, atol=1e-4)
