"""`underpaint models token [store|remove]`: the token that gated models want."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from underpaint.paths import Paths

from . import tokens

_TOLD = {
    "variable": tokens.VARIABLE,
    "keyring": "the system's keyring",
    "file": f"{tokens.FILE} in the data folder",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """No option takes a token: what stands on a command line can be read by all programs."""
    parser.add_argument(
        "what",
        nargs="?",
        default="show",
        choices=("show", "store", "remove"),
        help="show: where there is one (default); store: it is asked for unseen, or read from "
        "standard input; remove: from keyring and file",
    )
    parser.add_argument(
        "--file",
        action="store_true",
        help="store it in a file of the data folder that only you can read, not in the keyring",
    )


def run(args: argparse.Namespace, paths: Paths) -> tuple[Mapping[str, Any], list[str]]:
    """What is to be printed, as data and in lines. Raises RequestError."""
    if args.what == "store":
        return _store(args, paths)
    if args.what == "remove":
        removed, problem = tokens.remove(paths)
        lines = [f"removed from {place}" for place in removed] or ["none was kept"]
        return {"removed": removed, "keyring_problem": problem}, [*lines, *filter(None, [problem])]
    found = tokens.whereabouts(paths, os.environ)
    names = [told for place, told in _TOLD.items() if found[place]]
    first = [f"used: the token of {names[0]}"] if names else ["there is no token"]
    more = [f"there is one in {name}, too" for name in names[1:]]
    return found, [*first, *more, *filter(None, [str(found["keyring_problem"])])]


def _store(args: argparse.Namespace, paths: Paths) -> tuple[Mapping[str, Any], list[str]]:
    if args.file:
        file = tokens.store_in_file(paths, tokens.asked_for())
        return {"stored": str(file)}, [f"stored in {file}"]
    tokens.stored_in_keyring()  # a keyring that cannot be used is told before the token is typed
    tokens.store_in_keyring(tokens.asked_for())
    return {"stored": "keyring"}, ["stored in the system's keyring"]
