"""Two ways to do one thing, timed by turns until it is decided on which side of a bar they are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

Pairs = Sequence[tuple[float, float]]

_TWO_SIDED = 1.96  # standard deviations: 95 %


def by_turns(
    ours: Callable[[], Any], theirs: Callable[[], Any], bar: float, repeats: int, seconds: float
) -> Pairs:
    """Seconds of this process's processor of both, in pairs; each comes first in every other one.

    At least `repeats` pairs; then until they have decided, or took `seconds` in all.
    """
    pairs = list[tuple[float, float]]()
    while len(pairs) < repeats or not (decided(pairs, bar) or sum(map(sum, pairs)) >= seconds):
        if len(pairs) % 2:
            later = _seconds(theirs)
            pairs.append((_seconds(ours), later))
        else:
            pairs.append((_seconds(ours), _seconds(theirs)))
    return pairs


def decided(pairs: Pairs, bar: float) -> bool:
    """Whether `bar` lies outside the interval that holds the ratio's median 19 times of 20: from
    the k-th smallest ratio to the k-th largest (Conover, Practical Nonparametric Statistics)."""
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    outside = max(0, int((len(ratios) - _TWO_SIDED * math.sqrt(len(ratios))) / 2))
    return ratios[-1 - outside] <= bar or ratios[outside] > bar


def _seconds(run: Callable[[], Any]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began
