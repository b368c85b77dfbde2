"""The order in which the frames of a series are painted.

What comes out from behind something would come in strips, one frame after the other, each painted
by itself beside the last. Painted from far apart to near, a whole stretch of it is seen, and
painted, at once, and the frames between find it there.
"""

from __future__ import annotations

from collections.abc import Sequence

_STRETCH = 16  # frames from one that is painted ahead to the next


def ahead(frames: Sequence[int]) -> list[int]:
    """The first frame, then for each stretch its last one and those between, by halves."""
    out, begin = [*frames[:1]], 0
    while begin < len(frames) - 1:
        end = min(begin + _STRETCH, len(frames) - 1)
        out += [frames[end], *_between(frames, begin, end)]
        begin = end
    return out


def gone_on(frames: Sequence[int], before: Sequence[int]) -> list[int]:
    """`frames` in their order, those that were painted `before` first and in that order: a longer
    series is painted on from all that a shorter one knew."""
    known = [frame for frame in before if frame in frames]
    return [*known, *(frame for frame in frames if frame not in known)]


def _between(frames: Sequence[int], begin: int, end: int) -> list[int]:
    if end - begin < 2:
        return []
    middle = (begin + end) // 2
    return [
        frames[middle], *_between(frames, begin, middle), *_between(frames, middle, end)
    ]  # fmt: skip
