"""`underpaint daemon start|stop|status|logs`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from ..client import connect
from ..errors import ConnectionLost, ErrorCode
from ..paths import user_paths
from .options import add_json
from .output import print_result


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("daemon", help="start, stop and watch the daemon")
    parser.add_argument("action", choices=("start", "stop", "status", "logs"))
    parser.add_argument("--lines", type=int, default=40, help="how many log lines")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    actions = {"start": _start, "stop": _stop, "status": _status, "logs": _logs}
    return actions[args.action](args)


def _start(args: argparse.Namespace) -> int:
    with connect() as up:
        status = asdict(up.status())
    print_result(status, _status_lines(status), args.json)
    return 0


def _status(args: argparse.Namespace) -> int:
    """Never starts a daemon; says so when there is none."""
    try:
        with connect(start=False) as up:
            status = asdict(up.status())
    except ConnectionLost as error:
        if error.code is not ErrorCode.DAEMON_ABSENT:
            raise
        print_result({"state": "absent"}, [f"absent ({error.terminal_hint})"], args.json)
        return 0
    print_result(status, _status_lines(status), args.json)
    return 0


def _stop(args: argparse.Namespace) -> int:
    try:
        with connect(start=False) as up:
            up.shutdown()
    except ConnectionLost as error:
        if error.code is not ErrorCode.DAEMON_ABSENT:
            raise
    print_result({"state": "stopped"}, ["stopped; queued jobs are kept"], args.json)
    return 0


def _logs(args: argparse.Namespace) -> int:
    """From the file, so that it works when the daemon does not."""
    path = user_paths().logs / "daemon.log"
    text = path.read_text(errors="replace") if path.exists() else ""
    lines = text.splitlines()[-args.lines :]
    print_result({"file": str(path), "lines": lines}, lines or [f"no log yet at {path}"], args.json)
    return 0


def _status_lines(status: dict[str, Any]) -> list[str]:
    return [f"{name:<16}{value}" for name, value in sorted(status.items())]
