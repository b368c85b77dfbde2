"""Files that other releases, a power cut or a stranger left."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from random import Random

from underpaint_daemon.common.staging import PART, Staging
from underpaint_daemon.server.jobs.schema import COLUMNS_ADDED

from .ledger import Entry, Ledger, own_table

_STRANGE_JOB = (
    "INSERT INTO jobs (id, digest, kind, title, request, state, created, updated, warnings) "
    "VALUES (?, 'none', 'image', 'of another release', ?, 'queued', 0, 0, ?)"
)


def another_releases_table(table: Path, random: Random) -> None:
    """The job table as an older or a newer release leaves it, with a job of its own in it."""
    with own_table(table) as db:
        if random.random() < 0.5:  # the first schema: starts are counted in user_version
            db.execute("DROP TABLE IF EXISTS meta")
            for name in COLUMNS_ADDED:
                db.execute(f"ALTER TABLE jobs DROP COLUMN {name}")
            db.execute(f"PRAGMA user_version = {random.randint(1, 99)}")
        else:
            with contextlib.suppress(sqlite3.OperationalError):  # it is there already
                db.execute(f"ALTER TABLE jobs ADD COLUMN later_{random.randint(0, 9)} TEXT")
            db.execute("PRAGMA user_version = 99")
        request = random.choice(('{"kind": "song"}', "no request", '{"kind": "image"}'))
        warnings = random.choice(("[]", "no list"))
        db.execute(_STRANGE_JOB, (f"strange-{random.getrandbits(64):016x}", request, warnings))


def left_over_part(staging: Staging, ledger: Ledger, random: Random) -> None:
    """What a worker that died left of the results of a job that is still to be run."""
    for entry in _some(ledger, random):
        folder = random.choice(staging.roots) / "jobs" / entry.id / PART
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "image_9.bin").write_bytes(random.randbytes(99))


def damaged_blob(staging: Staging, random: Random) -> None:
    """A captured buffer is cut short or changed under its job."""
    for path in _files(staging, "blobs/*/*"):
        _damage(path, random)


def damaged_result(staging: Staging, ledger: Ledger, random: Random) -> None:
    """A result is cut short or changed, and its job is noted as spoiled."""
    for entry in _some(ledger, random):
        for path in _files(staging, f"jobs/{entry.id}/results/*"):
            entry.spoiled = True
            _damage(path, random)


def _some(ledger: Ledger, random: Random) -> list[Entry]:
    entries = list(ledger.open.values())
    return random.sample(entries, min(2, len(entries)))


def _files(staging: Staging, pattern: str) -> list[Path]:
    return [path for root in staging.roots for path in sorted(root.glob(pattern))]


def _damage(path: Path, random: Random) -> None:
    with contextlib.suppress(OSError):
        data = path.read_bytes()
        if random.random() < 0.5 or not data:  # nothing is left of what was cut short again
            path.write_bytes(data[: len(data) // 2])
        else:
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 255]))
