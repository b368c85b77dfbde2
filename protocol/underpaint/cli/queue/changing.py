"""`underpaint jobs first|up|down|pause|resume [JOB]`: the queue's order and its pauses."""

from __future__ import annotations

import argparse

from ...client import Client
from ...errors import ErrorCode, ProtocolError, RequestError
from ...wire.messages import Place, Queue
from ...wire.records import JobState

_MOVES = {"first": Place.FRONT, "up": Place.UP, "down": Place.DOWN}
ACTIONS = (*_MOVES, "pause", "resume")


def change(up: Client, action: str, job: str | None) -> str:
    """Do it; what is said then. `job`: a whole id, or None for the queue. Raises RequestError."""
    if action in _MOVES:
        if job is None:
            raise RequestError(
                ErrorCode.BAD_REQUEST,
                f"{action} of which job?",
                hint=f"Say its id: underpaint jobs {action} ID (see `underpaint jobs`).",
            )
        moved = up.queue.move(job, _MOVES[action])
        if moved.state is not JobState.QUEUED:
            return f"{job}  does not wait any more: {moved.state}"
        return f"{job}  {moved.position} before it" if moved.position else f"{job}  next"
    (up.queue.pause if action == "pause" else up.queue.resume)(job)
    if job is not None:
        return f"{job}  {'waits until it is resumed' if action == 'pause' else 'waits its turn'}"
    return "nothing begins until `underpaint jobs resume`" if action == "pause" else "goes on"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may stand after `underpaint jobs`."""
    parser.add_argument(
        "action", nargs="?", choices=ACTIONS, help="what to do with the queue; nothing: list it"
    )
    parser.add_argument(
        "job", nargs="?", help="the waiting job, by its id or how that begins; pause and resume "
        "without one: the whole queue"
    )  # fmt: skip


def seen(up: Client) -> Queue:
    """The queue; of a daemon that runs since before queues had an order, one with nothing to
    tell: its jobs are listed all the same."""
    try:
        return up.queue.list()
    except ProtocolError as error:
        if error.code is not ErrorCode.UNSUPPORTED:
            raise
        return Queue(())


def told(queue: Queue) -> list[str]:
    """Why nothing begins, if that is so: a line for each reason."""
    lines = ["the queue is paused: `underpaint jobs resume`"] if queue.paused else []
    return lines + (
        [f"the GPU is left to others: {queue.yielded}"] if queue.yielded is not None else []
    )
