"""`underpaint material`: a picture that repeats without a seam, and its PBR maps."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..buffers import Buffers, Kind
from ..imagefile import read_color
from ..requests import STARTER_MODEL, ImageRequest, Pbr, Prompt, TileAxes
from .generate import add_sampling, lora_of, sampling_of, tile_of
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
        formatter_class=argparse.RawTextHelpFormatter,
    )
    defaults = ImageRequest(Prompt())
    parser.add_argument("--prompt", required=True, help="what the material is")
    parser.add_argument("--negative", default="", help="what to keep away from")
    parser.add_argument("--model", default=STARTER_MODEL, help="a model's name or folder")
    parser.add_argument("--size", type=int, default=defaults.width, help="pixels a side")
    parser.add_argument("--tile", default=TileAxes.XY.value, help="repeat: " + ", ".join(TileAxes))
    add_pbr(parser)
    parser.add_argument("--init", type=Path, help="start from this image")
    parser.add_argument("--strength", type=float, default=defaults.strength)
    add_sampling(parser)
    parser.add_argument("--lora", action="append", default=[], metavar="FILE[:WEIGHT]")
    parser.add_argument("--batch", type=int, default=defaults.batch, help="number of materials")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_run)


def add_pbr(parser: argparse.ArgumentParser) -> None:
    """The options that ask for maps; `pbr_of` reads them."""
    parser.add_argument("--pbr", action="store_true", help="base colour, roughness, normal, ...")
    parser.add_argument("--pbr-model", metavar="FOLDER", help="Marigold intrinsics (diffusers)")
    parser.add_argument("--pbr-normal-model", metavar="FOLDER", help="Marigold normals (diffusers)")


def pbr_of(args: argparse.Namespace) -> Pbr | None:
    """The maps that are asked for; a model alone asks for them too."""
    if not (args.pbr or args.pbr_model or args.pbr_normal_model):
        return None
    return Pbr(args.pbr_model, args.pbr_normal_model)


def _run(args: argparse.Namespace) -> int:
    request, buffers = build_request(args)
    return run_job(request, buffers, args.out, as_json=args.json)


def build_request(args: argparse.Namespace) -> tuple[ImageRequest, Buffers]:
    """The request that the arguments mean. Raises RequestError."""
    buffers = Buffers()
    request = ImageRequest(
        prompt=Prompt(args.prompt, args.negative),
        model=args.model,
        width=args.size,
        height=args.size,
        sampling=sampling_of(args),
        batch=args.batch,
        init=None if args.init is None else buffers.add(Kind.COLOR, read_color(args.init)),
        strength=args.strength,
        loras=tuple(lora_of(text) for text in args.lora),
        tile=tile_of(args.tile),
        pbr=pbr_of(args),
    )
    return request, buffers
