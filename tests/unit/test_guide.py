"""The guide control: anchored to the surface, moved by its seed, silent where it cannot be seen."""

import numpy as np
import numpy.typing as npt

from underpaint_daemon.worker.guide import (
    NEUTRAL,
    NOISE_PERIOD,
    guide_control,
    guide_fields,
    triangle,
)

Floats = npt.NDArray[np.float64]


def _wall(size: int, metres: float) -> tuple[Floats, Floats]:
    """A wall that faces -Y, seen from the front: positions and normals (size, size, 3)."""
    across = (np.arange(size) + 0.5) / size * metres
    position = np.zeros((size, size, 3))
    position[..., 0], position[..., 2] = across[None], metres - across[:, None]
    normal = np.zeros_like(position)
    normal[..., 1] = -1
    return position, normal


def test_a_spot_keeps_its_colour_when_the_camera_moves() -> None:
    position, normal = _wall(96, 1.0)
    whole = guide_control(position, normal, 0.1, 3)
    part = guide_control(position[20:60, 30:80], normal[20:60, 30:80], 0.1, 3)
    assert np.array_equal(whole[21:59, 31:79], part[1:-1, 1:-1])


def test_rows_rise_upwards_and_repeat_after_two() -> None:
    position, normal = _wall(96, 0.8)
    green = guide_control(position, normal, 0.1, 0)[:, 40, 1].astype(int)
    assert np.abs(green[24:] - green[:-24]).max() <= 1  # 24 px are two units of ten centimetres
    rises = np.diff(green[::-1]) > 0
    assert rises.sum() > 0.9 * len(rises)


def test_the_seed_moves_the_pattern_and_the_size_scales_it() -> None:
    position, normal = _wall(64, 1.0)
    first, second = (guide_control(position, normal, 0.15, seed) for seed in (1, 2))
    assert np.abs(first.astype(int) - second).mean() > 20
    twice = guide_fields(position * 2, normal, 0.3, 1)
    assert np.allclose(twice.u, guide_fields(position, normal, 0.15, 1).u, atol=1e-5)


def test_background_and_patterns_too_small_to_see_are_neutral() -> None:
    position, normal = _wall(64, 1.0)
    position[:20] = np.inf
    guide = guide_control(position, normal, 0.1)
    assert (guide[:20] == NEUTRAL).all()
    assert guide[20:].std() > 40
    small = guide_control(position, normal, 0.03)
    assert np.abs(small.astype(int) - NEUTRAL).max() == 1
    assert (small == NEUTRAL).all(-1)[:20].all()
    assert not (small == NEUTRAL).all(-1)[20:].any(), "a surface is told from none"


def test_a_tile_of_twelve_units_repeats_without_a_seam() -> None:
    position, normal = _wall(96, 1.0)
    moved = position.copy()
    moved[..., 0] += 1.0
    size = 1.0 / NOISE_PERIOD
    first, second = (guide_fields(at, normal, size, 5) for at in (position, moved))
    assert np.allclose(first.noise, second.noise, atol=2e-3)
    assert np.allclose(triangle(second.u), triangle(first.u), atol=1e-4)


def test_own_coordinates_take_the_place_of_the_projected_ones() -> None:
    position, normal = _wall(64, 1.0)
    uv = np.stack((position[..., 2], position[..., 0]), -1) * 10
    turned = guide_fields(position, normal, 0.1, 4, uv)
    assert np.allclose(np.diff(turned.u[:, 0]), -10 / 64, atol=1e-4)
    assert np.allclose(np.diff(turned.v[0]), 10 / 64, atol=1e-4)
