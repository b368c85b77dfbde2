"""`underpaint jobs`, `cancel`, `fetch`: the daemon's queue."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict

from ...client import connect
from ...conversation.progress import BEFORE_PAINTING
from ...errors import ErrorCode, RequestError
from ...files.saving import ready_folder, saved
from ...wire.messages import JobState
from ...wire.records import JobInfo
from ..options import add_json, path_of
from ..output import print_result, told_seconds
from ..run import renamed, tell_saved, told, watch, write_files
from ..terminal.progress_line import told_phase
from . import changing

_ID = 32
_ENDED = {
    JobState.DONE: "was done",
    JobState.FAILED: "had failed",
    JobState.CANCELLED: "was cancelled",
}
_EXAMPLES = """\
examples:
  underpaint jobs                    newest first: when it was asked for, and its place in the queue
  underpaint jobs --json             all that is known of each
  underpaint jobs first 34d7         that one is painted next; also up, down
  underpaint jobs pause              nothing new begins until underpaint jobs resume
  underpaint jobs pause 34d7         only that one waits
"""
_CANCEL = """\
examples:
  underpaint cancel 34d779fe6a4f45258caa1e65c8c1063c
  underpaint cancel 34d7             the start of an id will do
"""
_FETCH = """\
examples:
  underpaint fetch 34d7 --out out
"""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listing = commands.add_parser(
        "jobs",
        help="list the queue and what was done lately, or change its order",
        epilog=_EXAMPLES,
    )
    changing.add_options(listing)
    add_json(listing)
    listing.set_defaults(run=_list)
    cancel = commands.add_parser("cancel", help="cancel a job", epilog=_CANCEL)
    cancel.add_argument("job", help="its id, or how that begins: see `underpaint jobs`")
    how = cancel.add_mutually_exclusive_group()
    how.add_argument("--hard", action="store_true", help="kill the worker if it does not stop")
    how.add_argument(
        "--keep",
        action="store_true",
        help="that is enough: stop, and keep the picture as it is at this step",
    )
    add_json(cancel)
    cancel.set_defaults(run=_cancel)
    fetch = commands.add_parser(
        "fetch", help="fetch the results of a job, waiting for it until it is done", epilog=_FETCH
    )
    fetch.add_argument("job", help="its id, or how that begins: see `underpaint jobs`")
    fetch.add_argument(
        "--out", type=path_of, required=True, metavar="FOLDER", help="where the results go"
    )
    add_json(fetch)
    fetch.set_defaults(run=_fetch)


def _list(args: argparse.Namespace) -> int:
    if args.action:
        return _change(args)
    with connect() as up:
        jobs, waiting = up.jobs(), changing.seen(up)
    now = time.time()
    lines = [job_line(job, now) for job in jobs]
    data = {"jobs": [asdict(job) for job in jobs], "paused": waiting.paused}
    data["yielded"] = waiting.yielded
    print_result(data, changing.told(waiting) + (lines or ["no jobs"]), args.json)
    return 0


def _change(args: argparse.Namespace) -> int:
    with connect() as up:
        job = whole_id(args.job, up.jobs) if args.job else None
        said = changing.change(up, args.action, job)
    print_result({"action": args.action, "job": job}, [said], args.json)
    return 0


def job_line(job: JobInfo, now: float) -> str:
    """A job in a line: its id, how it stands, when it was asked for, what it is."""
    asked = f"{told_seconds(now - job.created)} ago"
    return f"{job.job}  {_standing(job):<24}{asked:<12}{job.kind:<9}{job.title}".rstrip()


def _standing(job: JobInfo) -> str:
    """How it stands, with its place in the queue or how long it took."""
    if job.state is JobState.QUEUED and job.paused:
        return "paused"
    if job.state is JobState.QUEUED:
        return "next" if not job.position else f"waiting, {job.position} before it"
    if job.state is JobState.DONE:
        return f"done after {told_seconds(job.updated - job.created)}"
    progress = job.progress
    if job.state.terminal or progress is None:
        return str(job.state)
    return told_phase(progress)


def _cancel(args: argparse.Namespace) -> int:
    with connect() as up:
        job = whole_id(args.job, up.jobs)
        loads = _loads(up.job(job).info)
        met = up.cancel(job, hard=args.hard, keep=args.keep)
        after = up.job(job).info
    at_once = loads and after is not None and after.state is JobState.CANCELLED
    said = _said(met, at_once=at_once, keep=args.keep)
    print_result({"job": job, "state": met}, [f"{job}  {said}"], args.json)
    return 0


def whole_id(given: str, jobs: Callable[[], Iterable[JobInfo]]) -> str:
    """The id that `given` is or begins; `jobs` are all that are known. Raises
    RequestError(JOB_UNKNOWN)."""
    if len(given) == _ID:
        return given
    found = [job.job for job in jobs() if job.job.startswith(given)] if given else []
    if len(found) == 1:
        return found[0]
    told = f"{len(found)} jobs begin with {given}" if found else f"there is no job {given}"
    raise RequestError(ErrorCode.JOB_UNKNOWN, told, hint="See `underpaint jobs`.")


def _loads(job: JobInfo | None) -> bool:
    """Whether nothing of it is painted yet."""
    progress = None if job is None else job.progress
    return progress is None or progress.phase in BEFORE_PAINTING


def _said(met: JobState, *, at_once: bool, keep: bool) -> str:
    """What a cancel does, by the state in which it met the job. `at_once`: whether that ended a job
    whose model still loaded. `keep`: what is painted by then is wanted."""
    match met:
        case JobState.QUEUED | JobState.STARTING:
            return "cancelled before it began"
        case JobState.DONE | JobState.FAILED | JobState.CANCELLED:
            return f"{_ENDED[met]} already: there is nothing to cancel"
        case JobState.SAVING:
            return "is painted and being saved: it stops there, or ends as done all the same"
    if at_once:
        return "cancelled before anything was painted"
    return "stops at its next step" + (" and keeps the picture as it is then" if keep else "")


def _fetch(args: argparse.Namespace) -> int:
    ready_folder(args.out)
    with connect() as up, told() as line:
        job = whole_id(args.job, up.jobs)
        waited_for = up.job(job)
        line.job(texture=waited_for.info is not None and waited_for.info.kind == "texture")
        watch(up, waited_for, line)
        results = waited_for.result()
    files, problem = saved(args.out, lambda folder: write_files(results, folder))
    data = {"job": job, "files": files, "notes": renamed(results, files)}
    return tell_saved(data, files, problem, as_json=args.json)
