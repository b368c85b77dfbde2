"""In which order the queued jobs run, and which of them are held. Part of the job table."""

from __future__ import annotations

import sqlite3

from underpaint.wire.messages import Place

PLACE = "coalesce(place, number)"
"""A job's place: the smallest runs first. Only what was moved has one of its own; what is
submitted later has a higher number than any."""
READY = "state = 'queued' AND paused = 0"
_PAUSED = "queue_paused"


def swap(db: sqlite3.Connection, number: int, to: Place) -> None:
    """Move the queued job of this number to another place. At the end of its way it stays.

    Raises sqlite3.OperationalError when it cannot be written.
    """
    (own,) = db.execute(f"SELECT {PLACE} FROM jobs WHERE number = ?", (number,)).fetchone()  # noqa: S608
    if to is Place.FRONT:
        query = f"SELECT min({PLACE}) FROM jobs WHERE state = 'queued'"  # noqa: S608
        (first,) = db.execute(query).fetchone()
        if first < own:
            _place(db, number, first - 1)
        return
    other = _neighbour(db, number, own, to)
    if other is not None:
        _place(db, number, other[1])
        _place(db, other[0], own)


def hold_queue(db: sqlite3.Connection, paused: bool) -> None:
    """Let nothing begin, or go on. Raises sqlite3.OperationalError."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_PAUSED, int(paused)))


def queue_held(db: sqlite3.Connection) -> bool:
    """Whether nothing may begin."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (_PAUSED,)).fetchone()
    return bool(row and row[0])


def _neighbour(
    db: sqlite3.Connection, number: int, own: float, to: Place
) -> tuple[int, float] | None:
    """Number and place of the queued job beside one. Places of two may be the same: their
    numbers decide then."""
    before, way = ("<", "DESC") if to is Place.UP else (">", "ASC")
    query = (
        f"SELECT number, {PLACE} FROM jobs WHERE state = 'queued' "  # noqa: S608
        f"AND ({PLACE}, number) {before} (?, ?) ORDER BY {PLACE} {way}, number {way} LIMIT 1"
    )
    found: tuple[int, float] | None = db.execute(query, (own, number)).fetchone()
    return found


def _place(db: sqlite3.Connection, number: int, place: float) -> None:
    db.execute("UPDATE jobs SET place = ? WHERE number = ?", (place, number))
