"""A soft painting of a guide's pattern is drawn again; any other picture is left as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import TileAxes
from underpaint_daemon.common.defaults.own_file import own_wants
from underpaint_daemon.worker.guide import guide_control, guide_fields, sawtooth, triangle
from underpaint_daemon.worker.pipelines.finishing.detail import detailed, drawn_again

SIDE = 192
Picture = npt.NDArray[np.float32]
Image8 = npt.NDArray[np.uint8]
Material = Callable[[Picture, Picture, Picture], Picture]
Scene = tuple[Image8, Picture, Picture]


def bricks(u: Picture, v: Picture, noise: Picture) -> Picture:
    across = np.where(v >= 0.5, 1 - u, u)
    rise = 2 * v % 1
    solid = np.clip((np.minimum(1 - across, np.minimum(rise, 1 - rise)) - 0.06) / 0.05, 0, 1)
    return 0.9 + solid[..., None] * ((0.7 + 0.5 * noise)[..., None] * (0.7, 0.25, 0.2) - 0.9)


def stripes(u: Picture, v: Picture, noise: Picture) -> Picture:
    return np.where((v >= 0.5)[..., None], (0.1, 0.2, 0.7), (0.9, 0.85, 0.3))


def moss(u: Picture, v: Picture, noise: Picture) -> Picture:
    return np.where((noise > 0.55)[..., None], (0.2, 0.6, 0.1), (0.4, 0.4, 0.42))


MATERIALS = [bricks, stripes, moss]


def positions(side: int = SIDE, pixels_a_unit: float = 14.0) -> Picture:
    """A wall that is seen straight on, in pattern units."""
    across, down = np.meshgrid(np.arange(side), np.arange(side))
    return np.stack((across, 0 * across, -down), -1).astype(np.float32) / pixels_a_unit


def scene(material: Material) -> Scene:
    """A lit disc of a material before grey: its guide, truth, and where it is."""
    at, side = positions(), np.array([0.0, -1.0, 0.0])
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    disc = np.hypot(x, y) < 0.42
    normal = np.broadcast_to(side, at.shape)
    guide = guide_control(np.where(disc[..., None], at, np.inf), normal, 1.0)
    f = guide_fields(at, normal, 1.0)
    light = (0.75 + 0.5 * x)[..., None]
    painted = np.clip(light * material(triangle(f.u), sawtooth(f.v), f.noise), 0, 1)
    truth = np.where(disc[..., None], painted, 0.5).astype(np.float32)
    return guide, truth, disc


def blurred(picture: Picture, spread: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), spread), np.float32)


def psnr(one: Picture, other: Picture) -> float:
    return float(-10 * np.log10(((one - other) ** 2).mean()))


@pytest.mark.parametrize("spread", [1.4, 1.8, 2.2])
@pytest.mark.parametrize("material", MATERIALS)
def test_what_a_blur_took_from_a_pattern_is_drawn_again(material: Material, spread: float) -> None:
    guide, truth, disc = scene(material)
    soft = blurred(truth, spread)
    found = drawn_again(soft, soft, guide, 1.0)
    inside = cv2.erode(disc.astype(np.uint8), np.ones((13, 13))) > 0
    assert psnr(found[inside], truth[inside]) > psnr(soft[inside], truth[inside]) + 1.2


def other_scale() -> Picture:
    at = positions() * 1.37 + 0.3
    f = guide_fields(at, np.broadcast_to((0.0, -1.0, 0.0), at.shape), 1.0)
    return blurred(bricks(triangle(f.u), sawtooth(f.v), f.noise).astype(np.float32), 1.5)


def cloud(spread: float) -> Picture:
    noise = np.random.default_rng(5).normal(size=(SIDE, SIDE, 3)).astype(np.float32)
    soft = blurred(noise, spread)
    return np.clip(0.5 + 0.2 * soft / soft.std(), 0, 1)


STRANGERS = {
    "bricks of another scale": other_scale(),
    "grain": cloud(1.0),
    "clouds": cloud(4.0),
    "broad clouds": cloud(12.0),
    "black": np.zeros((SIDE, SIDE, 3), np.float32),
    "grey": np.full((SIDE, SIDE, 3), 0.6, np.float32),
    "white": np.ones((SIDE, SIDE, 3), np.float32),
    "a slope": np.linspace(0, 1, SIDE * SIDE * 3, dtype=np.float32).reshape(SIDE, SIDE, 3),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_picture_that_does_not_follow_the_guide_stays(name: str) -> None:
    guide, picture = scene(bricks)[0], STRANGERS[name]
    apart = np.abs(drawn_again(picture, picture, guide, 1.0) - picture) * 255
    assert float(apart.mean()) < 0.3
    assert float(np.percentile(apart, 99)) <= 2


@pytest.mark.parametrize("material", MATERIALS)
def test_nothing_crosses_an_outline(material: Material) -> None:
    guide, truth, disc = scene(material)
    soft, plain = blurred(truth, 1.8), blurred(truth, 1.0)
    found = drawn_again(soft, plain, guide, 1.0)
    assert np.array_equal(found[~disc], plain[~disc])


def test_half_the_amount_is_half_the_effect_and_none_is_none() -> None:
    guide, truth, _ = scene(stripes)
    soft = blurred(truth, 1.8)
    none, half, whole = (drawn_again(soft, soft, guide, amount) for amount in (0.0, 0.5, 1.0))
    assert np.allclose(none, soft, atol=1e-6)
    assert np.allclose(half, (soft + whole) / 2, atol=1e-5)


def tensor(picture: Picture) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None]


def test_without_a_guide_the_picture_is_the_plain_one() -> None:
    plain = tensor(cloud(2.0))
    assert torch.equal(detailed(plain * 0.5, plain, None, 1.0), plain)


@pytest.mark.parametrize("tile", [TileAxes.OFF, TileAxes.XY])
def test_a_tile_still_repeats(tile: TileAxes) -> None:
    """12 units of 14 pixels: as long as the guide's noise takes to repeat."""
    at = positions(168)
    normal = np.broadcast_to((0.0, -1.0, 0.0), at.shape)
    guide, f = guide_control(at, normal, 1.0), guide_fields(at, normal, 1.0)
    truth = bricks(triangle(f.u), sawtooth(f.v), f.noise).astype(np.float32)
    wide = np.pad(truth, ((20, 20), (20, 20), (0, 0)), mode="wrap")
    soft = np.ascontiguousarray(blurred(wide, 1.8)[20:-20, 20:-20])
    found = detailed(tensor(soft), tensor(soft), guide, 1.0, tile)[0].permute(1, 2, 0).numpy()
    away = np.abs(found - truth)
    edge = np.concatenate((away[:3], away[-3:])).mean()
    assert found.shape == truth.shape
    if tile is TileAxes.XY:
        assert edge < 1.3 * away.mean()


def test_a_large_surface_is_read_from_a_part_and_drawn_whole() -> None:
    at = positions(640)
    normal = np.broadcast_to((0.0, -1.0, 0.0), at.shape)
    guide, f = guide_control(at, normal, 1.0), guide_fields(at, normal, 1.0)
    truth = bricks(triangle(f.u), sawtooth(f.v), f.noise).astype(np.float32)
    soft = blurred(truth, 1.8)
    found = drawn_again(soft, soft, guide, 1.0)
    for rows in np.array_split(np.arange(640), 5):
        for columns in np.array_split(np.arange(640), 5):
            block = np.ix_(rows, columns)
            assert psnr(found[block], truth[block]) > psnr(soft[block], truth[block]) + 2


@pytest.mark.parametrize("amount", [-0.1, 1.5, 30.0])
def test_an_amount_that_is_none_is_said_with_its_file(tmp_path: Path, amount: float) -> None:
    (tmp_path / "underpaint.json").write_text(json.dumps({"guide_detail": amount}))
    with pytest.raises(RequestError, match="guide_detail") as caught:
        own_wants(tmp_path)
    assert caught.value.code is ErrorCode.MODEL_BROKEN


def test_single_pixels_that_stand_elsewhere_in_the_pattern_are_not_drawn() -> None:
    guide, truth, disc = scene(bricks)
    soft = blurred(truth, 1.8)
    clean = drawn_again(soft, soft, guide, 1.0)
    torn = guide.copy()
    inside = cv2.erode(disc.astype(np.uint8), np.ones((13, 13))) > 0
    at = tuple(axis[::97] for axis in np.nonzero(inside))
    torn[at] = torn[at][::-1]  # as where its axis changes
    found = drawn_again(soft, soft, torn, 1.0)
    strange = np.abs(torn[at].astype(int) - guide[at]).max(-1) > 100
    apart = np.abs(found[at] - clean[at])[strange].max(-1)
    assert strange.sum() > 50
    assert float(np.percentile(apart, 90)) < 0.2


def red_bricks(u: Picture, v: Picture, noise: Picture) -> Picture:
    plain = bricks(u, v, noise)
    mortar = (plain.min(-1) > 0.85)[..., None]
    return np.asarray(np.where(mortar, 0.85, plain * (1.0, 0.15, 0.1)), np.float32)


@pytest.mark.parametrize("spread", [0.8, 1.4])
def test_grey_between_red_bricks_turns_no_other_hue(spread: float) -> None:
    """Painted sharper than most: what undoes a larger blur goes too far in light alone."""
    guide, truth, disc = scene(red_bricks)
    soft = blurred(truth, spread)
    found = drawn_again(soft, soft, guide, 1.0)
    inside = cv2.erode(disc.astype(np.uint8), np.ones((13, 13))) > 0
    greener = found[inside][:, 1] - found[inside][:, 0]
    assert float(greener.max()) < 0.06
    assert found[inside].std() > soft[inside].std()
