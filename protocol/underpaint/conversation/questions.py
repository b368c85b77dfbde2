"""What a client asks of the daemon that is of no job in hand: the list of jobs, all that was
painted, the models, how the daemon is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..wire import limits
from ..wire import messages as m
from ..wire.messages import JobInfo
from .exchange import Exchange
from .transfer import Transfer


class Questions:
    """The part of a client that asks. Each call blocks until the answer; raises RequestError,
    ConnectionLost."""

    def __init__(self, exchange: Exchange, transfer: Transfer) -> None:
        self._exchange = exchange
        self._transfer = transfer

    # ---- jobs ------------------------------------------------------------------------------

    def jobs(self, limit: int = limits.MAX_JOBS_LISTED) -> list[JobInfo]:
        """The daemon's jobs, newest first."""
        found: list[JobInfo] = []
        while len(found) < limit:
            page = min(limit - len(found), limits.MAX_JOBS_LISTED)
            before = found[-1].created if found else None
            listed = self._exchange.ask(m.Jobs, m.JobsList(page, before))
            found.extend(listed.jobs)
            if len(listed.jobs) < page:
                break
        return found

    def request_of(self, job_id: str) -> m.Plain:
        """The request of a job, as `tree.to_plain` gives it."""
        return self._exchange.ask(m.JobOk, m.JobGet(job_id)).request

    # ---- the gallery -----------------------------------------------------------------------

    def gallery(self, asked: m.GalleryList | None = None) -> m.Gallery:
        """What was painted on this machine and is still here, newest first."""
        return self._exchange.ask(m.Gallery, asked or m.GalleryList())

    def thumbnail(self, picture: m.PictureInfo) -> npt.NDArray[np.uint8]:
        """A small picture of a painting: (h, w, 3) uint8 sRGB, at most 128 a side."""
        return self._transfer.thumbnail(m.ThumbnailGet(picture.job, picture.name))

    def pin(self, job: str, pinned: bool = True) -> None:
        """Keep a painting's files whatever room they take, or no longer."""
        self._exchange.ask(m.GalleryPinOk, m.GalleryPin(job, pinned))

    def remove(self, job: str) -> None:
        """Remove a job that has ended, and its files, for good. Raises RequestError."""
        self._exchange.ask(m.GalleryRemoveOk, m.GalleryRemove(job))

    # ---- the daemon ------------------------------------------------------------------------

    def models(self) -> list[m.ModelInfo]:
        """The models that the daemon can run."""
        return list(self._exchange.ask(m.Models, m.ModelsList()).models)

    def status(self) -> m.StatusOk:
        """What the daemon is doing."""
        return self._exchange.ask(m.StatusOk, m.Status(), start=False)

    def ping(self, timeout: float = 5.0) -> m.Pong:
        """Ask for a sign of life."""
        return self._exchange.ask(m.Pong, m.Ping(), timeout, start=False)

    def log(self, lines: int = 50) -> list[str]:
        """The last lines of the daemon's log."""
        return list(self._exchange.ask(m.Log, m.LogTail(lines), start=False).lines)

    def shutdown(self, *, now: bool = False) -> None:
        """Stop the daemon: after the running job, or now. Queued jobs are kept."""
        when = m.ShutdownWhen.NOW if now else m.ShutdownWhen.IDLE
        self._exchange.ask(m.Bye, m.Shutdown(when), start=False)
