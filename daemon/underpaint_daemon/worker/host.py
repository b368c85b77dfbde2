"""Runs one job in the worker: loads its buffers, gives the runner a Reporter, saves its files."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, JobFailed, UnderpaintError
from underpaint.requests import Request
from underpaint.tree import buffer_refs, from_json
from underpaint.wire import limits

from ..common import disk
from ..common.blobs import mapped
from ..common.job_contract import Artifact, JobCancelled, Runner
from ..common.pipe import Writer
from ..common.staging import PART, Staging
from .reporting import PipeReporter, Wishes

log = logging.getLogger("worker")
_MAX_MANIFEST = 48 * limits.KIB
_NO_THREAD = "can't start new thread"


def load_buffers(request: Request, staging: Staging) -> dict[str, npt.NDArray[Any]]:
    """Every array of a request by its sha256: see `mapped`."""
    return {ref.sha256: mapped(ref, staging, "c") for ref in buffer_refs(request)}


def run_job(
    message: Mapping[str, Any],
    runner: Callable[[], Runner],
    staging: Staging,
    writer: Writer,
    wishes: Wishes,
    hasher: Executor,
) -> None:
    """Run the job of a `run` message to its end, and tell the daemon how it ended.

    `runner`: gives the runner, which may have to be loaded. `hasher`: hashes while we write. This
    is the worker's boundary: whatever is raised becomes a registered error.
    """
    job = str(message["job"])
    started = time.time()
    reporter = PipeReporter(job, writer, wishes)
    outcome: dict[str, Any]
    try:
        reporter.raise_if_cancelled()
        request = from_json(message["request"])
        run = runner()
        reporter.raise_if_cancelled()
        reporter.started()
        artifacts = run(request, load_buffers(request, staging), reporter)
        if wishes.cancelled:
            raise JobCancelled  # the daemon may have ended it: files would lie about
        reporter.saving()
        outcome = {"t": "done", "files": save(staging, job, artifacts, hasher)}
    except JobCancelled:
        outcome = {"t": "cancelled"}
    except Exception as error:
        outcome = {"t": "failed", "error": to_error(error).to_dict()}
    # Before the end is told: whoever hears of it finds the record.
    _write_record(staging.disk / "jobs" / job, message, outcome, started)
    writer.send({**outcome, "job": job})


def to_error(error: Exception) -> UnderpaintError:
    """The registered error for whatever a runner raised; unknown ones are logged in full."""
    if isinstance(error, UnderpaintError):
        return error
    # Python has no type of its own for a thread whose stack finds no room.
    if isinstance(error, MemoryError) or _NO_THREAD in str(error):
        return JobFailed(ErrorCode.OUT_OF_MEMORY, "the computer's memory is full")
    if isinstance(error, OSError) and disk.is_full(error):
        return disk.as_error(error, "results cannot be saved")
    log.error("a job failed in a way nobody foresaw", exc_info=error)
    return JobFailed(ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")


def save(
    staging: Staging, job: str, artifacts: Sequence[Artifact], hasher: Executor
) -> list[dict[str, Any]]:
    """Write the files into an emptied folder; returns their entries for the manifest.

    Raises RequestError(DISK_FULL or FILE).
    """
    part = f"jobs/{job}/{PART}"
    staging.remove(part)
    folder = staging.place(sum(len(artifact.data) for artifact in artifacts)) / part
    try:
        folder.mkdir(parents=True)
        files = [_save_one(folder, artifact, hasher) for artifact in artifacts]
    except OSError as error:
        raise disk.as_error(error, f"results cannot be saved in {folder}") from error
    if len(json.dumps(files)) > _MAX_MANIFEST:
        log.warning("the facts of job %s are too long for the wire and left out", job)
        files = [{**file, "facts": {}} for file in files]
    return files


def _save_one(folder: Path, artifact: Artifact, hasher: Executor) -> dict[str, Any]:
    if not limits.ID.fullmatch(artifact.name):
        raise JobFailed(ErrorCode.INTERNAL, f"{artifact.name!r} cannot name a result")
    hashed = hasher.submit(lambda: hashlib.sha256(artifact.data).hexdigest())
    (folder / artifact.name).write_bytes(artifact.data)
    return {
        "name": artifact.name,
        "media": artifact.media,
        "nbytes": len(artifact.data),
        "sha256": hashed.result(),
        "facts": plain(artifact.facts),
    }


def plain(value: Any) -> Any:
    """JSON-like data for the wire: numpy numbers as Python's, numbers that are not finite None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def _as_data(request: str) -> Any:
    """JSON as data, and what is none as the text it is."""
    try:
        return json.loads(request)
    except ValueError:
        return request


def _write_record(
    folder: Path, message: Mapping[str, Any], outcome: Mapping[str, Any], started: float
) -> None:
    record = {
        "job": message["job"],
        "attempt": message["attempt"],
        "started_unix_s": started,
        "seconds": time.time() - started,
        "outcome": outcome["t"],
        "error": outcome.get("error"),
        "files": outcome.get("files", []),
        "request": _as_data(message["request"]),
    }
    try:
        text = json.dumps(record, indent=1)
        disk.write_whole(folder / "job.json", text.encode())
    except OSError as error:
        # The record is for people; a job does not fail for want of it.
        log.warning("job.json cannot be written: %s", error)
