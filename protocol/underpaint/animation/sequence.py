"""A range of frames painted one after another, each from what those before know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..buffers import Buffers
from ..errors import ErrorCode, RequestError
from ..files.recipe import recipe_in, recipe_request
from ..following.leaving import painted_view
from ..requests import ImageRequest, Request
from .asking import Asked, again, as_shown, begun, changes, in_frame, patch, settled, whole
from .captures import Taken
from .depths import looked_at, range_of, ranged, small, wants_range
from .flicker import Flicker
from .folder import Folder, decoded, encoded
from .memory import Painted, Recalled, painted, recall, remembered
from .motion import Mask, grown, outlines, target
from .order import ahead, gone_on
from .sampling import Image8, crumbs, healed, smoothed
from .seams import BORDER, levelled
from .tracks import Track

Paint: TypeAlias = Callable[[Request, Buffers], bytes]
"""A request to the PNG of its picture."""
Take: TypeAlias = Callable[[int, int, int], Taken]
"""Frame, width and height in pixels to what the camera sees."""
PER_FRAME = "per_frame"
_RENEWED = 0.4  # the strength by which paint that is drawn out gets its detail back


@dataclass(frozen=True, slots=True)
class Plan:
    """`size`: width and height to capture for the first picture, which is painted as large as the
    request says; all others are as large as that. `compare`: each frame by itself as well."""

    asked: Asked
    frames: Sequence[int]
    size: tuple[int, int]
    compare: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A frame is done. `resumed`: it was before; `own`: the share of it that it painted itself."""

    frame: int
    resumed: bool
    own: float


@dataclass(slots=True)
class Figures:
    """What is known of a series at its end. Warping errors 0–1; NaN before, and of one frame."""

    flicker: Flicker = field(default_factory=Flicker)
    per_frame: Flicker = field(default_factory=Flicker)


class Animation:
    """One series. `frames` paints it, in an order of its own; then `figures` are known."""

    def __init__(self, plan: Plan, take: Take, paint: Paint, folder: Folder) -> None:
        self._plan, self._take, self._paint, self._folder = plan, take, paint, folder
        self._asked = plan.asked
        self._size = plan.size
        self._settled = False
        self._memory: list[Painted] = []
        self.figures = Figures()

    def frames(self) -> Iterator[Made]:
        """Paint every frame that is not done; each is told when it is. Raises UnderpaintErrors."""
        if len(self._plan.frames) > 1 and wants_range(self._asked):
            self._asked = self._with_range()
        first, *rest = self._plan.frames
        began = self._take(first, *self._size)
        yield self._frame(first, began)
        if not changes(self._asked, began.numbers):
            rest = ahead(self._plan.frames)[1:]
        for frame in gone_on(rest, self._folder.order):
            yield self._frame(frame, self._take(frame, *self._size))
        self._measure()

    def _with_range(self) -> Asked:
        """A longer series that goes on with a shorter one keeps its range."""
        limits = self._folder.depth_range or range_of(self._depths())
        if limits is None:
            return self._asked
        self._folder.depth_range = limits
        return ranged(self._asked, limits)

    def _depths(self) -> Iterator[npt.NDArray[Any]]:
        """Of a few small captures."""
        for frame in looked_at(self._plan.frames):
            taken = self._take(frame, *small(self._plan.size))
            if taken.view.depth is not None:
                yield taken.buffers[taken.view.depth.sha256]

    def _frame(self, frame: int, taken: Taken) -> Made:
        name = f"{frame:04d}"
        data, fresh = self._folder.done(name), self._folder.fresh(name)
        resumed = data is not None and fresh is not None
        if data is None or fresh is None:
            paint = self._next if self._memory else self._first
            data, fresh = paint(in_frame(self._asked, taken), taken)
            self._folder.keep(name, data, fresh)
        picture = decoded(data)
        if not self._settled and fresh.any():
            self._settled = True
            self._asked = settled(self._asked, _settled_request(data, name))
            taken = self._sized(frame, taken, picture)
            fresh = _own(in_frame(self._asked, taken), taken)
        if self._plan.compare:
            self._by_itself(name, taken, data)
        if self._settled:  # before, nothing was painted
            self._memory = remembered([*self._memory, painted(taken.track, picture, fresh)])
        return Made(frame, resumed, float(fresh.mean()))

    def _first(self, asked: Asked, taken: Taken) -> tuple[bytes, Mask]:
        own = _own(asked, taken)
        if not own.any():
            height, width = own.shape
            return encoded(as_shown(asked, taken, np.zeros((height, width, 3), np.uint8))), own
        data = self._paint(*whole(asked, taken))
        return data, own if asked.kept is not None else np.ones(decoded(data).shape[:2], bool)

    def _next(self, asked: Asked, taken: Taken) -> tuple[bytes, Mask]:
        """A frame from what is remembered; what nobody saw is painted."""
        found = recall(taken.track, self._memory)
        own = _own(asked, taken)
        if not (found.known & own).any():
            return self._first(asked, taken)
        found = Recalled(
            as_shown(asked, taken, found.picture), found.known | ~own, found.coarse & own
        )
        holes = ~found.known & ~crumbs(~found.known)
        picture = healed(found.picture, found.known, taken.track.item)
        # Each pixel shows one surface alone, so outlines come out as stairs.
        shown = smoothed(picture, outlines(taken.track) & found.known)
        fresh = np.zeros(holes.shape, bool)
        if holes.any():
            begin, strength = begun(asked, taken, shown, grown(holes, BORDER))
            shown, fresh = self._repainted(asked, taken, shown, holes, begin, strength)
        coarse = found.coarse & ~crumbs(found.coarse) & ~holes
        if coarse.any():
            shown, new = self._repainted(asked, taken, shown, coarse, shown, _RENEWED)
            fresh |= new
        # An outline that was smoothed, and paint beside it, reach over what stays as it is.
        data = encoded(as_shown(asked, taken, shown))
        if asked.refresh > 0:
            data = self._paint(*again(asked, taken, decoded(data), asked.refresh))
            fresh |= True
        return data, fresh & own

    def _repainted(
        self,
        asked: Asked,
        taken: Taken,
        shown: Image8,
        spot: Mask,
        begin: Image8,
        strength: float,
    ) -> tuple[Image8, Mask]:
        """What is shown with a spot painted anew from `begin`, in the light of what is around; and
        where that is."""
        anew = self._paint(*patch(asked, taken, begin, grown(spot, BORDER), strength))
        return levelled(shown, decoded(anew), spot, taken.track)

    def _sized(self, frame: int, taken: Taken, picture: Image8) -> Taken:
        """The capture at the picture's size."""
        height, width = picture.shape[:2]
        self._size = (width, height)
        return taken if taken.track.size == (height, width) else self._take(frame, width, height)

    def _by_itself(self, name: str, taken: Taken, first: bytes) -> None:
        """Paint the frame as if there were no other."""
        own = f"{PER_FRAME}/{name}"
        if self._folder.done(own) is None:
            asked = in_frame(self._asked, taken)
            self._folder.keep(own, self._first(asked, taken)[0] if self._memory else first)

    def _measure(self) -> None:
        """How much the series flickers: each frame beside the one before it."""
        rooms = [("", self.figures.flicker)]
        rooms += [(f"{PER_FRAME}/", self.figures.per_frame)] if self._plan.compare else []
        before: tuple[Track, list[Image8]] | None = None
        for frame in self._plan.frames if len(self._plan.frames) > 1 else ():
            track = self._take(frame, *self._size).track
            shown = [self._picture(f"{room}{frame:04d}") for room, _ in rooms]
            if before is not None:
                there = target(before[0])
                for (_, figure), then, now in zip(rooms, before[1], shown, strict=True):
                    figure.add(there, then, track, now)
            before = track, shown

    def _picture(self, name: str) -> Image8:
        data = self._folder.done(name)
        if data is None:
            where = self._folder.picture(name)
            raise RequestError(ErrorCode.FILE, f"{where} was changed while the series was painted")
        return decoded(data)


def _own(asked: Asked, taken: Taken) -> Mask:
    """Where a frame is painted at all, (h, w)."""
    return np.ones(taken.track.size, bool) if asked.kept is None else ~asked.kept


def _settled_request(data: bytes, name: str) -> ImageRequest:
    painted_by = recipe_request(recipe_in(data, name))
    request = painted_view(painted_by)
    if request is None:
        raise RequestError(ErrorCode.FILE, f"{name}.png was not painted as a whole picture")
    return request
