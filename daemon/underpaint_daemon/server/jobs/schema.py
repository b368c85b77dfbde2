"""The job table's schema across releases.

`PRAGMA user_version` is the schema's number, and `MIGRATIONS` how to get from each to the next.
A table of a newer release is used as it is while it has our columns; one that cannot be used at
all is put aside under another name. No table stops a start.

Schema 1 used `user_version` to count its starts; it is told by having no `meta` table.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from underpaint.errors import ConnectionLost, ErrorCode

from .database import together

log = logging.getLogger("store")
_FIRST_COLUMNS = (
    *("number", "id", "digest", "kind", "title", "request", "state", "attempts", "created"),
    *("updated", "error", "warnings", "files", "nbytes", "acked", "removed"),
)
_OF_GALLERY = ("model", "origin", "words", "pinned")
_OF_QUEUE = ("paused", "place")
COLUMNS_ADDED = (*_OF_GALLERY, *_OF_QUEUE)
"""Those that the first schema has not."""
COLUMNS = (*_FIRST_COLUMNS, *COLUMNS_ADDED)
_FIRST = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    error TEXT,
    warnings TEXT NOT NULL DEFAULT '[]',
    files TEXT NOT NULL DEFAULT '[]',
    nbytes INTEGER NOT NULL DEFAULT 0,
    acked INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0
)"""
_STATE_INDEX = "CREATE INDEX IF NOT EXISTS jobs_state ON jobs (state, number)"
_CREATED_INDEX = "CREATE INDEX IF NOT EXISTS jobs_created ON jobs (created)"


def _create(db: sqlite3.Connection) -> None:
    for statement in (_FIRST, _STATE_INDEX, _CREATED_INDEX):
        db.execute(statement)


def _count_starts_in_meta(db: sqlite3.Connection) -> None:
    (starts,) = db.execute("PRAGMA user_version").fetchone()
    db.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)")
    db.execute("INSERT INTO meta VALUES ('starts', ?)", (int(starts),))


def _serve_a_gallery(db: sqlite3.Connection) -> None:
    """`words`: the prompt, case folded, to be searched."""
    for name in ("model", "origin", "words"):
        db.execute(f"ALTER TABLE jobs ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE jobs ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0")
    for number, title in db.execute("SELECT number, title FROM jobs").fetchall():
        words = str(title).casefold()
        db.execute("UPDATE jobs SET words = ? WHERE number = ?", (words, number))


def _order_the_queue(db: sqlite3.Connection) -> None:
    """`place`: where a job stands that was moved; NULL: by its number, as it came."""
    db.execute("ALTER TABLE jobs ADD COLUMN paused INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE jobs ADD COLUMN place REAL")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _create,
    _count_starts_in_meta,
    _serve_a_gallery,
    _order_the_queue,
)
"""From each schema to the next; the first makes an empty file's."""
SCHEMA = len(MIGRATIONS)


def open_table(path: Path) -> sqlite3.Connection:
    """The table's connection, at our schema.

    Raises ConnectionLost(DAEMON_START_FAILED) when the file can be neither used nor put aside.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(_Unusable, sqlite3.DatabaseError):
            return _opened(path)
        _put_aside(path)
        return _opened(path)
    except (OSError, _Unusable, sqlite3.DatabaseError) as error:
        raise ConnectionLost(
            ErrorCode.DAEMON_START_FAILED,
            f"the job table {path} cannot be opened: {error}",
            hint="Make its folder writable and free some room (or set UNDERPAINT_DATA to another).",
        ) from error


def count_start(db: sqlite3.Connection) -> int:
    """Note one more start of a daemon on this table; returns how many there were."""
    db.execute("UPDATE meta SET value = value + 1 WHERE name = 'starts'")
    (starts,) = db.execute("SELECT value FROM meta WHERE name = 'starts'").fetchone()
    return int(starts)


class _Unusable(Exception):
    """A table that is not ours to read."""


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        version = _version(db)
        if version:
            _check(db, version)
        _migrate(db, version)
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection, version: int) -> None:
    for number, step in enumerate(MIGRATIONS[version:], version + 1):
        with together(db):
            step(db)
            db.execute(f"PRAGMA user_version = {number}")
        log.info("the job table is now at schema %d", number)


def _version(db: sqlite3.Connection) -> int:
    names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "jobs" not in names:
        return 0
    if "meta" not in names:
        return 1
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _check(db: sqlite3.Connection, version: int) -> None:
    """A newer release may have added columns; ours must be there, and theirs need no value."""
    found = {row[1]: row for row in db.execute("PRAGMA table_info(jobs)")}
    ours = COLUMNS if version >= SCHEMA else _FIRST_COLUMNS
    lacking = [name for name in ours if name not in found]
    needed = [
        name
        for name, (_, _, _, not_null, default, _key) in found.items()
        if name not in COLUMNS and not_null and default is None
    ]
    if lacking or needed:
        raise _Unusable(f"its columns are another release's ({', '.join(lacking + needed)})")
    if version > 1 and not list(db.execute("SELECT 1 FROM meta WHERE name = 'starts'")):
        raise _Unusable("it does not count its starts")


def _put_aside(path: Path) -> None:
    """Keep what cannot be read, under another name."""
    aside = path.with_name(f"{path.stem}-unreadable-{time.strftime('%Y%m%d-%H%M%S')}.db")
    log.warning("the job table cannot be used by this release; it is kept as %s", aside)
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
