"""What lives while the add-on is enabled, in one object; gone when it is disabled. No bpy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from underpaint.errors import UnderpaintError
from underpaint.paths import Paths
from underpaint.wire.records import ModelInfo

from ..animation.animating import Animating
from ..following.shown import Shown
from ..gallery.looking import Looking
from ..install.installing import Installing
from ..queue.leaving import Leaving
from ..queue.watching import Watching
from .session import Session
from .task import Task
from .work import Work

_MOST_FAILED = 4


@dataclass(slots=True)
class Runtime:
    """`error`: the last failure, until the next painting. `last_image`: its name in Blender.
    `finished`: tasks on their way into the file. `old_pictures`: when materials changed whose
    picture for Solid shading is to be put together anew, by session id. `works`: what is done a
    piece a tick, with the sums in `background`. `flattened`: what puts flattened layers into a
    material, by its session id. `switched_areas`: viewports whose shading was changed for a while,
    by address. `failed`: the last paintings that can be asked for again. `installing`: the
    daemon's installation that runs or has just ended. `installed`: whether a daemon can be
    started; None before the first look. `marked`: the image with the marks that a repainting was
    asked by, of each job. `opened`: jobs of the gallery to be shown once they are in the file.
    `compared`: the image that such a one is to be compared with, by its job.
    `editors`: by an Image Editor's address, the picture that it shows and
    the one that this was made of, for undo. `animating`: the animation that is painted, or was
    last. `shown`: what the model would be shown of each control."""

    session: Session
    error: UnderpaintError | None = None
    last_image: str = ""
    finished: dict[str, Task] = field(default_factory=dict)
    old_pictures: dict[int, float] = field(default_factory=dict)
    works: list[Work] = field(default_factory=list)
    flattened: dict[int, Callable[[Any], None]] = field(default_factory=dict)
    switched_areas: set[int] = field(default_factory=set)
    failed: list[Task] = field(default_factory=list)
    installing: Installing | None = None
    installed: bool | None = None
    marked: dict[str, str] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    compared: dict[str, str] = field(default_factory=dict)
    editors: dict[int, tuple[str, str]] = field(default_factory=dict)
    animating: Animating | None = None
    shown: Shown = field(default_factory=Shown)
    gallery: Looking = field(init=False)
    queue: Watching = field(init=False)
    leaving: Leaving = field(init=False)
    background: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="underpaint-pictures")
    )

    def __post_init__(self) -> None:
        self.gallery = Looking(self.session)
        self.queue, self.leaving = Watching(self.session), Leaving(self.session)

    @property
    def current(self) -> Task | None:
        """The painting to show: the one under way, else the next."""
        return next(iter(self.queue.in_order(self.session.kept_tasks)), None)

    def keep_failed(self, task: Task) -> None:
        """Offer it again, if what it was asked with is at hand."""
        if task.buffers is not None:
            self.failed[:] = [*self.failed, task][-_MOST_FAILED:]

    @property
    def is_installing(self) -> bool:
        return self.installing is not None and not self.installing.ended

    @property
    def is_animating(self) -> bool:
        return self.animating is not None and not self.animating.taken

    @property
    def drawing(self) -> bool:
        """Whether something is still to be shown or done by the next ticks."""
        return bool(self.old_pictures or self.works)

    @property
    def shown_work(self) -> Work | None:
        """The work whose progress the panel shows."""
        return next((work for work in self.works if work.title), None)

    def do_a_piece(self) -> None:
        """One piece of the oldest work."""
        if self.works:
            work = self.works.pop(0)  # for good if it raises
            if work.step():
                self.works.insert(0, work)


_USUAL_SIDE = 512
# Blender has no place of its own for Python objects that outlive a loaded file.
_LIVE: list[Runtime] = []


def start(paths: Callable[[], Paths]) -> Runtime:
    """Make the runtime of this registration."""
    stop()
    _LIVE.append(Runtime(Session(paths)))
    return _LIVE[0]


def live() -> Runtime:
    """The runtime; there is one from register to unregister."""
    return _LIVE[0]


def native_side(model: str) -> int:
    """Pixels a side that a model was made for; a middling number where the daemon knows none."""
    return live().session.sizes.get(model, _USUAL_SIDE)


def record_of(model: str) -> ModelInfo | None:
    """What the daemon has told of a model, if it has."""
    records = live().session.model_records
    return next((record for record in records if record.name == model), None)


def follows_guide(model: str) -> bool:
    """Whether a model can follow a guide, as far as the daemon has told."""
    record = record_of(model)
    return record is None or "guide" in record.controls


def stop() -> None:
    """Close the session, if there is one."""
    while _LIVE:
        ended = _LIVE.pop()
        ended.leaving.end()
        ended.background.shutdown(wait=False, cancel_futures=True)
        if ended.installing is not None:
            ended.installing.cancel()
        if ended.animating is not None:
            ended.animating.cancel()
        ended.session.close()
