"""`underpaint jobs`, `cancel`, `fetch`: the daemon's queue."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from ..client import connect
from ..files.saving import ready_folder, saved
from ..wire.messages import JobState
from .options import add_json, path_of
from .output import print_result
from .run import renamed, tell_saved, write_files


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listing = commands.add_parser("jobs", help="list the queue and what was done lately")
    add_json(listing)
    listing.set_defaults(run=_list)
    cancel = commands.add_parser("cancel", help="cancel a job")
    cancel.add_argument("job", help="the job's id, see `underpaint jobs`")
    how = cancel.add_mutually_exclusive_group()
    how.add_argument("--hard", action="store_true", help="kill the worker if it does not stop")
    how.add_argument(
        "--keep",
        action="store_true",
        help="that is enough: stop, and keep the picture as it is at this step",
    )
    add_json(cancel)
    cancel.set_defaults(run=_cancel)
    fetch = commands.add_parser("fetch", help="fetch the results of a job that is done")
    fetch.add_argument("job", help="the job's id")
    fetch.add_argument("--out", type=path_of, required=True, help="folder for the results")
    add_json(fetch)
    fetch.set_defaults(run=_fetch)


def _list(args: argparse.Namespace) -> int:
    with connect() as up:
        jobs = up.jobs()
    lines = [f"{job.job}  {job.state:<10} {job.kind:<8} {job.title}" for job in jobs]
    data = {"jobs": [asdict(job) for job in jobs]}
    print_result(data, lines or ["no jobs"], args.json)
    return 0


def _cancel(args: argparse.Namespace) -> int:
    with connect() as up:
        state = up.cancel(args.job, hard=args.hard, keep=args.keep)
    print_result({"job": args.job, "state": state}, [f"{args.job}  {_said(state)}"], args.json)
    return 0


def _said(met: JobState) -> str:
    """What a cancel does, by the state in which it met the job."""
    if met is JobState.QUEUED:
        return "cancelled before it began"
    return str(met) if met.terminal else "stops at its next step"


def _fetch(args: argparse.Namespace) -> int:
    ready_folder(args.out)
    with connect() as up:
        results = up.job(args.job).result()
    files, problem = saved(args.out, lambda folder: write_files(results, folder))
    data = {"job": args.job, "files": files, "notes": renamed(results, files)}
    return tell_saved(data, files, problem, as_json=args.json)
