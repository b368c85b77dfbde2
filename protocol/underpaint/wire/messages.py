"""The messages: a frozen dataclass each; `message_types` says who may say which on what socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from . import limits
from .gallery import Gallery as Gallery
from .gallery import GalleryList as GalleryList
from .gallery import GalleryPin as GalleryPin
from .gallery import GalleryPinOk as GalleryPinOk
from .gallery import GalleryRemove as GalleryRemove
from .gallery import GalleryRemoveOk as GalleryRemoveOk
from .gallery import PictureInfo as PictureInfo
from .gallery import Thumbnail as Thumbnail
from .gallery import ThumbnailGet as ThumbnailGet
from .queue import GpuYield as GpuYield
from .queue import GpuYieldOk as GpuYieldOk
from .queue import Place as Place
from .queue import Queue as Queue
from .queue import QueueList as QueueList
from .queue import QueueMove as QueueMove
from .queue import QueueMoveOk as QueueMoveOk
from .queue import QueuePause as QueuePause
from .queue import QueuePauseOk as QueuePauseOk
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


@dataclass(frozen=True, slots=True)
class Hello:
    session: Id
    client: str
    client_version: str
    minor: Count = limits.MINOR


@dataclass(frozen=True, slots=True)
class HelloOk:
    epoch: Id
    pid: Count
    daemon_version: str
    minor: Count = limits.MINOR


@dataclass(frozen=True, slots=True)
class Ping:
    pass


@dataclass(frozen=True, slots=True)
class Pong:
    queued: Count = 0
    running: Count = 0


@dataclass(frozen=True, slots=True)
class Submit:
    """`request`: `tree.to_plain`. Buffers may ride along (on `data`): what they are is in their
    descriptors, each with its sha256. `origin`: where it was asked for, as the gallery shows it."""

    job: Id
    request: Plain
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """`duplicate`: this job id with this very request was accepted before."""

    info: JobInfo
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class JobsList:
    """Newest first; `before` pages: only jobs created before this Unix time."""

    limit: Annotated[int, range(1, limits.MAX_JOBS_LISTED + 1)] = limits.MAX_JOBS_LISTED
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Jobs:
    """Entries of a list carry no warnings, to keep the header small."""

    jobs: tuple[JobInfo, ...]


@dataclass(frozen=True, slots=True)
class JobGet:
    job: Id


@dataclass(frozen=True, slots=True)
class JobOk:
    info: JobInfo
    request: Plain


@dataclass(frozen=True, slots=True)
class Cancel:
    job: Id
    mode: CancelMode = CancelMode.SOFT


@dataclass(frozen=True, slots=True)
class CancelOk:
    """`state` when the wish arrived; a terminal state means that there was nothing to cancel."""

    job: Id
    state: JobState


@dataclass(frozen=True, slots=True)
class Watch:
    job: Id


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The reply to watch; events with a higher `seq` than `info.seq` follow."""

    info: JobInfo


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a watched job; exactly one of the last three is set, or `state`
    failed comes with `error`."""

    job: Id
    seq: Count
    state: JobState | None = None
    progress: ProgressInfo | None = None
    warning: str | None = None
    error: Plain | None = None


@dataclass(frozen=True, slots=True)
class PreviewCredit:
    """Leave to send `n` more previews of this job to this session; not answered."""

    job: Id
    n: Annotated[int, range(1, 17)] = 1


@dataclass(frozen=True, slots=True)
class Preview:
    """One buffer: (h, w, 3) uint8 sRGB, the newest; `index`: which image or view of the job."""

    job: Id
    step: Count
    total: Count
    index: Count = 0


@dataclass(frozen=True, slots=True)
class ModelsList:
    pass


@dataclass(frozen=True, slots=True)
class Models:
    models: tuple[ModelInfo, ...]


@dataclass(frozen=True, slots=True)
class Status:
    pass


@dataclass(frozen=True, slots=True)
class StatusOk:
    """`worker`: absent, starting, idle, busy. `memory`: JSON-like figures of worker and GPU."""

    epoch: Id
    pid: Count
    daemon_version: str
    uptime_s: float
    queued: Count
    running: Id | None = None
    worker: str = "absent"
    worker_pid: Count | None = None
    device: str = ""
    memory: Plain = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogTail:
    lines: Annotated[int, range(1, limits.MAX_LOG_LINES + 1)] = 50


@dataclass(frozen=True, slots=True)
class Log:
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shutdown:
    when: ShutdownWhen = ShutdownWhen.IDLE


@dataclass(frozen=True, slots=True)
class Bye:
    pass


@dataclass(frozen=True, slots=True)
class BlobHave:
    sha256s: tuple[Sha256, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    sha256s: tuple[Sha256, ...]


@dataclass(frozen=True, slots=True)
class BlobPut:
    """The buffers are the message's own; each descriptor has its sha256."""


@dataclass(frozen=True, slots=True)
class BlobOk:
    sha256s: tuple[Sha256, ...]


@dataclass(frozen=True, slots=True)
class ResultManifest:
    job: Id


@dataclass(frozen=True, slots=True)
class Results:
    job: Id
    files: tuple[FileInfo, ...]


@dataclass(frozen=True, slots=True)
class ResultFetch:
    """Bytes of a result; `length` None: to the end, at most `limits.MAX_PART` in one part."""

    job: Id
    name: Id
    offset: Count = 0
    length: Count | None = None


@dataclass(frozen=True, slots=True)
class ResultPart:
    """One buffer of kind `file`: the bytes from `offset`; `total`: the whole file's size."""

    job: Id
    name: Id
    offset: Count
    total: Count


@dataclass(frozen=True, slots=True)
class ResultAck:
    """The client has the results safe; the daemon may remove them when it needs the room."""

    job: Id


@dataclass(frozen=True, slots=True)
class AckOk:
    job: Id


@dataclass(frozen=True, slots=True)
class Error:
    """The answer to anything that failed: `UnderpaintError.to_dict()`."""

    error: Plain


Body = (
    Hello | HelloOk | Ping | Pong | Submit | Accepted | JobsList | Jobs | JobGet | JobOk | Cancel
    | CancelOk | Watch | Snapshot | Event | PreviewCredit | Preview | ModelsList | Models | Status
    | StatusOk | LogTail | Log | Shutdown | Bye | BlobHave | Missing | BlobPut | BlobOk
    | ResultManifest | Results | ResultFetch | ResultPart | ResultAck | AckOk | Error
    | GalleryList | Gallery | GalleryPin | GalleryPinOk | GalleryRemove | GalleryRemoveOk
    | ThumbnailGet | Thumbnail
    | QueueList | Queue | QueueMove | QueueMoveOk | QueuePause | QueuePauseOk
    | GpuYield | GpuYieldOk
)  # fmt: skip
