"""Options that several commands have, and what their values mean."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..buffers import BufferRef, Buffers, Kind
from ..encodings import typed
from ..errors import ErrorCode, RequestError
from ..files.imagefile import read_color
from ..requests import (
    STARTER_MODEL,
    Lora,
    Pattern,
    Pbr,
    Prompt,
    Sampler,
    Sampling,
    TileAxes,
)
from ..requests.curves import curve_of
from .output import picture

_CURVE = ":curve="
PART_LORA = ":lora="
"""Behind what a part of a picture, or an object, is to look like: its own LoRA."""


def path_of(text: str) -> Path:
    """A path; an empty one, as of a variable that is not set, would be the folder we are in."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def grouped(parser: argparse.ArgumentParser, title: str) -> Any:
    """The parser's group of that title, which is made if it has none: help is read by groups."""
    found = (group for group in parser._action_groups if group.title == title)
    return next(found, None) or parser.add_argument_group(title)


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`, which every command has."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, errors too")


def add_words(parser: argparse.ArgumentParser, what: str, *, required: bool = True) -> None:
    """Prompt and negative prompt."""
    parser.add_argument("--prompt", type=typed, required=required, default="", help=what)
    parser.add_argument("--negative", type=typed, default="", help="what to keep away from")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Model and LoRAs; `loras_of` reads the latter."""
    group = grouped(parser, "model")
    group.add_argument(
        "--model",
        type=model_of,
        default=STARTER_MODEL,
        help="a model's name, its folder, or a single .safetensors file",
    )
    group.add_argument(
        "--lora",
        action="append",
        default=[],
        metavar="FILE[:WEIGHT][:curve=CURVE]",
        help="a LoRA file, or the name of one of the model's own; CURVE: times this over the "
        "steps, as 0-1,1-0.2; repeat for several",
    )


def model_of(text: str) -> str:
    """A name as it is; a path from here as one from the root, since the daemon is elsewhere."""
    path = Path(text)
    is_path = len(path.parts) > 1 or path.is_file()
    return str(path.absolute()) if is_path else text


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """The options of denoising; `sampling_of` reads them."""
    usual = "default: the model's own"
    add = grouped(parser, "how it is painted").add_argument
    add("--sampler", metavar="NAME", help=f"{usual}; {', '.join(Sampler)}")
    add("--steps", type=int, help=usual)
    add("--guidance", type=float, help=f"how closely to follow the prompt; {usual}")
    sharpen = f"0 (off) to 2, of the finished picture; {usual}"
    add("--sharpen", type=float, metavar="AMOUNT", help=sharpen)
    add(
        "--guidance-curve",
        metavar="CURVE",
        help="guidance times this over the steps, as 0-1,0.6-1,1-0.2: part of the steps (0 first, "
        "1 last) and factor",
    )
    told = "same seed, same result; default: %(default)s"
    add("--seed", type=int, default=Sampling().seed, help=told)


def add_results(parser: argparse.ArgumentParser, what: str) -> None:
    """How many, and where to."""
    parser.add_argument("--batch", type=int, default=1, help=f"number of {what}; default: 1")
    told = "where the results go"
    parser.add_argument("--out", type=path_of, required=True, metavar="FOLDER", help=told)


def add_tile(parser: argparse.ArgumentParser, default: TileAxes) -> None:
    """`--tile`; `tile_of` reads it."""
    parser.add_argument(
        "--tile", default=default.value, help="repeat without a seam: " + ", ".join(TileAxes)
    )


def add_pattern(parser: argparse.ArgumentParser, metres_of: str) -> None:
    """How patterns lie on surfaces; `pattern_of` reads it. metres_of: what its size is told in."""
    add = grouped(parser, "patterns, with a guide control").add_argument
    size = f"{metres_of} of a pattern unit, as a course of bricks; default: by what is seen"
    add("--pattern-size", type=float, metavar="METRES", help=size)
    add("--pattern-seed", type=int, metavar="SEED", help="another seed moves the pattern")
    ground = "the ground that things stand on wears the pattern, too"
    add("--pattern-ground", action="store_true", help=ground)
    add("--own-uv", action="store_true", help="lay patterns out by the mesh's UVs")


def pattern_of(args: argparse.Namespace, earlier: Pattern | None = None) -> Pattern:
    """The pattern that the arguments mean; what is not given is that of an earlier result."""
    kept = earlier or Pattern()
    return Pattern(
        kept.size if args.pattern_size is None else args.pattern_size,
        kept.seed if args.pattern_seed is None else args.pattern_seed,
        kept.own_uv or args.own_uv,
        kept.ground or args.pattern_ground,
        kept.floor,
    )


def add_pbr(parser: argparse.ArgumentParser) -> None:
    """The options that ask for maps; `pbr_of` reads them."""
    add = grouped(parser, "maps").add_argument
    add("--pbr", action="store_true", help="base colour, roughness, normal, and so on")
    add("--pbr-model", metavar="FOLDER", help="Marigold intrinsics (diffusers)")
    add("--pbr-normal-model", metavar="FOLDER", help="Marigold normals (diffusers)")


def sampling_of(args: argparse.Namespace, seed: int | None = None) -> Sampling:
    """The sampling that the arguments mean; what is not given is left to the model.

    `seed`: in place of `args.seed`. Raises RequestError(UNKNOWN_SAMPLER).
    """
    sampler: Sampler | None = None
    if args.sampler is not None:
        sampler = chosen(Sampler, "--sampler", args.sampler, ErrorCode.UNKNOWN_SAMPLER)
    return Sampling(
        sampler,
        args.steps,
        args.guidance,
        args.seed if seed is None else seed,
        guidance_curve=curve_of("--guidance-curve", args.guidance_curve),
        sharpen=args.sharpen,
    )


def loras_of(args: argparse.Namespace) -> tuple[Lora, ...]:
    """The LoRAs that the arguments mean."""
    return tuple(lora_of(text) for text in args.lora)


def painting_of(args: argparse.Namespace) -> dict[str, Any]:
    """What pictures, inpaintings and materials have in common, by the request's field names."""
    return {
        "prompt": Prompt(args.prompt, args.negative),
        "model": args.model,
        "sampling": sampling_of(args),
        "batch": args.batch,
        "loras": loras_of(args),
        "pattern": pattern_of(args),
    }


def picture_of(path: Path | None, buffers: Buffers) -> BufferRef | None:
    """An image file, put into `buffers`. Raises RequestError(FILE)."""
    return None if path is None else buffers.add(Kind.COLOR, picture(path, read_color))


def tile_of(args: argparse.Namespace) -> TileAxes:
    """The axes that `--tile` means. Raises RequestError."""
    axes: TileAxes = chosen(TileAxes, "--tile", args.tile)
    return axes


def pbr_of(args: argparse.Namespace) -> Pbr | None:
    """The maps that are asked for; a model alone asks for them too."""
    if not (args.pbr or args.pbr_model or args.pbr_normal_model):
        return None
    return Pbr(args.pbr_model, args.pbr_normal_model)


def chosen(kind: Any, option: str, value: str, code: ErrorCode = ErrorCode.BAD_REQUEST) -> Any:
    """A value of an option as one of `kind`: an enumeration, or the words that are allowed.

    Raises RequestError(code) that names what is known.
    """
    if value not in list(kind):
        raise RequestError(code, f"{option} {value!r}: known are {', '.join(kind)}")
    return value if isinstance(kind, tuple) else kind(value)


def split_numbers(text: str, most: int) -> tuple[str, list[float]]:
    """`FILE[:NUMBER[:NUMBER …]]` in its parts; a Windows drive's colon is part of the file."""
    parts, numbers = text.split(":"), list[float]()
    while len(parts) > 1 and len(numbers) < most and is_number(parts[-1]):
        numbers.insert(0, float(parts.pop()))
    return ":".join(parts), numbers


def is_number(text: str) -> bool:
    """Whether a word is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def lora_of(text: str, option: str = "--lora") -> Lora:
    """The LoRA that `FILE[:WEIGHT][:curve=CURVE]` means; a file or folder that is there, from here,
    as one from the root, since the daemon is elsewhere. Raises RequestError that names the
    option."""
    given, found, curve = text.partition(_CURVE)
    path, numbers = split_numbers(given, most=1)
    if not path:
        form = "FILE[:WEIGHT][:curve=CURVE]"
        raise RequestError(ErrorCode.BAD_REQUEST, f"{option} {text!r}: expected {form}")
    weight = numbers[0] if numbers else 1.0
    named = Path(path).suffix == "" and Path(path).name == path  # may be one with the model
    there = any(Path(path).glob("*.safetensors")) if named else Path(path).exists()
    file = str(Path(path).absolute()) if there else path
    return Lora(file, weight, curve_of(option, curve if found else None))


def with_loras_of_its_own(text: str, option: str) -> tuple[str, tuple[Lora, ...]]:
    """What an option says of a part before `:lora=FILE[:WEIGHT][:curve=CURVE]`, and the LoRAs said
    so, none or several. Raises RequestError that names the option."""
    said, *loras = text.split(PART_LORA)
    return said, tuple(lora_of(lora, option) for lora in loras)
