"""`python -m underpaint_daemon serve`: its options."""

from __future__ import annotations

import argparse

from underpaint.paths import user_paths

from .assembly import serve
from .config import DEFAULT_RUNNER, Config

_MINUTE = 60.0


def main(argv: list[str]) -> int:
    """Run the daemon in this process until it is told to end."""
    options = _parser().parse_args(argv)
    config = Config(
        paths=user_paths(),
        bind=options.bind,
        runner=options.runner,
        idle_exit=options.idle_exit * _MINUTE,
        idle_unload=options.idle_unload * _MINUTE,
        cancel_grace=options.cancel_grace,
        results_bytes=options.results_mb * 1_000_000,
        blob_bytes=options.buffers_mb * 1_000_000,
    )
    return serve(config)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="underpaint_daemon serve",
        description="The Underpaint daemon. Folders: UNDERPAINT_DATA, UNDERPAINT_CACHE.",
    )
    add = parser.add_argument
    add("--bind", default="127.0.0.1", help="address to listen on (default: this machine only)")
    add("--runner", default=DEFAULT_RUNNER, metavar="MODULE:FACTORY", help="what runs the jobs")
    add("--idle-exit", type=float, default=60, metavar="MIN", help="0 = never (default 60)")
    add("--idle-unload", type=float, default=5, metavar="MIN", help="give memory back (default 5)")
    add("--cancel-grace", type=float, default=2, metavar="S", help="before a hard cancel kills")
    add("--results-mb", type=int, default=10_000, help="room for results (default 10000)")
    add("--buffers-mb", type=int, default=4_000, help="room for captured buffers (default 4000)")
    return parser
