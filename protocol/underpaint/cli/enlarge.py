"""`underpaint upscale`, `outpaint`: a picture larger, in detail or in extent."""

from __future__ import annotations

import argparse
from typing import Any

from ..buffers import Buffers, Kind
from ..errors import ErrorCode, RequestError
from ..files.imagefile import read_color
from ..pictures.outpaint import Sides, outpaint, sides_for
from ..requests import InpaintRequest, Prompt, UpscaleRequest
from .options import add_json, add_model, add_sampling, add_words, loras_of, path_of, sampling_of
from .output import picture
from .parts.controls import add_control, controls_of
from .run import run_job

_UPSCALE = """\
examples:
  underpaint upscale out/image_0.png --prompt "a red brick head" --out large
  underpaint upscale photo.jpg --prompt "oak bark" --factor 4 --strength 0.2 --out large
"""
_OUTPAINT = """\
examples:
  underpaint outpaint out/image_0.png --prompt "a wall" --left 128 --right 128 --out wide
  underpaint outpaint out/image_0.png --prompt "a wall" --aspect 16:9 --out wide
"""
_SIDES = ("left", "top", "right", "bottom")


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    usual = UpscaleRequest.__dataclass_fields__
    upscale = commands.add_parser(
        "upscale", help="enlarge a picture and paint its detail", epilog=_UPSCALE
    )
    _add_common(upscale, "what the picture shows")
    upscale.add_argument("--factor", type=float, default=2.0, help="2 to 4 (default 2)")
    upscale.add_argument(
        "--strength", type=float, help=f"how much is painted anew (default {_told(usual)})"
    )
    upscale.add_argument("--tile", type=int, metavar="PIXELS", help="default: the model's own")
    upscale.add_argument("--overlap", type=int, metavar="PIXELS", help="of tiles (default 64)")
    upscale.set_defaults(run=_upscale)
    grow = commands.add_parser(
        "outpaint", help="paint beyond the edges of a picture", epilog=_OUTPAINT
    )
    _add_common(grow, "what is to be seen")
    for side in _SIDES:
        grow.add_argument(f"--{side}", type=int, default=0, metavar="PIXELS", help="to add")
    grow.add_argument("--aspect", metavar="W:H", help="in place of sides: grow to this, as 16:9")
    grow.add_argument("--batch", type=int, default=1, help="number of images")
    grow.set_defaults(run=_outpaint)


def _told(fields: Any) -> str:
    return f"{fields['strength'].default:g}"


def _add_common(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("picture", type=path_of, help="an image file")
    add_words(parser, what, required=False)
    told = "where the results go"
    parser.add_argument("--out", type=path_of, required=True, metavar="FOLDER", help=told)
    add_json(parser)
    add_control(parser)
    add_model(parser)
    add_sampling(parser)


def _upscale(args: argparse.Namespace) -> int:
    request, buffers = upscale_request(args)
    return run_job(request, buffers, args.out, as_json=args.json)


def upscale_request(args: argparse.Namespace) -> tuple[UpscaleRequest, Buffers]:
    """The request that the arguments mean. Raises RequestError."""
    buffers = Buffers()
    named = {name: getattr(args, name) for name in ("strength", "tile", "overlap")}
    image = buffers.add(Kind.COLOR, picture(args.picture, read_color))
    request = UpscaleRequest(
        image=image,
        factor=args.factor,
        controls=controls_of(args.control, buffers),
        **_painting(args),
        **{name: value for name, value in named.items() if value is not None},
    )
    return request, buffers


def _outpaint(args: argparse.Namespace) -> int:
    request, buffers = outpaint_request(args)
    return run_job(request, buffers, args.out, as_json=args.json)


def outpaint_request(args: argparse.Namespace) -> tuple[InpaintRequest, Buffers]:
    """The request that the arguments mean. Raises RequestError."""
    buffers, image = Buffers(), picture(args.picture, read_color)
    sides = Sides(*(getattr(args, side) for side in _SIDES))
    if args.aspect is not None:
        if sides != Sides():
            raise RequestError(
                ErrorCode.BAD_REQUEST, "--aspect and sides were given", hint="Give one of them."
            )
        sides = sides_for(image.shape[1], image.shape[0], _aspect(args.aspect))
    controls = controls_of(args.control, buffers)
    painting = _painting(args)
    prompt = painting.pop("prompt")
    request = outpaint(
        image, sides, buffers, prompt, controls=controls, batch=args.batch, **painting
    )
    return request, buffers


def _painting(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "prompt": Prompt(args.prompt, args.negative),
        "model": args.model,
        "sampling": sampling_of(args),
        "loras": loras_of(args),
    }


def _aspect(text: str) -> float:
    width, _, height = text.partition(":")
    try:
        return float(width) / float(height or 1)
    except (ValueError, ZeroDivisionError) as error:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--aspect {text!r}: expected W:H, as 16:9, or a number"
        ) from error
