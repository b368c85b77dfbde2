"""Small helpers for files that must be whole or absent."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.wire.envelope import Bytes

# EFBIG is what a quota by RLIMIT_FSIZE says.
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


def always() -> bool:
    """The default of `keep`."""
    return True


def write_whole(path: Path, data: Bytes, keep: Callable[[], bool] = always) -> None:
    """Write beside the target, then rename: a reader never sees half a file. Not synced: what
    the kernel holds survives the death of the process. `keep`: asked before the renaming; False
    leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb", buffering=0) as file:
            view = memoryview(data).cast("B")
            while view:
                view = view[file.write(view) or 0 :]
        if keep():
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def is_full(error: OSError) -> bool:
    """Whether the disk or a quota is full."""
    return error.errno in _FULL


def as_error(error: OSError, what: str) -> UnderpaintError:
    """The registered error for a failed file operation."""
    code = ErrorCode.DISK_FULL if is_full(error) else ErrorCode.FILE
    return RequestError(code, f"{what}: {error.strerror or error}")
