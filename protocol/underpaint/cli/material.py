"""`underpaint material`: a picture that repeats without a seam, and its PBR maps."""

from __future__ import annotations

import argparse

from ..buffers import Buffers
from ..requests import ImageRequest, Prompt, TileAxes
from .options import (
    add_json,
    add_model,
    add_pattern,
    add_pbr,
    add_results,
    add_sampling,
    add_tile,
    add_words,
    grouped,
    painting_of,
    path_of,
    pbr_of,
    picture_of,
    tile_of,
)
from .run import run_job

_EPILOG = """\
examples:
  underpaint material --prompt "mossy stone" --size 512 --pbr --out moss
  underpaint material --prompt "cracked clay" --init photo.png --strength 0.6 --out clay
Beside the picture come a preview on a plane and a ball, and material.json, which says how visible
the seams are (1 = like any other place) and how each map was made.
"""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "material",
        help="paint a material that repeats without a seam",
        epilog=_EPILOG,
    )
    defaults = ImageRequest(Prompt())
    add_words(parser, "what the material is")
    add_results(parser, "materials")
    parser.add_argument("--size", type=int, help="pixels a side; default: the model's own")
    add_tile(parser, TileAxes.XY)
    add_json(parser)
    add_pbr(parser)
    start = grouped(parser, "painting on a picture").add_argument
    start("--init", type=path_of, metavar="IMAGE", help="start from this image")
    start("--strength", type=float, default=defaults.strength, help="how far to go from it, 0 to 1")
    add_model(parser)
    add_sampling(parser)
    add_pattern(parser, "the part of the tile's width")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    request, buffers = build_request(args)
    return run_job(request, buffers, args.out, as_json=args.json)


def build_request(args: argparse.Namespace) -> tuple[ImageRequest, Buffers]:
    """The request that the arguments mean. Raises RequestError."""
    buffers = Buffers()
    request = ImageRequest(
        **painting_of(args),
        width=args.size,
        height=args.size,
        init=picture_of(args.init, buffers),
        strength=args.strength,
        tile=tile_of(args),
        pbr=pbr_of(args),
    )
    return request, buffers
