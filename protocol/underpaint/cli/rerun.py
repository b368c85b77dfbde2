"""`underpaint rerun FILE`: make a result again from the recipe it carries; `underpaint variations
FILE`: more of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..buffers import Buffers
from ..files.imagefile import read_color
from ..files.inputs import load_inputs
from ..files.recipe import read_recipe, recipe_request
from ..pictures.variations import STRENGTH, variations
from ..requests import Request
from ..tree import request_digest
from .options import add_json, path_of
from .run import run_job

_RERUN = """\
examples:
  underpaint rerun out/image_0.png
  underpaint rerun out/image_0.json --out again

The same request with the same seed: on the same machine, the same picture."""
_VARIATIONS = """\
examples:
  underpaint variations out/image_0.png --out more
  underpaint variations out/image_0.png --batch 8 --strength 0.3 --out more"""
_OUT = "where the results go"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "rerun", help="make a result again from its PNG or JSON", epilog=_RERUN
    )
    parser.add_argument("file", type=path_of, help="a result's PNG, or its JSON sidecar")
    parser.add_argument(
        "--out", type=path_of, metavar="FOLDER", help=f"{_OUT}; default: beside FILE"
    )
    add_json(parser)
    parser.set_defaults(run=_run)
    vary = commands.add_parser(
        "variations", help="more of a picture, from its PNG or JSON", epilog=_VARIATIONS
    )
    vary.add_argument("file", type=path_of, help="a result's PNG, or its JSON sidecar beside it")
    told = "how far they leave the picture, 0 to 1; 1 is other seeds alone; default: %(default)s"
    vary.add_argument("--strength", type=float, default=STRENGTH, help=told)
    vary.add_argument("--batch", type=int, default=4, help="number of images; default: %(default)s")
    vary.add_argument("--seed", type=int, help="of the first; default: counts on from the file's")
    vary.add_argument("--out", type=path_of, required=True, metavar="FOLDER", help=_OUT)
    add_json(vary)
    vary.set_defaults(run=_vary)


def _run(args: argparse.Namespace) -> int:
    request = recipe_request(read_recipe(args.file))
    buffers = load_inputs(args.file.parent, request)
    out = args.out or args.file.parent / f"rerun-{request_digest(request)[:8]}"
    return run_job(request, buffers, out, as_json=args.json)


def _vary(args: argparse.Namespace) -> int:
    request, buffers = variations_request(args)
    return run_job(request, buffers, args.out, as_json=args.json)


def variations_request(args: argparse.Namespace) -> tuple[Request, Buffers]:
    """The request that the arguments mean. Raises RequestError."""
    made = recipe_request(read_recipe(args.file))
    buffers = load_inputs(args.file.parent, made)
    picture = read_color(_picture_of(args.file))
    told = {"strength": args.strength, "count": args.batch, "seed": args.seed}
    return variations(made, picture, buffers, **told), buffers


def _picture_of(file: Path) -> Path:
    return file.with_suffix(".png") if file.suffix.lower() == ".json" else file
