"""`--region MASK=PROMPT[:WEIGHT][:lora=FILE[:WEIGHT]]`: a prompt, and LoRAs, for a part of the
picture.

MASK is a picture, white where the prompt holds; with a view that knows its objects it may be an
object's name or number. Paths and names may hold `=`: where they end is settled by what exists.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...buffers import Buffers, Kind
from ...encodings import typed
from ...errors import ErrorCode, RequestError
from ...files.imagefile import read_mask
from ...files.viewfile import SceneObject
from ...requests import Prompt, RegionPrompt
from ..options import grouped, split_numbers, with_loras_of_its_own
from ..output import picture

FORM = "MASK=PROMPT[:WEIGHT][:lora=FILE[:WEIGHT]]"
Objects = Mapping[int, SceneObject]
_HELP = """\
what to paint where MASK is white; MASK is a picture of the size of the result or
of the view, or an object of the view, by its name or number; WEIGHT (0 to 1) is how
far it takes the place of --prompt; the LoRA acts there alone, PROMPT may then be
empty; repeat for several, the last lies on top"""
_OWN_HELP = "objects that have a prompt or LoRAs of their own in the scene are painted by them"


def add_region(parser: argparse.ArgumentParser) -> None:
    """`--region` and `--object-prompts`; `regions_of` reads them."""
    group = grouped(parser, "parts of the picture")
    group.add_argument(
        "--region", action="append", default=[], type=typed, metavar=FORM, help=_HELP
    )
    group.add_argument("--object-prompts", action="store_true", help=_OWN_HELP)


def regions_of(
    args: argparse.Namespace, objects: Objects | None, buffers: Buffers
) -> tuple[RegionPrompt, ...]:
    """The regions that the arguments mean: the objects' own prompts, and those given over them.

    Masks go into `buffers`. `objects`: those of the view; None for a range of frames, each of which
    has its own. Raises RequestError.
    """
    given = tuple(region_of(text, args.negative, objects, buffers) for text in args.region)
    if objects is None or not args.object_prompts:
        return given
    own = tuple(
        RegionPrompt(
            Prompt(one.prompt, args.negative), object_id=number, name=one.name, loras=one.loras
        )
        for number, one in sorted(objects.items())
        if one.prompt.strip() or one.loras
    )
    return own + given


def region_of(text: str, negative: str, objects: Objects | None, buffers: Buffers) -> RegionPrompt:
    """The region that one `--region` means; `objects` as for `regions_of`. Raises RequestError."""
    told, loras = with_loras_of_its_own(text, "--region")
    readings = list(_readings(told))
    if not readings:
        raise RequestError(ErrorCode.BAD_REQUEST, f"--region {text}: expected {FORM}")
    for place, words in readings:
        said, numbers = split_numbers(words, 1)
        weight = numbers[0] if numbers else 1.0
        prompt = Prompt(said.strip(), negative)
        if Path(place).is_file():
            mask = buffers.add(Kind.MASK, picture(Path(place), read_mask))
            return RegionPrompt(prompt, mask=mask, weight=weight, loras=loras)
        number = None if objects is None else _number_of(place, objects)
        if objects is not None and number is not None:
            name = objects[number].name if number in objects else ""
            return RegionPrompt(prompt, None, number, weight, name, loras)
    if objects is None:
        raise RequestError(
            ErrorCode.FILE,
            f"--region {text}: there is no file {readings[0][0]!r}, and over a range of frames "
            "objects are painted by the words that they have in the scene",
            hint="Give the object its words in Blender (Objects) and say --object-prompts, or give "
            "a picture, white where it holds.",
        )
    named = ", ".join(one.name for one in objects.values())
    raise RequestError(
        ErrorCode.FILE,
        f"--region {text}: there is no file {readings[0][0]!r}, and no object of that name",
        hint=f"Objects in the view: {named}." if named else "Give a picture, white where it holds.",
    )


def _readings(text: str) -> Iterator[tuple[str, str]]:
    """Every way to part an option at a `=`, the shortest place first."""
    for i, letter in enumerate(text):
        if letter == "=" and i:
            yield text[:i].strip(), text[i + 1 :]


def _number_of(place: str, objects: Objects) -> int | None:
    """An object's number by its name, else a number as it is."""
    for number, one in objects.items():
        if one.name == place:
            return number
    return int(place) if place.isascii() and place.isdigit() else None
