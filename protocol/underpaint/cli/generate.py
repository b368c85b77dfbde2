"""`underpaint generate`: paint one image, from a captured view, control images or words alone."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np

from ..buffers import BufferRef, Buffers, Kind
from ..cameras import Camera, look_at, perspective
from ..errors import ErrorCode, RequestError
from ..files.imagefile import read_depth, read_mask
from ..files.viewfile import SceneObject, load_objects, load_view
from ..requests import (
    HANDOFF,
    ImageRequest,
    InpaintRequest,
    Prompt,
    Refiner,
    Request,
    View,
)
from .options import (
    add_json,
    add_model,
    add_pattern,
    add_results,
    add_sampling,
    add_tile,
    add_words,
    grouped,
    model_of,
    painting_of,
    path_of,
    picture_of,
    sampling_of,
    split_numbers,
    tile_of,
)
from .output import picture
from .parts.controls import add_control, controls_of
from .parts.following import add_leave_alone, follow, leave_alone_in
from .parts.references import add_reference, references_of
from .parts.regions import add_region, regions_of
from .run import run_job

MIN_SIDE, MAX_SIDE = 64, 8192  # pixels
_EPILOG = """\
examples:
  underpaint generate --prompt "a red brick head" --view view.npz --out out
  underpaint generate --prompt "mossy stone head" --view view.npz --control depth --out out
  underpaint generate --prompt "red brick cube" --control canny=photo.png:0.8 --out out
  underpaint generate --model my.safetensors --prompt "oak" --view view.npz \\
      --control depth@control_v11f1p_sd15_depth.safetensors:0.8 --out out
  underpaint generate --prompt "oak" --model klein --view view.npz --reference depth \\
      --reference style=wood.jpg --out out
  underpaint generate --prompt "a wall" --region left.png="red bricks" \\
      --region right.png=moss:0.8 --out out
  underpaint generate --prompt "a yard" --view view.npz \\
      --region Vase="blue china:lora=delft.safetensors:0.8" --out out
  underpaint generate --prompt "gold" --init render.png --strength 0.5 --mask spot.png --out out
"""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "generate",
        help="paint an image",
        epilog=_EPILOG,
    )
    group = grouped(parser, "what it follows")
    told = "a captured view (.npz), as `underpaint capture` writes it"
    group.add_argument("--view", type=path_of, metavar="FILE", help=told)
    told = "depth in metres (.npy, .npz, .exr) in place of a view"
    group.add_argument("--depth", type=path_of, metavar="FILE", help=told)
    told = "paint nothing: write what the controls' networks would be shown"
    group.add_argument("--only-controls", action="store_true", help=told)
    add_painting(parser)
    parser.set_defaults(run=_run)


def add_painting(parser: argparse.ArgumentParser) -> None:
    """The options of an image, whatever its view comes from; `build_request` reads them."""
    defaults = ImageRequest(Prompt())
    add_words(parser, "what to paint")
    add_results(parser, "images")
    told = "pixels, as 512x512 or 512; default: the model's own"
    parser.add_argument("--size", metavar="WIDTHxHEIGHT", help=told)
    add_tile(parser, defaults.tile)
    add_json(parser)
    add_control(parser)
    add_leave_alone(parser)
    add_reference(parser, "depth, normal and color alone come from the view; ")
    start = grouped(parser, "painting on a picture").add_argument
    start("--init", type=path_of, metavar="IMAGE", help="start from this image")
    told = "repaint only where this image is white"
    start("--mask", type=path_of, metavar="IMAGE", help=told)
    told = "how far to go from --init, 0 to 1"
    start("--strength", type=float, help=told)
    add_region(parser)
    add_model(parser)
    model = grouped(parser, "model").add_argument
    model(
        "--refiner",
        metavar="MODEL[:STRENGTH]",
        help="a second model that finishes the picture, as SDXL's refiner; default strength: "
        f"{Refiner('').strength}",
    )
    model(
        "--handoff",
        nargs="?",
        type=float,
        const=HANDOFF,
        metavar="PART",
        help="hand over to --refiner after this part of the noise schedule, in place of painting "
        f"over the finished picture (SDXL, from words alone); without a number: {HANDOFF}",
    )
    add_sampling(parser)
    grouped(parser, "how it is painted").add_argument(
        "--image-guidance",
        type=float,
        help="how closely to keep to --init, with models that edit by instruction; default: 1.5",
    )
    add_pattern(parser, "metres")


def _run(args: argparse.Namespace) -> int:
    if not args.prompt.strip() and not (args.init or args.reference or args.region):
        raise RequestError(ErrorCode.BAD_REQUEST, "--prompt is empty: say what to paint")
    request, buffers = build_request(args)
    if args.only_controls:
        if not isinstance(request, ImageRequest):
            raise RequestError(ErrorCode.BAD_REQUEST, "--only-controls goes without --mask")
        request = replace(request, only_controls=True)
    return run_job(request, buffers, args.out, as_json=args.json)


def build_request(args: argparse.Namespace, *, in_frames: bool = False) -> tuple[Request, Buffers]:
    """The request that the arguments mean; `in_frames`: without what each frame of a series is
    asked for by what it shows. Raises RequestError for files and values."""
    buffers = Buffers()
    painting = {
        **painting_of(args),
        "sampling": replace(sampling_of(args), image_guidance=args.image_guidance),
        "view": _view(args, buffers),
        "controls": controls_of(args.control, buffers, drawn=True),
        "references": references_of(args, buffers),
        "regions": regions_of(args, None if in_frames else _objects(args), buffers),
    }
    if args.strength is not None:
        painting["strength"] = args.strength
    make = _image if args.mask is None else _inpaint
    request: Request = make(args, painting, buffers)
    if not in_frames:
        request = leave_alone_in(args, follow(args, request, buffers), buffers)
    return request, buffers


def _objects(args: argparse.Namespace) -> dict[int, SceneObject]:
    return {} if args.view is None else load_objects(args.view)


def _image(args: argparse.Namespace, painting: dict[str, Any], buffers: Buffers) -> ImageRequest:
    width, height = size_of(args.size)
    return ImageRequest(
        **painting,
        width=width,
        height=height,
        init=picture_of(args.init, buffers),
        tile=tile_of(args),
        refiner=_refiner(args),
    )


def _refiner(args: argparse.Namespace) -> Refiner | None:
    if args.refiner is None and args.handoff is not None:
        raise RequestError(
            ErrorCode.BAD_REQUEST, "--handoff needs --refiner", hint="Give the second model."
        )
    if args.refiner is None:
        return None
    name, numbers = split_numbers(args.refiner, 1)
    strength = numbers[0] if numbers else Refiner("").strength
    return Refiner(model_of(name), strength, handoff=args.handoff)


def _inpaint(
    args: argparse.Namespace, painting: dict[str, Any], buffers: Buffers
) -> InpaintRequest:
    image = picture_of(args.init, buffers)
    if image is None:
        raise RequestError(
            ErrorCode.BAD_REQUEST, "--mask needs --init", hint="Give the image to repaint."
        )
    mask = buffers.add(Kind.MASK, picture(args.mask, read_mask))
    if mask.shape[:2] != image.shape[:2]:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--mask is {_told_size(mask)}, and --init is {_told_size(image)}",
            hint="Draw the mask on a copy of the picture, in its size.",
        )
    return InpaintRequest(
        **painting,
        image=image,
        mask=mask,
        refiner=_refiner(args),
    )


def _told_size(picture: BufferRef) -> str:
    height, width = picture.shape[:2]
    return f"{width}×{height}"


def _view(args: argparse.Namespace, buffers: Buffers) -> View | None:
    if args.view is not None:
        return load_view(args.view, buffers)
    if args.depth is None:
        return None
    depth = read_depth(args.depth)
    height, width = depth.shape[:2]
    finite = depth[np.isfinite(depth)]
    near, far = (float(finite.min()), float(finite.max())) if finite.size else (0.1, 100.0)
    projection = perspective(width, height, 0.7, near / 2, far * 2)
    camera = Camera(look_at((0, -1, 0), (0, 0, 0)), projection, width, height, near / 2, far * 2)
    return View(camera, depth=buffers.add(Kind.DEPTH, depth))


def size_of(text: str | None) -> tuple[int | None, int | None]:
    """`WIDTHxHEIGHT`, or a square's side, as numbers; None for None. Raises RequestError."""
    if text is None:
        return None, None
    width, x, height = text.strip().lower().replace("×", "x").partition("x")
    sides = (width, height if x else width)
    if not all(_is_side(side) for side in sides):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--size is {text}; expected pixels from {MIN_SIDE} to {MAX_SIDE}",
            hint="Give a width and a height, as 512x384, or one number for a square.",
        )
    return int(sides[0]), int(sides[1])


def _is_side(text: str) -> bool:
    return text.isascii() and text.isdecimal() and MIN_SIDE <= int(text) <= MAX_SIDE
