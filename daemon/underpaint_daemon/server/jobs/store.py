"""The job table: SQLite in WAL mode, the one truth about jobs.

One connection, used by the control thread only. A row is committed before anybody is told.
`synchronous=NORMAL` does not sync at each commit: what is committed survives the death of the
process (it is in the kernel), and a power cut can cost the last moments but no consistency.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.wire.messages import FileInfo, JobState, Place

from .database import disk_full, together
from .order import PLACE, READY, hold_queue, queue_held, swap
from .rows import JobRow, Shown, file_row, job_row, unreadable
from .schema import COLUMNS, count_start, open_table

log = logging.getLogger("store")

_COLUMNS = ", ".join(COLUMNS)
_TEXTS = ("id", "digest", "kind", "title", "request")
_AS_TEXT = "CASE typeof({0}) WHEN 'text' THEN {0} ELSE '' || number END"
_BUSY_MS = 10
_TERMINAL = tuple(state.value for state in JobState if state.terminal)


class Store:
    """Jobs on disk. Every method that writes raises RequestError when it cannot: DISK_FULL, or
    FILE while another program has the table locked."""

    def __init__(self, path: Path) -> None:
        self._db = open_table(path)
        # Checkpoints sync: `wal_checkpoint` does them where nobody waits.
        self._db.execute("PRAGMA wal_autocheckpoint=0")
        self.starts = count_start(self._db)
        """How often this table was opened; later lives of the daemon count on from here."""
        self._mend()
        # Nobody else writes here. Whoever does (a backup, a table viewer) must not hold up a ping.
        self._db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")

    def close(self) -> None:
        self._db.close()

    def add(
        self, id: str, digest: str, kind: str, title: str, request: str, shown: Shown | None = None
    ) -> JobRow:
        """A new queued job. The id must not be there yet."""
        now, shown = time.time(), shown or Shown(title)
        found_by = (shown.words.casefold(), shown.model, shown.origin)
        with disk_full():
            self._db.execute(
                "INSERT INTO jobs (id, digest, kind, title, request, state, created, updated, "
                "words, model, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (id, digest, kind, title, request, JobState.QUEUED.value, now, now, *found_by),
            )
        return self.require(id)

    def get(self, id: str) -> JobRow | None:
        """The job of this id, or None."""
        return self._one("WHERE id = ?", (id,))

    def require(self, id: str) -> JobRow:
        """The job of this id. Raises RequestError(JOB_UNKNOWN)."""
        job = self.get(id)
        if job is None:
            raise RequestError(ErrorCode.JOB_UNKNOWN, f"there is no job {id}")
        return job

    def next_queued(self) -> JobRow | None:
        """The queued job that is to run next; None where none may."""
        if queue_held(self._db):
            return None
        return self._one(f"WHERE {READY} ORDER BY {PLACE}, number LIMIT 1")

    def in_order(self, limit: int) -> list[JobRow]:
        """What is under way, then what waits, in the order in which it will run."""
        order = f"ORDER BY state = 'queued', {PLACE}, number LIMIT ?"
        marks = ",".join("?" * len(_TERMINAL))
        return self._many(f"WHERE state NOT IN ({marks}) {order}", (*_TERMINAL, limit))

    def move(self, id: str, to: Place) -> JobRow:
        """Give a queued job another place; one that is not queued stays. Returns it."""
        job = self.require(id)
        if job.state is JobState.QUEUED:
            with disk_full(), together(self._db):
                swap(self._db, job.number, to)
        return self.require(id)

    def pause(self, id: str, paused: bool) -> None:
        """Hold a job while it is queued, or no longer. Raises RequestError(JOB_UNKNOWN)."""
        self.require(id)
        with disk_full():
            self._db.execute("UPDATE jobs SET paused = ? WHERE id = ?", (int(paused), id))

    @property
    def held(self) -> bool:
        """Whether the whole queue is."""
        return queue_held(self._db)

    def hold(self, paused: bool) -> None:
        """Let no job begin, or go on."""
        with disk_full():
            hold_queue(self._db, paused)

    def unfinished(self) -> list[JobRow]:
        """Every job that is not terminal, in the order of submission."""
        marks = ",".join("?" * len(_TERMINAL))
        return self._many(f"WHERE state NOT IN ({marks}) ORDER BY number", _TERMINAL)

    def newest(self, limit: int, before: float | None) -> list[JobRow]:
        """Newest first; with `before`, only jobs created before that Unix time."""
        if before is None:
            return self._many("ORDER BY number DESC LIMIT ?", (limit,))
        return self._many("WHERE created < ? ORDER BY number DESC LIMIT ?", (before, limit))

    def queued_before(self, job: JobRow) -> int:
        """How many queued jobs come before this one."""
        before = f"WHERE state = 'queued' AND ({PLACE}, number) < (?, ?)"
        return self._count(before, (job.place, job.number))

    def queued(self) -> int:
        return self._count("WHERE state = 'queued'")

    def start(self, id: str) -> JobRow:
        """queued → starting; counts the attempt."""
        return self._update(id, "state = ?, attempts = attempts + 1", (JobState.STARTING.value,))

    def advance(self, id: str, state: JobState) -> JobRow:
        """To another state that is not terminal."""
        return self._update(id, "state = ?", (state.value,))

    def requeue(self, id: str, *, count_attempt: bool = True) -> JobRow:
        """Back into the queue at its old place. Without `count_attempt` the attempt that was
        under way is forgotten: it was interrupted on purpose."""
        back = 0 if count_attempt else 1
        return self._update(
            id, "state = ?, attempts = max(0, attempts - ?)", (JobState.QUEUED.value, back)
        )

    def warn(self, id: str, warnings: Sequence[str]) -> JobRow:
        return self._update(id, "warnings = ?", (json.dumps(list(warnings)),))

    def finish_done(self, id: str, files: Sequence[FileInfo]) -> JobRow:
        """→ done, with its files."""
        packed = json.dumps([file_row(file) for file in files])
        nbytes = sum(file.nbytes for file in files)
        sets = "state = ?, files = ?, nbytes = ?, error = NULL"
        return self._update(id, sets, (JobState.DONE.value, packed, nbytes))

    def finish_failed(self, id: str, error: Mapping[str, Any]) -> JobRow:
        """→ failed, with `UnderpaintError.to_dict()`."""
        return self._update(
            id, "state = ?, error = ?", (JobState.FAILED.value, json.dumps(dict(error)))
        )

    def finish_cancelled(self, id: str) -> JobRow:
        """→ cancelled."""
        return self._update(id, "state = ?", (JobState.CANCELLED.value,))

    def acknowledge(self, id: str) -> None:
        """A client has the results safe; they go first when room is needed."""
        self.require(id)
        with disk_full():
            self._db.execute("UPDATE jobs SET acked = 1 WHERE id = ?", (id,))

    def results_to_remove(self, max_bytes: int, older_than: float) -> list[str]:
        """Ids whose result files must go: those too old, and, when the sum is too large, what a
        client has acknowledged, oldest first. What nobody fetched yet goes by its age alone."""
        rows = self._db.execute(
            "SELECT id, nbytes, updated, acked FROM jobs WHERE nbytes > 0 AND removed = 0 "
            "AND pinned = 0 AND state = 'done' ORDER BY acked DESC, updated"
        ).fetchall()
        total = sum(row[1] for row in rows)
        victims = []
        for id, nbytes, updated, acked in rows:
            if (acked and total > max_bytes) or updated < older_than:
                victims.append(id)
                total -= nbytes
        return victims

    def mark_removed(self, ids: Sequence[str]) -> None:
        """Their files are gone."""
        with disk_full():
            self._db.executemany(
                "UPDATE jobs SET removed = 1, files = '[]' WHERE id = ?", [(id,) for id in ids]
            )

    def forget_old(self, keep: int) -> list[str]:
        """Delete the rows of finished jobs beyond the newest `keep`; returns their ids."""
        rows = self._db.execute(
            "SELECT id FROM jobs WHERE state IN ('done', 'failed', 'cancelled') AND pinned = 0 "
            "ORDER BY number DESC LIMIT -1 OFFSET ?",
            (keep,),
        ).fetchall()
        with disk_full():
            self._db.executemany("DELETE FROM jobs WHERE id = ?", rows)
        return [id for (id,) in rows]

    def shown(self, where: str, values: Sequence[str | float]) -> list[JobRow]:
        """The jobs that a condition of the gallery's chooses."""
        return self._many(where, tuple(values))

    def distinct(self, column: str, where: str, most: int) -> list[str]:
        """What stands in a column of the rows that a condition of the gallery's chooses."""
        rows = self._db.execute(
            f"SELECT DISTINCT {column} FROM jobs WHERE {where} AND {column} != '' "  # noqa: S608
            f"ORDER BY {column} LIMIT ?",
            (most,),
        ).fetchall()
        return [text for (text,) in rows]

    def pin(self, id: str, pinned: bool) -> None:
        """Keep a job's files whatever room they take, or no longer."""
        self.require(id)
        with disk_full():
            self._db.execute("UPDATE jobs SET pinned = ? WHERE id = ?", (int(pinned), id))

    def forget(self, id: str) -> None:
        """Delete the row of a job that has ended. Raises RequestError."""
        job = self.require(id)
        if not job.state.terminal:
            raise RequestError(
                ErrorCode.BAD_REQUEST, f"job {id} is {job.state}", hint="Cancel it first."
            )
        with disk_full():
            self._db.execute("DELETE FROM jobs WHERE id = ?", (id,))

    def _mend(self) -> None:
        """Rows that another release wrote in a way we cannot read become failed jobs."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM jobs").fetchall()  # noqa: S608
        for row in rows:
            try:
                job_row(row)
            except (ValueError, TypeError, AttributeError) as error:
                log.warning("job %s cannot be read: %s", row[1], error)
                self._replace_by_failure(row[0], unreadable(error))

    def _replace_by_failure(self, number: int, error: UnderpaintError) -> None:
        now = time.time()
        texts = ", ".join(f"{name} = {_AS_TEXT.format(name)}" for name in _TEXTS)
        with disk_full():
            self._db.execute(
                f"UPDATE jobs SET {texts}, state = 'failed', attempts = 0, "  # noqa: S608
                "created = ?, updated = ?, error = ?, warnings = '[]', files = '[]', nbytes = 0, "
                "acked = 0, removed = 1 WHERE number = ?",
                (now, now, json.dumps(error.to_dict()), number),
            )

    def _update(self, id: str, sets: str, values: tuple[Any, ...]) -> JobRow:
        # Terminal states are never left, whoever asks: the row just does not match.
        with disk_full():
            self._db.execute(
                f"UPDATE jobs SET {sets}, updated = ? "  # noqa: S608 - constants of this file
                "WHERE id = ? AND state NOT IN ('done', 'failed', 'cancelled')",
                (*values, time.time(), id),
            )
        return self.require(id)

    def _one(self, where: str, values: tuple[Any, ...] = ()) -> JobRow | None:
        found = self._many(where, values)
        return found[0] if found else None

    def _many(self, where: str, values: tuple[Any, ...] = ()) -> list[JobRow]:
        query = f"SELECT {_COLUMNS} FROM jobs {where}"  # noqa: S608 - constants of this file
        return [job_row(row) for row in self._db.execute(query, values)]

    def _count(self, where: str, values: tuple[Any, ...] = ()) -> int:
        query = f"SELECT count(*) FROM jobs {where}"  # noqa: S608 - constants of this file
        (count,) = self._db.execute(query, values).fetchone()
        return int(count)
