"""Pictures between their pixels, and the parts of them that are not known."""

from __future__ import annotations

import numpy as np

from underpaint.animation.flicker import Flicker
from underpaint.animation.motion import grown, target
from underpaint.animation.sampling import crumbs, filled, healed, linear_at, sharp_at
from underpaint.animation.seams import BORDER, levelled

from helpers.painting.sliding_card import SIDE, STEP, take

RNG = np.random.default_rng(4)
NOISE = RNG.integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def centres(mask):
    rows, columns = np.nonzero(mask)
    return np.stack([columns + 0.5, rows + 0.5], -1)


def test_at_a_pixels_centre_is_its_colour():
    at = centres(np.ones((SIDE, SIDE), bool))
    for sample in (linear_at, sharp_at):
        assert np.abs(sample(NOISE, at).reshape(NOISE.shape) - NOISE).max() < 1e-3


def test_between_pixels_a_ramp_goes_on_evenly():
    ramp = np.repeat(np.arange(SIDE, dtype=np.float32)[None, :, None], SIDE, 0)
    at = np.array([(10.25, 20.0), (31.9, 5.5), (40.5, 41.75)])
    for sample in (linear_at, sharp_at):
        assert np.abs(sample(ramp, at)[:, 0] - (at[:, 0] - 0.5)).max() < 1e-4


def test_what_is_known_stays_and_the_rest_is_between_its_surroundings():
    known = np.zeros((SIDE, SIDE), bool)
    known[:, :5] = known[:, -7:] = True
    picture = np.where(known[..., None], np.uint8(200), np.uint8(0)).repeat(3, 2)
    picture[:, -7:] = 100
    out = filled(picture, known)
    assert (out[known] == picture[known]).all()
    assert out.min() >= 99
    assert (out[:, 5] > out[:, -8]).all()


def test_nothing_known_is_grey():
    assert (filled(NOISE, np.zeros((SIDE, SIDE), bool)) == 128).all()


def test_a_gap_beside_an_outline_takes_the_colour_of_its_own_side():
    item = np.zeros((20, 20), np.int32)
    item[:, 10:] = 1
    picture = np.where(item[..., None] == 1, np.uint8(250), np.uint8(10)).repeat(3, 2)
    known = np.ones((20, 20), bool)
    known[:, 9:11] = False
    assert (healed(picture, known, item) == picture).all()


def test_thin_gaps_are_crumbs_and_squares_are_not():
    mask = np.zeros((20, 20), bool)
    mask[2, :] = mask[:, 3] = True
    mask[10:14, 10:14] = True
    left = mask & ~crumbs(mask)
    assert (left == np.pad(np.ones((4, 4), bool), ((10, 6), (10, 6)))).all()


def test_a_picture_that_moves_with_its_surface_does_not_flicker_and_one_that_stays_does():
    before, now = take(1).track, take(2).track
    moving, still = Flicker(), Flicker()
    on_card = np.isfinite(now.depth)[..., None]
    moved = np.where(on_card, np.roll(NOISE, STEP, axis=1), NOISE)
    moving.add(target(before), NOISE, now, moved)
    still.add(target(before), NOISE, now, NOISE)
    assert moving.warp_error < 1e-4
    assert still.warp_error > 0.1


def test_a_patch_takes_the_light_of_its_own_surface_and_leaves_others_alone():
    """A spot of what is behind the card, painted fourteen levels too light."""
    track = take(1).track
    card = track.item == 0
    before = np.where(card[..., None], NOISE, np.uint8(90))
    spot = np.zeros(card.shape, bool)
    spot[20:30, 4:18] = True
    assert not (spot & card).any()
    assert (grown(spot, 1) & card).any()
    anew = np.full_like(before, 104)
    out, new = levelled(before, anew, spot, track)
    assert np.abs(out[spot].astype(int) - 90).max() <= 1
    beside = card & grown(spot, 1)
    assert new[spot | beside].all()
    assert not (new & ~grown(spot, BORDER)).any()
    untouched = card & ~beside
    assert (out[untouched] == before[untouched]).all()


def test_what_is_another_thing_is_not_taken_for_light():
    spot = np.zeros((SIDE, SIDE), bool)
    spot[2:8, 2:8] = True
    before, anew = np.full_like(NOISE, 20), np.full_like(NOISE, 220)
    out, _new = levelled(before, anew, spot, take(1).track)
    assert out[spot].min() > 180
