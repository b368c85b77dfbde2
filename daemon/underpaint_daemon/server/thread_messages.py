"""What the daemon's two threads say to each other.

The control thread owns the job table and the `control` socket; the data thread owns the `data`
socket and everything that hashes, checks or moves many bytes. Neither waits for the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from underpaint.errors import UnderpaintError
from underpaint.requests import Request
from underpaint.wire import limits
from underpaint.wire.envelope import Envelope
from underpaint.wire.message_types import Channel
from underpaint.wire.messages import Body

from .supervisor import FromWorker, WorkerGone


@dataclass(frozen=True, slots=True)
class Route:
    """Where an answer goes: a peer of one of the two sockets, and the message it answers.
    `minor`: the version that the peer speaks."""

    channel: Channel
    identity: bytes
    re: str | None = None
    minor: int = limits.MINOR


@dataclass(frozen=True, slots=True)
class Send:
    """Send this on your socket."""

    identity: bytes
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that arrived on the sender's socket and is the receiver's to answer."""

    route: Route
    envelope: Envelope
    body: Body


@dataclass(frozen=True, slots=True)
class Greeted:
    """A session said hello on `data`."""

    session: str
    identity: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """A request read and checked. `settled`: as it will be carried out, with the model's own
    values where none were set. With `problem` it can only be a repetition of a known job; without
    `verified` a `Verified` follows."""

    route: Route
    job: str
    request: Request
    settled: Request
    problem: UnderpaintError | None = None
    verified: bool = True
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """The buffers of a job were hashed; with `problem` one of them is not what it should be."""

    job: str
    problem: UnderpaintError | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """Keep the buffers of an unfinished job (sent at the daemon's start)."""

    job: str
    request: Request


@dataclass(frozen=True, slots=True)
class Ended:
    """A job is over: its buffers may go when room is needed."""

    job: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Make room: remove these jobs' folders and, beyond the limit, the oldest blobs."""

    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """End the thread."""


ToData = Send | Asked | Pin | Ended | Sweep | Stop
ToControl = Send | Asked | Greeted | Checked | Verified | FromWorker | WorkerGone
