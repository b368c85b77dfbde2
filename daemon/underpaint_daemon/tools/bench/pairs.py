"""Two ways to do one thing, timed by turns in several processes, and what is known of it."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Pairs = Sequence[tuple[float, float]]
"""Seconds of both ways, one pair after another, of one process."""

_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's t, two-sided, 95 %, by degrees of freedom from one; of more, the last is safe."""
_MEDIAN_SWAYS = math.sqrt(math.pi / 2)
"""A median's standard error, of the mean's."""


def cpu_seconds(run: Callable[[], Any]) -> float:
    """Of the processor, by this process."""
    began = time.process_time()
    run()
    return time.process_time() - began


def by_turns(ours: Callable[[], Any], theirs: Callable[[], Any], repeats: int) -> Pairs:
    """Seconds of the processor, by this process, each the mean of two: ours, theirs, theirs, ours.

    So neither a drift nor what comes first of two favours one of them: which of two comes first can
    make a tenth, since each finds in the caches what the one before left there.
    """
    pairs = list[tuple[float, float]]()
    for _ in range(repeats):
        first, *between, last = map(cpu_seconds, (ours, theirs, theirs, ours))
        pairs.append(((first + last) / 2, sum(between) / 2))
    return pairs


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as long one way takes; `low` to `high` holds it 19 times of 20."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, processes: Sequence[Pairs]) -> Ratio:
        """The median of the processes' medians.

        A process has one memory layout, which all its pairs share: more pairs in it tell nothing of
        the next. So each process counts once, and the interval is that of the processes' spread,
        which has their pairs' own in it. One process alone says nothing of it: from 0 to infinity.
        """
        medians = [math.log(_median_ratio(pairs)) for pairs in processes]
        middle, half = statistics.median(medians), _half_width(medians)
        return cls(math.exp(middle), math.exp(middle - half), math.exp(middle + half))

    def decides(self, bar: float) -> bool:
        """Whether `bar` lies outside."""
        return self.high <= bar or self.low > bar


def _median_ratio(pairs: Pairs) -> float:
    return statistics.median(ours / theirs for ours, theirs in pairs)


def _half_width(values: Sequence[float]) -> float:
    """Of the interval that holds the median 19 times of 20."""
    freedom = len(values) - 1
    if not freedom:
        return math.inf
    student = _STUDENT[min(freedom, len(_STUDENT)) - 1]
    return _MEDIAN_SWAYS * student * statistics.stdev(values) / math.sqrt(len(values))
