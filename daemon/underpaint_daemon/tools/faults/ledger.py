"""What was accepted, what became of it, and what must not have happened."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from underpaint.client import Client
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.wire.messages import JobInfo, JobState

from .house import wait
from .painter import painted

_ENDS = """
CREATE TABLE IF NOT EXISTS ends (job TEXT, state TEXT);
CREATE TRIGGER IF NOT EXISTS count_ends AFTER UPDATE OF state ON jobs
WHEN NEW.state IN ('done', 'failed', 'cancelled') AND NEW.state IS NOT OLD.state
BEGIN INSERT INTO ends VALUES (NEW.id, NEW.state); END;
CREATE TRIGGER IF NOT EXISTS count_returns AFTER UPDATE OF state ON jobs
WHEN OLD.state IN ('done', 'failed', 'cancelled') AND NEW.state IS NOT OLD.state
BEGIN INSERT INTO ends VALUES (NEW.id, 'left ' || OLD.state); END;
"""


@dataclass(slots=True)
class Entry:
    """A job that was handed over. spoiled: its file was damaged on purpose."""

    id: str
    seed: int
    spoiled: bool = False


@dataclass(slots=True)
class Ledger:
    """Jobs that are open, and counts of all that was found. told: what was wrong, in words."""

    open: dict[str, Entry] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def accept(self, entry: Entry) -> None:
        """The daemon has said that it has the job."""
        self.counts["jobs_accepted"] += 1
        self.open[entry.id] = entry

    def settle(self, client: Client) -> None:
        """Wait for the end of every open job, and look at its files."""
        for entry in list(self.open.values()):
            self.settle_one(client, entry)

    def settle_one(self, client: Client, entry: Entry) -> None:
        """The same for one job."""
        info = _end_of(client, entry.id)
        if info is None:
            self._wrong("accepted_jobs_lost", f"{entry.id} is unknown, or never ends")
        else:
            self.counts[f"jobs_{info.state.value}"] += 1
            if info.error is not None:
                self._look_at_error(entry, info.error)
            if info.state is JobState.DONE:
                self._look_at_files(client, entry)
        self.open.pop(entry.id, None)

    def count_ends(self, table: Path) -> None:
        """Read how often each job ended, as the job table's own triggers counted."""
        with own_table(table) as db:
            rows = db.execute("SELECT job, state FROM ends").fetchall()
        for job, count in Counter(job for job, _ in rows).items():
            if count > 1:
                self._wrong("ends_doubled", f"{job}: {[s for j, s in rows if j == job]}")

    def _look_at_error(self, entry: Entry, error: Mapping[str, Any]) -> None:
        self.counts[f"failed_{error['code']}"] += 1
        if error["code"] == ErrorCode.INTERNAL:
            self._wrong("unforeseen_errors", f"{entry.id}: {error['message']}")

    def _look_at_files(self, client: Client, entry: Entry) -> None:
        try:
            files = client.fetch_results(entry.id)
        except UnderpaintError as error:
            if entry.spoiled:
                self.counts["damaged_results_told"] += 1
            else:
                self._wrong("results_without_file", f"{entry.id}: {error}")
            return
        if [bytes(file.data) for file in files] != [painted(entry.seed)]:
            name = "results_wrong" if files else "results_without_file"
            self._wrong(name, f"{entry.id}: {[len(file.data) for file in files]} bytes")

    def _wrong(self, name: str, what: str) -> None:
        self.counts[name] += 1
        self.told.append(f"{name}: {what}")


def _end_of(client: Client, job: str) -> JobInfo | None:
    """The job as it ended; None when it is unknown, or still not over."""
    found = list[JobInfo]()

    def over() -> bool:
        try:
            info = client.job(job).info
        except UnderpaintError as error:
            return error.code is ErrorCode.JOB_UNKNOWN
        client.forget(job)
        if info is not None and info.state.terminal:
            found.append(info)
        return bool(found)

    wait(over)
    return found[0] if found else None


@contextmanager
def own_table(path: Path) -> Iterator[sqlite3.Connection]:
    """The job table, opened beside the daemon; committed at the end."""
    with contextlib.closing(sqlite3.connect(path, timeout=30.0)) as db, db:
        yield db


def watch_ends(table: Path) -> None:
    """Have the job table count its own ends, whichever daemon writes them."""
    with own_table(table) as db:
        db.executescript(_ENDS)
