"""What the bar of a painting says, from what the daemon tells phase by phase."""

from __future__ import annotations

import pytest

from blender_addon.plain.progress import PHASES, rounded, seconds_left, whole

ORDER = ("queued", "running", "loading", "encoding", "denoising", "decoding", "saving", "fetching")


@pytest.mark.parametrize("texture", [False, True])
def test_the_bar_goes_forward_through_the_phases_and_ends_full(texture):
    told = [whole(name, part, texture=texture) for name in ORDER for part in (0.0, 0.5, 1.0)]
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == pytest.approx(1.0)
    assert set(ORDER) <= set(PHASES)


def test_what_comes_after_a_phase_is_counted_into_the_time_that_is_left():
    half = seconds_left("denoising", 10.0, 10.0, texture=True)
    assert half is not None
    assert half > 30, "decoding and projecting come after it"
    late = seconds_left("decoding", 30.0, 0.0, texture=True)
    assert late is not None
    assert 5 < late < half, "the last picture of a phase is not the end of the whole"
    assert seconds_left("loading", 1.0, 1.0, texture=False) is None
    assert seconds_left("denoising", 1.0, None, texture=False) is None


def test_time_is_told_no_more_exactly_than_it_is_known():
    assert rounded(3.4) == (3, False)
    assert rounded(0.2) == (1, False)
    assert rounded(43.0) == (45, False)
    assert rounded(130.0) == (2, True)
