"""Curves over the steps."""

from __future__ import annotations

import pytest

from underpaint.requests import Sampler
from underpaint.requests.curves import curve_at, curve_of, curve_text, part_of
from underpaint_daemon.common.defaults.settle import Settled

CURVE = ((0.2, 1.0), (0.6, 2.0), (1.0, 0.0))


@pytest.mark.parametrize(
    ("part", "factor"), [(0.0, 1.0), (0.2, 1.0), (0.4, 1.5), (0.6, 2.0), (0.9, 0.5), (1.0, 0.0)]
)
def test_a_curve_is_straight_between_its_points_and_level_outside(part: float, factor: float):
    assert curve_at(CURVE, part) == pytest.approx(factor)
    assert curve_at((), part) == 1.0
    assert curve_at(((0.5, 0.3),), part) == 0.3


def test_a_curve_is_written_as_it_is_read():
    assert curve_text(CURVE) == "0.2-1,0.6-2,1-0"
    for curve in ((), CURVE, ((0.0, 0.000001), (0.123456, 1.25))):
        assert curve_of("--curve", curve_text(curve) or None) == curve


def test_the_first_step_is_at_0_and_the_last_at_1():
    assert [part_of(step, 5) for step in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert part_of(0, 1) == 0.0


def test_what_is_guided_stays_so_and_what_is_not_does_not_begin_to():
    falling = ((0.0, 1.0), (1.0, 0.0))
    guided = Settled(Sampler.EULER, 3, 7.0, 0, guidance_curve=falling)
    assert [guided.guidance_at(step, 3) for step in range(3)] == [7.0, 3.5, pytest.approx(1.0)]
    assert guided.guidance_at(2, 3) > 1
    assert Settled(Sampler.EULER, 3, 1.0, 0, guidance_curve=((0.0, 2.0),)).guidance_at(0, 3) == 1.0
