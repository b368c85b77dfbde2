"""A job's acceptance: its row in the table, once for each id."""

from __future__ import annotations

from underpaint.errors import ConnectionLost, ErrorCode, RequestError
from underpaint.requests import REQUEST_KINDS
from underpaint.tree import request_digest, to_json
from underpaint.wire.gallery import MAX_ORIGIN

from ..thread_messages import Checked
from .rows import JobRow, Shown
from .store import Store

_TITLE = 60


def known_job(store: Store, item: Checked, digest: str) -> JobRow | None:
    """The job that was accepted before under this id. Raises RequestError(JOB_ID_REUSED)."""
    known = store.get(item.job)
    if known is not None and known.digest != digest:
        raise RequestError(
            ErrorCode.JOB_ID_REUSED, f"job {item.job} was submitted with another request"
        )
    return known


def accept(store: Store, item: Checked, *, draining: bool) -> tuple[JobRow, bool]:
    """A checked request's row; the bool tells that it was accepted before.

    Raises RequestError: JOB_ID_REUSED, DISK_FULL; `item.problem` unless it is a repetition;
    ConnectionLost while the daemon drains.
    """
    request = item.request
    digest = request_digest(request)
    known = known_job(store, item, digest)
    if known is not None:
        return known, True
    if item.problem is not None:
        raise item.problem
    if draining:
        raise ConnectionLost(
            ErrorCode.DAEMON_LOST, "the daemon is about to stop; submit to the next one"
        )
    kind = next(name for name, cls in REQUEST_KINDS.items() if isinstance(request, cls))
    title = " ".join(request.prompt.text.split())[:_TITLE]
    shown = Shown(request.prompt.text, request.model[:MAX_ORIGIN], item.origin)
    return store.add(item.job, digest, kind, title, to_json(item.settled), shown), False
