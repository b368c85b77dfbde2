"""`underpaint config get|set|unset|list|path`: the settings of this machine (see `settings`)."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ..errors import ErrorCode, RequestError
from ..paths import user_paths
from ..settings import (
    SETTINGS,
    config_file,
    read_settings,
    setting,
    stored_settings,
    write_settings,
)
from .options import add_json
from .output import print_result

_EXAMPLES = """\
examples:
  underpaint config list             every setting, where it comes from and what it means
  underpaint config set idle_exit_minutes 240
  underpaint config unset idle_exit_minutes
  underpaint config path             the file that holds them

An option counts first, then the environment variable, then the file, then the default."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "config", help="read and change the settings of this machine", epilog=_EXAMPLES
    )
    parser.add_argument("action", choices=("get", "set", "unset", "list", "path"))
    parser.add_argument("name", nargs="?", help=", ".join(SETTINGS))
    parser.add_argument("value", nargs="?", help="what to set it to")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    wanted = {"get": 1, "unset": 1, "set": 2}.get(args.action, 0)
    if (args.name, args.value)[wanted:] != (None,) * (2 - wanted):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"config {args.action}: too many words",
            hint="See `underpaint config --help`.",
        )
    actions = {"get": _get, "set": _set, "unset": _set, "list": _list, "path": _path}
    data, lines = actions[args.action](args)
    print_result(data, lines, args.json)
    return 0


def _list(_args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    values, stored = read_settings(user_paths()), stored_settings(config_file(user_paths()))
    rows: dict[str, Any] = {}
    for name, known in SETTINGS.items():
        source = "default"
        if os.environ.get(known.variable):
            source = known.variable
        elif name in stored:
            source = "file"
        rows[name] = {
            "value": values[name],
            "default": known.default,
            "from": source,
            "variable": known.variable,
            "means": known.told,
        }
    lines = [f"{n:<22}{r['value']!s:<10}({r['from']}) {r['means']}" for n, r in rows.items()]
    return rows, lines


def _get(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    name = setting(_name(args), "config get").name
    value = read_settings(user_paths())[name]
    return {name: value}, [str(value)]


def _set(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    name, file = _name(args), config_file(user_paths())
    stored = stored_settings(file, but=name)  # a wrong value is mended by this, too
    if args.action == "unset":
        known = SETTINGS.get(name)
        if known is None and not _has(file, name):  # what is no setting may go, too
            setting(name, "config unset")
    else:
        known = setting(name, "config set")
        if args.value is None:
            raise RequestError(ErrorCode.BAD_REQUEST, f"config set {name}: give a value")
        stored[name] = known.parsed(args.value, "config set")
    write_settings(file, stored)
    value = stored.get(name, known.default if known else None)
    shown = "empty" if value == "" else value
    said = f"{name} is {shown} from the daemon's next start on" if known else f"{name} is gone"
    return {name: value, "file": str(file)}, [said]


def _has(file: Path, name: str) -> bool:
    """Whether the file sets what is no setting, for which it is refused as a whole."""
    try:
        stored_settings(file)
    except RequestError:
        return name in file.read_text(encoding="utf-8-sig")
    return False


def _path(_args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    file = config_file(user_paths())
    return {"file": str(file), "exists": file.exists()}, [str(file)]


def _name(args: argparse.Namespace) -> str:
    if args.name is None:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"config {args.action}: which? known: {', '.join(SETTINGS)}"
        )
    return str(args.name)
