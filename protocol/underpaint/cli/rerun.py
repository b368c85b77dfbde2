"""`underpaint rerun FILE`: make a result again from the recipe it carries."""

from __future__ import annotations

import argparse

from ..files.inputs import load_inputs
from ..files.recipe import read_recipe, recipe_request
from ..tree import request_digest
from .options import add_json, path_of
from .run import run_job


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("rerun", help="make a result again from its PNG or JSON")
    parser.add_argument("file", type=path_of, help="a result's PNG, or its JSON sidecar")
    parser.add_argument("--out", type=path_of, help="folder for the results; default: beside FILE")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    request = recipe_request(read_recipe(args.file))
    buffers = load_inputs(args.file.parent, request)
    out = args.out or args.file.parent / f"rerun-{request_digest(request)[:8]}"
    return run_job(request, buffers, out, as_json=args.json)
