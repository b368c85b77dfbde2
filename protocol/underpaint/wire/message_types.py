"""How messages go into envelopes: each one's name on the wire, and who may say it on what socket.

SPEC.md has the same table for readers; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ..errors import ErrorCode, ProtocolError, UnderpaintError
from .codec import dump, load
from .envelope import Buffer, Envelope, new_id
from .messages import (
    Accepted,
    AckOk,
    BlobHave,
    BlobOk,
    BlobPut,
    Body,
    Bye,
    Cancel,
    CancelOk,
    Error,
    Event,
    Gallery,
    GalleryList,
    GalleryPin,
    GalleryPinOk,
    GalleryRemove,
    GalleryRemoveOk,
    GpuYield,
    GpuYieldOk,
    Hello,
    HelloOk,
    JobGet,
    JobOk,
    Jobs,
    JobsList,
    Log,
    LogTail,
    Missing,
    Models,
    ModelsList,
    Ping,
    Pong,
    Preview,
    PreviewCredit,
    Queue,
    QueueList,
    QueueMove,
    QueueMoveOk,
    QueuePause,
    QueuePauseOk,
    ResultAck,
    ResultFetch,
    ResultManifest,
    ResultPart,
    Results,
    Shutdown,
    Snapshot,
    Status,
    StatusOk,
    Submit,
    Thumbnail,
    ThumbnailGet,
    Watch,
)
from .records import CancelMode as CancelMode
from .records import Count as Count
from .records import FileInfo as FileInfo
from .records import Id as Id
from .records import JobInfo as JobInfo
from .records import JobState as JobState
from .records import ModelInfo as ModelInfo
from .records import Plain as Plain
from .records import ProgressInfo as ProgressInfo
from .records import Sha256 as Sha256
from .records import ShutdownWhen as ShutdownWhen

TYPES: Mapping[str, type[Body]] = {
    "hello": Hello,
    "hello.ok": HelloOk,
    "ping": Ping,
    "pong": Pong,
    "submit": Submit,
    "accepted": Accepted,
    "jobs.list": JobsList,
    "jobs": Jobs,
    "job.get": JobGet,
    "job": JobOk,
    "cancel": Cancel,
    "cancel.ok": CancelOk,
    "watch": Watch,
    "snapshot": Snapshot,
    "event": Event,
    "preview.credit": PreviewCredit,
    "preview": Preview,
    "models.list": ModelsList,
    "models": Models,
    "status": Status,
    "status.ok": StatusOk,
    "log.tail": LogTail,
    "log": Log,
    "shutdown": Shutdown,
    "bye": Bye,
    "blob.have": BlobHave,
    "missing": Missing,
    "blob.put": BlobPut,
    "blob.ok": BlobOk,
    "result.manifest": ResultManifest,
    "results": Results,
    "result.fetch": ResultFetch,
    "result.part": ResultPart,
    "result.ack": ResultAck,
    "result.ack.ok": AckOk,
    "gallery.list": GalleryList,
    "gallery": Gallery,
    "gallery.pin": GalleryPin,
    "gallery.pin.ok": GalleryPinOk,
    "gallery.remove": GalleryRemove,
    "gallery.remove.ok": GalleryRemoveOk,
    "thumbnail.get": ThumbnailGet,
    "thumbnail": Thumbnail,
    "queue.list": QueueList,
    "queue": Queue,
    "queue.move": QueueMove,
    "queue.move.ok": QueueMoveOk,
    "queue.pause": QueuePause,
    "queue.pause.ok": QueuePauseOk,
    "gpu.yield": GpuYield,
    "gpu.yield.ok": GpuYieldOk,
    "error": Error,
}
_NAMES: Mapping[type[Body], str] = {cls: name for name, cls in TYPES.items()}


class Channel(StrEnum):
    """The two sockets."""

    CONTROL = "control"
    DATA = "data"


REQUESTS: Mapping[Channel, frozenset[type[Body]]] = {
    Channel.CONTROL: frozenset(
        {Hello, Ping, Submit, JobsList, JobGet, Cancel, Watch, PreviewCredit}
        | {ModelsList, Status, LogTail, Shutdown, GalleryList, GalleryPin, GalleryRemove}
        | {QueueList, QueueMove, QueuePause, GpuYield}
    ),
    Channel.DATA: frozenset(
        {Hello, Submit, BlobHave, BlobPut, ResultManifest, ResultFetch, ResultAck} | {ThumbnailGet}
    ),
}
"""What a client may say on each socket; anything else is answered `error` (unsupported)."""


def type_name(body: Body) -> str:
    """A message's type as it is said on the wire."""
    return _NAMES[type(body)]


def message(
    body: Body, *, re: str | None = None, buffers: tuple[Buffer, ...] = (), id: str | None = None
) -> Envelope:
    """An envelope around a body. `re`: the id of the message that this one answers."""
    return Envelope(type_name(body), id or new_id(), re, dump(body), buffers)


def error_message(error: UnderpaintError, re: str | None = None) -> Envelope:
    """The `error` message for an error."""
    return message(Error(error.to_dict()), re=re)


def parse(envelope: Envelope) -> Body:
    """The typed body. Raises ProtocolError; its code is UNSUPPORTED for an unknown type."""
    cls = TYPES.get(envelope.type)
    if cls is None:
        raise ProtocolError(
            f"message type {envelope.type!r} is not known here", code=ErrorCode.UNSUPPORTED
        )
    return load(cls, envelope.body, envelope.type)
