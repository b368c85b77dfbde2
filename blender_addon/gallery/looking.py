"""What the gallery shows, asked of the daemon in threads. No bpy.

The panel draws what is known here; the pump's `tick` asks when something else is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from underpaint.client import Client
from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.requests import Request
from underpaint.tree import from_plain
from underpaint.wire.messages import Gallery, GalleryList, PictureInfo

from ..link.session import Session

PAGE = 12
_MOST_SMALL = 240
Small = npt.NDArray[np.uint8]


@dataclass(slots=True, eq=False)
class Looking:
    """`seen`: the panel was drawn, so somebody looks. `wanted`: what is to be shown; `shown`: what
    `pictures` are. `earlier`: where each page before this one began. `chosen`: the picture whose
    buttons are shown, and its `request` once it is there. `small`: thumbnails, (h, w, 3) uint8,
    by job; `fresh`: those to be made icons of. `changes`: counts what the panel shows.
    """

    session: Session
    seen: bool = False
    wanted: GalleryList = field(default_factory=lambda: GalleryList(limit=PAGE + 1))
    shown: GalleryList | None = None
    pictures: tuple[PictureInfo, ...] = ()
    more: bool = False
    models: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    earlier: list[float | None] = field(default_factory=list)
    chosen: PictureInfo | None = None
    request: Request | None = None
    small: dict[str, Small] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    error: UnderpaintError | None = None
    changes: int = 0

    @property
    def waits(self) -> bool:
        """Whether something is still to be shown by the next ticks."""
        return self.seen and (bool(self.fresh) or self.shown != self.wanted)

    def search(self, words: str, model: str, origin: str, pinned: bool) -> None:
        """Want what these find, from the newest on."""
        asked = GalleryList(words, model, origin, pinned, PAGE + 1, self.wanted.before)
        if asked != self.wanted:
            self.wanted = replace(asked, before=None)
            self.earlier.clear()

    def turn(self, by: int) -> None:
        """The next page (by > 0) or the one before."""
        if by > 0 and self.more:
            self.earlier.append(self.wanted.before)
            self.wanted = replace(self.wanted, before=self.pictures[-1].created)
        elif by < 0 and self.earlier:
            self.wanted = replace(self.wanted, before=self.earlier.pop())

    def refresh(self) -> None:
        """Something was painted, pinned or removed."""
        self.shown = None

    def tick(self) -> None:
        """Ask for what is wanted, if somebody looks and the daemon answers."""
        if self.seen and self.shown != self.wanted and self.session.reachable:
            self.shown = asked = self.wanted
            came = partial(self._take, asked)
            self.session.ask(lambda up: up.gallery(asked), came, self.fail)

    def choose(self, job: str) -> None:
        """Show a picture's buttons. Raises RequestError for one that is not in the gallery."""
        chosen = next((picture for picture in self.pictures if picture.job == job), None)
        if chosen is None:
            raise RequestError(
                ErrorCode.JOB_UNKNOWN,
                f"painting {job!r} is not on this page of the gallery",
                hint="Search for it, or turn the page.",
            )
        self.chosen, self.request = chosen, None
        self.changes += 1
        self.session.ask(lambda up: _request(up, job), partial(self._know, job), self.fail)

    def require(self, job: str) -> tuple[PictureInfo, Request]:
        """The chosen picture with its request. Raises RequestError while it is not there."""
        if self.chosen is None or self.request is None or job not in ("", self.chosen.job):
            raise RequestError(
                ErrorCode.JOB_UNKNOWN,
                "the gallery does not know this painting's settings yet",
                hint="Choose the painting first, and try again in a moment.",
            )
        return self.chosen, self.request

    def pin(self, job: str, pinned: bool) -> None:
        """Keep a painting whatever room it takes, or no longer."""
        if self.chosen is not None and self.chosen.job == job:
            self.chosen = replace(self.chosen, pinned=pinned)
        self.session.ask(lambda up: up.pin(job, pinned), self._changed, self.fail)

    def remove(self, job: str) -> None:
        """Remove a painting from this machine."""
        if self.chosen is not None and self.chosen.job == job:
            self.chosen = self.request = None
        self.session.ask(lambda up: up.remove(job), self._changed, self.fail)

    # ---- what comes ------------------------------------------------------------------------

    def _take(self, asked: GalleryList, found: Gallery) -> None:
        if asked != self.wanted:
            return
        self.error = None
        self.pictures, self.more = found.pictures[:PAGE], len(found.pictures) > PAGE
        self.models, self.origins = found.models, found.origins
        self.changes += 1
        for picture in self.pictures:
            if picture.job not in self.small:
                came = partial(self._take_small, picture.job)
                self.session.ask(partial(_thumbnail, picture), came, _left_blank)

    def _take_small(self, job: str, image: Small) -> None:
        self.small[job] = image
        self.fresh.append(job)
        while len(self.small) > _MOST_SMALL:
            self.small.pop(next(iter(self.small)))
        self.changes += 1

    def _know(self, job: str, request: Request) -> None:
        if self.chosen is not None and self.chosen.job == job:
            self.request = request
            self.changes += 1

    def _changed(self, _nothing: None) -> None:
        self.refresh()

    def fail(self, error: UnderpaintError) -> None:
        """Show why something could not be had."""
        self.error = error
        self.changes += 1


def _request(up: Client, job: str) -> Request:
    return from_plain(up.request_of(job))


def _thumbnail(picture: PictureInfo, up: Client) -> Small:
    return up.thumbnail(picture)


def _left_blank(_error: UnderpaintError) -> None:
    """A picture whose files went meanwhile: the next look leaves it out."""
