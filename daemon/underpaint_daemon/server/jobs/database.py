"""How the job table's file is written: all or nothing, and what it refuses in words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError


def wal_checkpoint(path: Path) -> None:
    """Move the log into the database file, from any thread: it syncs, so never on the control
    thread. Writers are not held up. A full disk only puts it off."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")


@contextmanager
def together(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


@contextmanager
def disk_full() -> Iterator[None]:
    """What SQLite refuses, in words. Raises RequestError: DISK_FULL, FILE."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise RequestError(
                ErrorCode.FILE,
                "another program has the job table (jobs.db) locked",
                hint="Close what has it open (a backup, a table viewer), then try again.",
            ) from error
        raise RequestError(ErrorCode.DISK_FULL, f"the job table cannot grow: {error}") from error
