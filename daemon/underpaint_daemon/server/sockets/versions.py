"""What the daemon says to a client of a newer minor version that it does not understand."""

from __future__ import annotations

from underpaint.errors import ErrorCode, ProtocolError, UnderpaintError
from underpaint.tree import UNREAD
from underpaint.wire import limits

_RESTART = (
    "The daemon runs since before an update, or is older than the add-on or client: stop it "
    "(`underpaint daemon stop`), and the next request starts the one that is installed."
)


def told_to(minor: int, error: UnderpaintError) -> UnderpaintError:
    """The error, which for a newer client says that the daemon is the older of the two."""
    strange = error.code is ErrorCode.UNSUPPORTED or error.details.get(UNREAD)
    if minor <= limits.MINOR or not strange:
        return error
    return ProtocolError(
        f"{error.message} (the client speaks 1.{minor}, this daemon 1.{limits.MINOR})",
        code=ErrorCode.UNSUPPORTED,
        hint=_RESTART,
        details=error.details,
    )
