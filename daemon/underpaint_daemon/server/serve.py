"""`python -m underpaint_daemon serve`: its options. What is not given comes from the settings."""

from __future__ import annotations

import argparse
import importlib.util

from underpaint.cli.terminal.parser import Parser
from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths, user_paths
from underpaint.settings import SETTINGS, Setting, Value, read_settings

from .assembly import serve
from .config import DAY, DEFAULT_RUNNER, Config

_MINUTE, _MB = 60.0, 1_000_000
_OPTIONS = {
    "idle_exit_minutes": "--idle-exit",
    "idle_unload_minutes": "--idle-unload",
    "cancel_grace_seconds": "--cancel-grace",
    "results_days": "--results-days",
    "results_mb": "--results-mb",
    "buffers_mb": "--buffers-mb",
    "caches_mb": "--caches-mb",
    "gpu": "--gpu",
    "worker_memory_mb": "--worker-memory-mb",
}


def main(argv: list[str]) -> int:
    """Run the daemon in this process until it is told to end."""
    options = _parser().parse_args(argv)
    return serve(_config(user_paths(), options))


def _config(paths: Paths, options: argparse.Namespace) -> Config:
    values = {**read_settings(paths), **_given(options)}
    return Config(
        paths=paths,
        bind=options.bind,
        runner=_runner(options.runner),
        idle_exit=float(values["idle_exit_minutes"]) * _MINUTE,
        idle_unload=float(values["idle_unload_minutes"]) * _MINUTE,
        cancel_grace=float(values["cancel_grace_seconds"]),
        results_age=float(values["results_days"]) * DAY,
        results_bytes=int(values["results_mb"]) * _MB,
        blob_bytes=int(values["buffers_mb"]) * _MB,
        cache_bytes=int(values["caches_mb"]) * _MB,
        gpu=str(values["gpu"]),
        worker_memory=int(values["worker_memory_mb"]) * _MB,
    )


def _runner(name: str) -> str:
    """`module:function` of a module that is there; only the worker imports it."""
    module, _, function = name.partition(":")
    try:
        there = bool(function) and importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a package that is none, or no name at all
        there = False
    if not there:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--runner is {name!r}; expected MODULE:FACTORY, a module that this Python finds",
            hint=f"The daemon's own is {DEFAULT_RUNNER}.",
        )
    return name


def _given(options: argparse.Namespace) -> dict[str, Value]:
    said = {name: getattr(options, name) for name in _OPTIONS}
    return {name: SETTINGS[name].parsed(v, "serve") for name, v in said.items() if v is not None}


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m underpaint_daemon serve",
        description="The Underpaint daemon. Folders: UNDERPAINT_DATA, UNDERPAINT_CACHE.",
    )
    add = parser.add_argument
    add("--bind", default="127.0.0.1", help="address to listen on (default: this machine only)")
    add("--runner", default=DEFAULT_RUNNER, metavar="MODULE:FACTORY", help="what runs the jobs")
    for name, option in _OPTIONS.items():
        add(option, dest=name, metavar=_word(SETTINGS[name]), help=SETTINGS[name].told)
    return parser


def _word(known: Setting) -> str:
    return known.name.rpartition("_")[2].upper()
