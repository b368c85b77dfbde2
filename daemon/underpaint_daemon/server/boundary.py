"""The one boundary of the daemon's loops: what nobody foresaw ends a step, not the daemon."""

from __future__ import annotations

import logging
from collections.abc import Callable

from underpaint.errors import ErrorCode, JobFailed, UnderpaintError

log = logging.getLogger("boundary")


def guarded(where: str, step: Callable[[], None]) -> bool:
    """Run one step of a loop; whether it came to its end. Foreseen errors are answered inside of
    it; any other is a bug, logged with its traceback. `where`: the thread, for the log."""
    try:
        step()
    except Exception:
        log.exception("the %s thread met an error it did not foresee", where)
        return False
    return True


def unforeseen() -> UnderpaintError:
    """What whoever asked is told then."""
    return JobFailed(ErrorCode.INTERNAL, "the daemon met an error that it did not foresee")
