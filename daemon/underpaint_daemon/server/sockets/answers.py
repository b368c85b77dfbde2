"""What the daemon says about itself and its jobs, at once and without waiting for anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from underpaint.tree import plain_request
from underpaint.wire import limits
from underpaint.wire.messages import (
    AckOk,
    Body,
    Cancel,
    CancelMode,
    CancelOk,
    GalleryList,
    GalleryPin,
    GalleryPinOk,
    GalleryRemove,
    GalleryRemoveOk,
    JobGet,
    JobOk,
    Jobs,
    JobsList,
    JobState,
    Ping,
    Pong,
    Queue,
    QueueList,
    QueueMove,
    QueueMoveOk,
    QueuePause,
    QueuePauseOk,
    ResultAck,
    ResultManifest,
    Results,
    Status,
    StatusOk,
)

from ..jobs.engine import Engine
from ..jobs.gallery import gallery
from ..jobs.results import unknown_result
from ..jobs.store import Store
from ..lifecycle import Identity
from ..supervisor import Supervisor


class Answers:
    """One method a question; in the control thread."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        supervisor: Supervisor,
        identity: Identity,
        remove_files: Callable[[str], None],
    ) -> None:
        """`remove_files`: of a job whose row is gone."""
        self._remove_files = remove_files
        self._store = store
        self._engine = engine
        self._supervisor = supervisor
        self._identity = identity
        self._started_at = time.monotonic()

    def to(self, body: Body) -> Body:
        """The answer. Raises UnderpaintError."""
        return _HANDLERS[type(body)](self, body)

    def _ping(self, _body: Ping) -> Body:
        return Pong(self._store.queued(), int(self._engine.running is not None))

    def _jobs(self, body: JobsList) -> Body:
        infos = (self._engine.info(job) for job in self._store.newest(body.limit, body.before))
        return Jobs(tuple(replace(info, warnings=()) for info in infos))

    def _job(self, body: JobGet) -> Body:
        job = self._store.require(body.job)
        return JobOk(self._engine.info(job), plain_request(job.request))

    def _cancel(self, body: Cancel) -> Body:
        if body.mode is CancelMode.KEEP:
            return CancelOk(body.job, self._engine.enough(body.job))
        state = self._engine.cancel(body.job, hard=body.mode is CancelMode.HARD)
        return CancelOk(body.job, state)

    def _status(self, _body: Status) -> Body:
        worker = "absent" if self._supervisor.pid is None else "starting"
        if self._supervisor.ready and not self._supervisor.bringing:
            worker = "idle" if self._engine.running is None else "busy"
        return StatusOk(
            epoch=self._identity.epoch,
            pid=self._identity.pid,
            daemon_version=self._identity.version,
            uptime_s=round(time.monotonic() - self._started_at, 3),
            queued=self._store.queued(),
            running=self._engine.running,
            worker=worker,
            worker_pid=self._supervisor.pid,
            device=self._supervisor.device,
            memory=self._supervisor.facts(),
        )

    def _manifest(self, body: ResultManifest) -> Body:
        job = self._store.require(body.job)
        if job.removed or job.state is not JobState.DONE:
            why = "any more" if job.removed else f"yet: it is {job.state}"
            raise unknown_result(job.id, f"files {why}")
        return Results(job.id, job.files)

    def _ack(self, body: ResultAck) -> Body:
        self._store.acknowledge(body.job)
        return AckOk(body.job)

    def _gallery(self, body: GalleryList) -> Body:
        return gallery(self._store, body)

    def _pin(self, body: GalleryPin) -> Body:
        self._store.pin(body.job, body.pinned)
        return GalleryPinOk(body.job, body.pinned)

    def _remove(self, body: GalleryRemove) -> Body:
        self._store.forget(body.job)
        self._remove_files(body.job)
        return GalleryRemoveOk(body.job)

    def _queue(self, _body: QueueList) -> Body:
        jobs = self._store.in_order(limits.MAX_JOBS_LISTED)
        infos = tuple(replace(self._engine.info(job), warnings=()) for job in jobs)
        return Queue(infos, self._store.held, self._engine.yielded.why(time.monotonic()))

    def _move(self, body: QueueMove) -> Body:
        job = self._store.move(body.job, body.to)
        return QueueMoveOk(job.id, job.state, self._engine.info(job).position)

    def _pause(self, body: QueuePause) -> Body:
        if body.job is None:
            self._store.hold(body.paused)
        else:
            self._store.pause(body.job, body.paused)
        return QueuePauseOk(body.paused, body.job)


_HANDLERS: Mapping[type[Body], Callable[[Answers, Any], Body]] = {
    Ping: Answers._ping,
    JobsList: Answers._jobs,
    JobGet: Answers._job,
    Cancel: Answers._cancel,
    Status: Answers._status,
    ResultManifest: Answers._manifest,
    ResultAck: Answers._ack,
    GalleryList: Answers._gallery,
    GalleryPin: Answers._pin,
    GalleryRemove: Answers._remove,
    QueueList: Answers._queue,
    QueueMove: Answers._move,
    QueuePause: Answers._pause,
}
