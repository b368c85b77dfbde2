"""`underpaint daemon start|stop|status|logs`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..client import connect
from ..errors import ConnectionLost, ErrorCode, RequestError
from ..launcher import running_connection
from ..paths import user_paths
from .options import add_json
from .output import print_result, told_count, told_seconds

_EXAMPLES = """\
examples:
  underpaint daemon status           whether it runs, and what it does; starts none
  underpaint daemon logs --lines 100
  underpaint daemon stop             queued jobs are kept, and go on at the next start

It starts by itself at the first request and stops when it has been idle."""
_PAINTER = {
    "absent": "not started yet: at the first job",
    "starting": "starting",
    "idle": "ready",
    "busy": "painting",
}


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "daemon", help="start, stop and watch the daemon", epilog=_EXAMPLES
    )
    parser.add_argument("action", choices=("start", "stop", "status", "logs"))
    parser.add_argument(
        "--lines", type=int, default=40, help="how many of the log; default: %(default)s"
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    actions = {"start": _start, "stop": _stop, "status": _status, "logs": _logs}
    return actions[args.action](args)


def _start(args: argparse.Namespace) -> int:
    with connect() as up:
        status = asdict(up.status())
    print_result({"state": "running", **status}, status_lines(status), args.json)
    return 0


def _status(args: argparse.Namespace) -> int:
    """Never starts a daemon; says so when there is none."""
    try:
        with connect(start=False) as up:
            status = asdict(up.status())
    except ConnectionLost as error:
        if error.code is not ErrorCode.DAEMON_ABSENT:
            raise
        _absent(args, "not running", f" ({error.terminal_hint})")
        return 0
    print_result({"state": "running", **status}, status_lines(status), args.json)
    return 0


def _stop(args: argparse.Namespace) -> int:
    try:
        with connect(start=False) as up:
            status = up.status()
            up.shutdown()
    except ConnectionLost:
        if running_connection(user_paths()) is not None:  # else it ended, or another ended it
            raise
        _absent(args, "none was running")
        return 0
    kept = f"; {told_count(status.queued, 'queued job')} kept" if status.queued else ""
    if status.running is not None:
        said = f"stops when {status.running} is painted{kept}"
        print_result({"state": "stopping"}, [said], args.json)
        return 0
    print_result({"state": "stopped"}, [f"stopped{kept}"], args.json)
    return 0


def _absent(args: argparse.Namespace, said: str, more: str = "") -> None:
    """That there is none, and where it was looked for: one may run for another data folder."""
    data = str(user_paths().data)
    print_result({"state": "absent", "data": data}, [f"{said} for {data}{more}"], args.json)


def _logs(args: argparse.Namespace) -> int:
    """From the file, so that it works when the daemon does not."""
    if args.lines < 1:
        raise RequestError(ErrorCode.BAD_REQUEST, f"--lines is {args.lines}; expected 1 or more")
    path = user_paths().logs / "daemon.log"
    text = path.read_text(errors="replace") if path.exists() else ""
    lines = text.splitlines()[-args.lines :]
    print_result({"file": str(path), "lines": lines}, lines or [f"no log yet at {path}"], args.json)
    return 0


def status_lines(status: Mapping[str, Any]) -> list[str]:
    """What a person wants to know of a daemon's status (`StatusOk` as data)."""
    memory = status["memory"].get("rss")
    painter = _PAINTER.get(status["worker"], status["worker"])
    rows = {
        "running": f"for {told_seconds(status['uptime_s'])}, version {status['daemon_version']}",
        "painter": painter + (f", {memory / 2**30:.1f} GiB of memory" if memory else ""),
        "device": status["device"],
        "painting": status["running"],
        "waiting": told_count(status["queued"], "job"),
        "process": f"{status['pid']}"
        + (f", painter {status['worker_pid']}" if status["worker_pid"] else ""),
    }
    return [f"{name:<10}{value}" for name, value in rows.items() if value]
