"""The job table: SQLite in WAL mode, the one truth about jobs.

One connection, used by the control thread only. A row is committed before anybody is told.
`synchronous=NORMAL` does not sync at each commit: what is committed survives the death of the
process (it is in the kernel), and a power cut can cost the last moments but no consistency.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, RequestError
from underpaint.wire.messages import FileInfo, JobState

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
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
);
CREATE INDEX IF NOT EXISTS jobs_state ON jobs (state, number);
CREATE INDEX IF NOT EXISTS jobs_created ON jobs (created);
"""
_COLUMNS = (
    "number, id, digest, kind, title, request, state, attempts, created, updated, error, "
    "warnings, files, nbytes, acked, removed"
)
_BUSY_MS = 10
_TERMINAL = tuple(state.value for state in JobState if state.terminal)


@dataclass(frozen=True, slots=True)
class Job:
    """A row. `request`: canonical JSON. `attempts`: how often it was started. `removed`: its
    files were removed to make room."""

    number: int
    id: str
    digest: str
    kind: str
    title: str
    request: str
    state: JobState
    attempts: int
    created: float
    updated: float
    error: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[FileInfo, ...] = field(default=())
    nbytes: int = 0
    acked: bool = False
    removed: bool = False


class Store:
    """Jobs on disk. Every method that writes raises RequestError when it cannot: DISK_FULL, or
    FILE while another program has the table locked."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=5.0, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        # Checkpoints sync: `checkpoint` does them where nobody waits.
        self._db.execute("PRAGMA wal_autocheckpoint=0")
        self._db.executescript(_SCHEMA)
        (starts,) = self._db.execute("PRAGMA user_version").fetchone()
        self.starts = int(starts) + 1
        """How often this table was opened; later lives of the daemon count on from here."""
        self._db.execute(f"PRAGMA user_version = {self.starts}")
        # Nobody else writes here. Whoever does (a backup, a table viewer) must not hold up a ping.
        self._db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")

    def close(self) -> None:
        self._db.close()

    def add(self, id: str, digest: str, kind: str, title: str, request: str) -> Job:
        """A new queued job. The id must not be there yet."""
        now = time.time()
        with _disk():
            self._db.execute(
                "INSERT INTO jobs (id, digest, kind, title, request, state, created, updated) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (id, digest, kind, title, request, JobState.QUEUED.value, now, now),
            )
        return self.require(id)

    def get(self, id: str) -> Job | None:
        """The job of this id, or None."""
        return self._one("WHERE id = ?", (id,))

    def require(self, id: str) -> Job:
        """The job of this id. Raises RequestError(JOB_UNKNOWN)."""
        job = self.get(id)
        if job is None:
            raise RequestError(ErrorCode.JOB_UNKNOWN, f"there is no job {id}")
        return job

    def next_queued(self) -> Job | None:
        """The queued job that was submitted first."""
        return self._one("WHERE state = 'queued' ORDER BY number LIMIT 1")

    def unfinished(self) -> list[Job]:
        """Every job that is not terminal, in the order of submission."""
        marks = ",".join("?" * len(_TERMINAL))
        return self._many(f"WHERE state NOT IN ({marks}) ORDER BY number", _TERMINAL)

    def newest(self, limit: int, before: float | None) -> list[Job]:
        """Newest first; with `before`, only jobs created before that Unix time."""
        if before is None:
            return self._many("ORDER BY number DESC LIMIT ?", (limit,))
        return self._many("WHERE created < ? ORDER BY number DESC LIMIT ?", (before, limit))

    def queued_before(self, job: Job) -> int:
        """How many queued jobs come before this one."""
        return self._count("WHERE state = 'queued' AND number < ?", (job.number,))

    def queued(self) -> int:
        return self._count("WHERE state = 'queued'")

    def start(self, id: str) -> Job:
        """queued → starting; counts the attempt."""
        return self._update(id, "state = ?, attempts = attempts + 1", (JobState.STARTING.value,))

    def advance(self, id: str, state: JobState) -> Job:
        """To another state that is not terminal."""
        return self._update(id, "state = ?", (state.value,))

    def requeue(self, id: str, *, count_attempt: bool = True) -> Job:
        """Back into the queue at its old place. Without `count_attempt` the attempt that was
        under way is forgotten: it was interrupted on purpose."""
        back = 0 if count_attempt else 1
        return self._update(
            id, "state = ?, attempts = max(0, attempts - ?)", (JobState.QUEUED.value, back)
        )

    def warn(self, id: str, warnings: Sequence[str]) -> Job:
        return self._update(id, "warnings = ?", (json.dumps(list(warnings)),))

    def finish_done(self, id: str, files: Sequence[FileInfo]) -> Job:
        """→ done, with its files."""
        packed = json.dumps([_file_row(file) for file in files])
        nbytes = sum(file.nbytes for file in files)
        sets = "state = ?, files = ?, nbytes = ?, error = NULL"
        return self._update(id, sets, (JobState.DONE.value, packed, nbytes))

    def finish_failed(self, id: str, error: Mapping[str, Any]) -> Job:
        """→ failed, with `UnderpaintError.to_dict()`."""
        return self._update(
            id, "state = ?, error = ?", (JobState.FAILED.value, json.dumps(dict(error)))
        )

    def finish_cancelled(self, id: str) -> Job:
        """→ cancelled."""
        return self._update(id, "state = ?", (JobState.CANCELLED.value,))

    def acknowledge(self, id: str) -> None:
        """A client has the results safe; they go first when room is needed."""
        self.require(id)
        with _disk():
            self._db.execute("UPDATE jobs SET acked = 1 WHERE id = ?", (id,))

    def results_to_remove(self, max_bytes: int, older_than: float) -> list[str]:
        """Ids whose result files must go: too old, or the sum is too large (fetched ones first,
        then oldest first)."""
        rows = self._db.execute(
            "SELECT id, nbytes, updated FROM jobs WHERE nbytes > 0 AND removed = 0 "
            "AND state = 'done' ORDER BY acked DESC, updated"
        ).fetchall()
        total = sum(nbytes for _, nbytes, _ in rows)
        victims = []
        for id, nbytes, updated in rows:
            if total > max_bytes or updated < older_than:
                victims.append(id)
                total -= nbytes
        return victims

    def mark_removed(self, ids: Sequence[str]) -> None:
        """Their files are gone."""
        with _disk():
            self._db.executemany(
                "UPDATE jobs SET removed = 1, files = '[]' WHERE id = ?", [(id,) for id in ids]
            )

    def forget_old(self, keep: int) -> list[str]:
        """Delete the rows of finished jobs beyond the newest `keep`; returns their ids."""
        rows = self._db.execute(
            "SELECT id FROM jobs WHERE state IN ('done', 'failed', 'cancelled') "
            "ORDER BY number DESC LIMIT -1 OFFSET ?",
            (keep,),
        ).fetchall()
        with _disk():
            self._db.executemany("DELETE FROM jobs WHERE id = ?", rows)
        return [id for (id,) in rows]

    def _update(self, id: str, sets: str, values: tuple[Any, ...]) -> Job:
        # Terminal states are never left, whoever asks: the row just does not match.
        with _disk():
            self._db.execute(
                f"UPDATE jobs SET {sets}, updated = ? "  # noqa: S608 - constants of this file
                "WHERE id = ? AND state NOT IN ('done', 'failed', 'cancelled')",
                (*values, time.time(), id),
            )
        return self.require(id)

    def _one(self, where: str, values: tuple[Any, ...] = ()) -> Job | None:
        found = self._many(where, values)
        return found[0] if found else None

    def _many(self, where: str, values: tuple[Any, ...] = ()) -> list[Job]:
        query = f"SELECT {_COLUMNS} FROM jobs {where}"  # noqa: S608 - constants of this file
        return [_job(row) for row in self._db.execute(query, values)]

    def _count(self, where: str, values: tuple[Any, ...] = ()) -> int:
        query = f"SELECT count(*) FROM jobs {where}"  # noqa: S608 - constants of this file
        (count,) = self._db.execute(query, values).fetchone()
        return int(count)


def checkpoint(path: Path) -> None:
    """Move the log into the database file, from any thread: it syncs, so never on the control
    thread. Writers are not held up. A full disk only puts it off."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")


@contextmanager
def _disk() -> Iterator[None]:
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


def _job(row: tuple[Any, ...]) -> Job:
    number, id, digest, kind, title, request, state, attempts, created, updated = row[:10]
    error, warnings, files, nbytes, acked, removed = row[10:]
    return Job(
        number=number,
        id=id,
        digest=digest,
        kind=kind,
        title=title,
        request=request,
        state=JobState(state),
        attempts=attempts,
        created=created,
        updated=updated,
        error=json.loads(error) if error else None,
        warnings=tuple(json.loads(warnings)),
        files=tuple(FileInfo(**file) for file in json.loads(files)),
        nbytes=nbytes,
        acked=bool(acked),
        removed=bool(removed),
    )


def _file_row(file: FileInfo) -> dict[str, Any]:
    return {
        "name": file.name,
        "media": file.media,
        "nbytes": file.nbytes,
        "sha256": file.sha256,
        "facts": file.facts,
    }
