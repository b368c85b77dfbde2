"""Run one job from the command line: progress, cancel on Ctrl-C, results into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..buffers import Buffers
from ..client import connect
from ..events import Progress, Warning_
from ..files.inputs import save_inputs
from ..job import Job
from ..requests import Request
from ..tree import request_digest
from .output import ProgressLine, print_result


def run_job(request: Request, buffers: Buffers, out: Path, *, as_json: bool) -> int:
    """Submit, follow, save."""
    out.mkdir(parents=True, exist_ok=True)
    with connect() as up:
        job = up.submit(request, buffers)
        follow(job)
        files = save_results(job, out)
    inputs = save_inputs(out, request_digest(request), buffers)
    data: dict[str, Any] = {"job": job.id, "files": files, "inputs": inputs}
    print_result(data, files, as_json)
    return 0


def follow(job: Job) -> None:
    """Show a job's progress until it ends. Ctrl-C cancels the job and keeps the daemon."""
    line = ProgressLine()
    try:
        for event in job.events():
            if isinstance(event, Progress):
                line.show(event.phase, event.step, event.total, event.eta_s)
            elif isinstance(event, Warning_):
                line.note(f"note: {event.text}")
    except KeyboardInterrupt:
        job.cancel()
        raise
    finally:
        line.end()


def save_results(job: Job, out: Path) -> list[str]:
    """Fetch and write every result; the paths written. Raises JobFailed."""
    written = []
    for result in job.result():
        path = out / result.name
        path.write_bytes(result.data)
        written.append(str(path))
    return written
