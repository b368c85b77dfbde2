"""`underpaint generate`: paint one image, from a captured view, control images or words alone."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..buffers import Buffers, Kind
from ..cameras import Camera, look_at, perspective
from ..errors import ErrorCode, RequestError
from ..imagefile import read_color, read_depth, read_mask
from ..requests import (
    STARTER_MODEL,
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    Prompt,
    Request,
    Sampler,
    Sampling,
    TileAxes,
    View,
    default_sampling,
)
from ..viewfile import load_view
from .run import run_job

_EPILOG = """\
examples:
  underpaint generate --prompt "mossy stone head" --view view.npz --control depth --out out
  underpaint generate --prompt "red brick cube" --control canny=photo.png:0.8 --out out
  underpaint generate --prompt "gold" --init render.png --strength 0.5 --mask spot.png --out out
"""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "generate",
        help="paint an image",
        epilog=_EPILOG,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    defaults = ImageRequest(Prompt())
    parser.add_argument("--prompt", required=True, help="what to paint")
    parser.add_argument("--negative", default="", help="what to keep away from")
    parser.add_argument("--model", default=STARTER_MODEL, help="a model's name or folder")
    parser.add_argument("--view", type=Path, help="a captured view file (.npz)")
    parser.add_argument(
        "--control",
        action="append",
        default=[],
        metavar="KIND[=IMAGE][:SCALE[:START[:END]]]",
        help=f"a ControlNet; KIND is one of {', '.join(ControlKind)}; repeat for several",
    )
    parser.add_argument("--depth", type=Path, help="depth in metres (.npy) in place of a view")
    parser.add_argument("--init", type=Path, help="start from this image")
    parser.add_argument("--mask", type=Path, help="repaint only where this image is white")
    parser.add_argument("--strength", type=float, help="denoising strength, 0 to 1")
    parser.add_argument("--reference", type=Path, help="an image prompt (IP-Adapter)")
    parser.add_argument("--lora", action="append", default=[], metavar="FILE[:WEIGHT]")
    parser.add_argument("--size", metavar="WIDTHxHEIGHT", help="default: the view's or 256x256")
    parser.add_argument(
        "--tile", default=defaults.tile.value, help="repeat: " + ", ".join(TileAxes)
    )
    add_sampling(parser)
    parser.add_argument("--batch", type=int, default=defaults.batch, help="number of images")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_run)


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """The options of denoising; `sampling_of` reads them."""
    parser.add_argument("--sampler", help="default: what suits the model; " + ", ".join(Sampler))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--seed", type=int, default=0)


def _run(args: argparse.Namespace) -> int:
    request, buffers = build_request(args)
    return run_job(request, buffers, args.out, as_json=args.json)


def build_request(args: argparse.Namespace) -> tuple[Request, Buffers]:
    """The request that the arguments mean. Raises RequestError for files and values."""
    buffers = Buffers()
    view = _view(args, buffers)
    sampling = sampling_of(args)
    prompt = Prompt(args.prompt, args.negative)
    controls = tuple(_control(text, buffers) for text in args.control)
    loras = tuple(lora_of(text) for text in args.lora)
    if args.mask is not None:
        return _inpaint(args, prompt, sampling, view, controls, loras, buffers), buffers
    width, height = _size(args.size, view)
    request = ImageRequest(
        prompt=prompt,
        model=args.model,
        width=width,
        height=height,
        sampling=sampling,
        batch=args.batch,
        view=view,
        controls=controls,
        init=buffers.add(Kind.COLOR, read_color(args.init)) if args.init else None,
        loras=loras,
        reference=buffers.add(Kind.COLOR, read_color(args.reference)) if args.reference else None,
        tile=tile_of(args.tile),
    )
    if args.strength is not None:
        request = replace(request, strength=args.strength)
    return request, buffers


def _inpaint(
    args: argparse.Namespace,
    prompt: Prompt,
    sampling: Sampling,
    view: View | None,
    controls: tuple[Control, ...],
    loras: tuple[Lora, ...],
    buffers: Buffers,
) -> InpaintRequest:
    if args.init is None:
        raise RequestError(
            ErrorCode.BAD_REQUEST, "--mask needs --init", hint="Give the image to repaint."
        )
    return InpaintRequest(
        prompt=prompt,
        image=buffers.add(Kind.COLOR, read_color(args.init)),
        mask=buffers.add(Kind.MASK, read_mask(args.mask)),
        model=args.model,
        sampling=sampling,
        batch=args.batch,
        view=view,
        controls=controls,
        strength=1.0 if args.strength is None else args.strength,
        loras=loras,
    )


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


def _control(text: str, buffers: Buffers) -> Control:
    """`KIND[=IMAGE][:SCALE[:START[:END]]]`; a Windows drive's colon is part of the path."""
    kind, equals, rest = text.partition("=")
    if equals:
        path, numbers = _split_numbers(rest)
    else:
        kind, *numbers = text.split(":")
        path = ""
    if kind not in list(ControlKind):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--control {text}: {kind!r} is not one of {', '.join(ControlKind)}",
        )
    image = buffers.add(Kind.COLOR, read_color(Path(path))) if path else None
    scale, start, end = _filled(_floats(text, numbers))
    return Control(ControlKind(kind), scale=scale, start=start, end=end, image=image)


def _filled(numbers: list[float]) -> tuple[float, float, float]:
    scale, start, end = numbers + [1.0, 0.0, 1.0][len(numbers) :]
    return scale, start, end


def _split_numbers(text: str) -> tuple[str, list[str]]:
    parts, numbers = text.split(":"), list[str]()
    while len(parts) > 1 and len(numbers) < 3 and _is_number(parts[-1]):
        numbers.insert(0, parts.pop())
    return ":".join(parts), numbers


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _floats(text: str, numbers: list[str]) -> list[float]:
    if len(numbers) > 3 or not all(map(_is_number, numbers)):
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--control {text}: expected KIND[=IMAGE][:SCALE[:START[:END]]]"
        )
    return [float(number) for number in numbers]


def tile_of(name: str) -> TileAxes:
    """The axes of a `--tile` option. Raises RequestError."""
    if name not in list(TileAxes):
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--tile {name!r}: known are {', '.join(TileAxes)}"
        )
    return TileAxes(name)


def lora_of(text: str) -> Lora:
    """`FILE[:WEIGHT]`."""
    path, numbers = _split_numbers(text)
    return Lora(path, float(numbers[0])) if numbers else Lora(path)


def sampling_of(args: argparse.Namespace) -> Sampling:
    """The options of `add_sampling`; what is not given is what suits `args.model`."""
    default = default_sampling(args.model)
    return Sampling(
        default.sampler if args.sampler is None else _sampler(args.sampler),
        default.steps if args.steps is None else args.steps,
        default.guidance if args.guidance is None else args.guidance,
        args.seed,
    )


def _sampler(name: str) -> Sampler:
    if name not in list(Sampler):
        raise RequestError(
            ErrorCode.UNKNOWN_SAMPLER, f"--sampler {name!r}: known are {', '.join(Sampler)}"
        )
    return Sampler(name)


def _size(text: str | None, view: View | None) -> tuple[int, int]:
    if text is not None:
        width, _, height = text.lower().partition("x")
        if not (width.isdigit() and height.isdigit()):
            raise RequestError(ErrorCode.BAD_REQUEST, f"--size {text!r}: expected WIDTHxHEIGHT")
        return int(width), int(height)
    if view is not None:
        return view.camera.width, view.camera.height
    defaults = ImageRequest(Prompt())
    return defaults.width, defaults.height
