"""Run one job from the command line: progress, cancel on Ctrl-C, results into a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..buffers import Buffers
from ..client import Client, connect
from ..conversation.usual import DAEMON, learned
from ..errors import RequestError
from ..events import ResultFile
from ..files.claims import write_new
from ..files.inputs import save_inputs
from ..files.saving import ready_folder, saved
from ..job import Job
from ..launcher import running_connection
from ..paths import user_paths
from ..requests import Request
from ..tree import request_digest
from .guard import exit_code
from .output import print_error, print_result
from .queue.turn import Turn
from .terminal.progress_line import ProgressLine


def run_job(request: Request, buffers: Buffers, out: Path, *, as_json: bool) -> int:
    """Submit, follow, save."""
    ready_folder(out)
    with told() as line, reached(line) as up:
        job = up.submit(request, buffers)
        follow(up, job, line)
        results = job.result()
    digest = request_digest(request)

    def write(folder: Path) -> tuple[list[str], str | None]:
        return write_files(results, folder), save_inputs(folder, digest, buffers)

    (files, inputs), problem = saved(out, write, _kept(job.id))
    notes = renamed(results, files)
    data: dict[str, Any] = {"job": job.id, "files": files, "inputs": inputs, "notes": notes}
    return tell_saved(data, files, problem, as_json=as_json)


def _kept(job: str) -> str:
    return f"Nothing is lost: make room, then run `underpaint fetch {job} --out FOLDER`."


def tell_saved(
    data: dict[str, Any], files: list[str], problem: RequestError | None, *, as_json: bool
) -> int:
    """Print what was done, and where it went instead, if it did; the exit code."""
    if problem is None:
        print_result(data, [*files, *(f"note: {note}" for note in data["notes"])], as_json)
        return 0
    print_result({**data, "error": problem.to_dict()}, files, as_json)
    print_error(problem, as_json=False)
    return exit_code(problem)


@contextmanager
def reached(line: ProgressLine) -> Iterator[Client]:
    """The daemon, started if there is none, and how long that still takes."""
    paths = user_paths()
    if running_connection(paths) is not None:
        line.doing("reaching the daemon", logged=False)
        with connect(paths) as up:
            yield up
        return
    with ExitStack() as stack:
        with learned(paths, DAEMON) as usual_s:
            line.doing("starting the daemon", usual_s=usual_s)
            up = stack.enter_context(connect(paths))
        yield up


@contextmanager
def told() -> Iterator[ProgressLine]:
    """A line for what goes on, which is gone when it is over, however it ends."""
    line = ProgressLine()
    try:
        yield line
    finally:
        line.end()


def watch(up: Client, job: Job, line: ProgressLine) -> None:
    """Show a job's place in the queue and its progress until it ends."""
    turn = Turn(up, job, line)
    for event in job.events(meanwhile=turn.look):
        line.event(event)


def follow(up: Client, job: Job, line: ProgressLine) -> None:
    """`watch`; Ctrl-C cancels the job and keeps the daemon."""
    try:
        watch(up, job, line)
    except KeyboardInterrupt:
        job.cancel()
        raise


def write_files(results: Iterable[ResultFile], out: Path) -> list[str]:
    """Write every result, over nothing that is there (see `write_new`); the paths. Raises
    OSError."""
    files = {result.name: result.data for result in results}
    return [str(path) for path in write_new(out, files)]


def renamed(results: Iterable[ResultFile], files: Iterable[str]) -> list[str]:
    """A note where results have other names than they would, since those were taken."""
    pairs = [(result.name, Path(file).name) for result, file in zip(results, files, strict=True)]
    others = [(given, kept) for given, kept in pairs if given != kept]
    if not others:
        return []
    given, kept = others[0]
    return [f"{given} was there already and is kept; what was made now is {kept}"]
