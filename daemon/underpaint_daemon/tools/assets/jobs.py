"""Jobs of a folder of assets, one after another without a pause: while one is painted, the next is
read and handed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

_AHEAD = 2
T = TypeVar("T")
R = TypeVar("R")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Seconds:
    """Where an asset's time went. waiting: from handing the job over until it ran. job: while it
    ran."""

    reading: float
    waiting: float
    job: float
    writing: float


def pipelined(
    items: Iterable[T], begin: Callable[[T], R], end: Callable[[R], Done]
) -> Iterator[Done]:
    """`end(begin(item))` of each item, in order; one is begun before the one before it has ended.
    On an exception those that were begun are left as they are."""
    begun = list[R]()
    for item in items:
        begun.append(begin(item))
        if len(begun) == _AHEAD:
            yield end(begun.pop(0))
    while begun:
        yield end(begun.pop(0))
