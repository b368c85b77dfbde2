"""`underpaint models defaults NAME`: what a model paints with, and setting it in its own file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from underpaint.buffers import Buffers
from underpaint.cli.options import chosen
from underpaint.cli.parts.controls import FORM, NONE, control_of
from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import Sampler, Spacing
from underpaint.tree import part_from_plain, part_to_plain
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.checks.fields import MAX_SIDE, MIN_SIDE
from underpaint_daemon.common.checks.validation import MAX_GUIDANCE, MAX_SHARPEN, MAX_STEPS
from underpaint_daemon.common.defaults.model_defaults import Defaults, model_defaults
from underpaint_daemon.common.defaults.own_file import own_file, own_wants
from underpaint_daemon.common.defaults.wants import Wants
from underpaint_daemon.common.disk import as_error, write_whole
from underpaint_daemon.common.model_files import read_json
from underpaint_daemon.common.models import family_of, model_folder

_RANGES = {
    "size": (MIN_SIDE, MAX_SIDE),
    "steps": (1, MAX_STEPS),
    "guidance": (0.0, MAX_GUIDANCE),
    "sharpen": (0.0, MAX_SHARPEN),
}
_SHOWN = ("size", "sampler", "steps", "guidance", "sharpen", "spacing", "controls")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command; `run` reads them. Without any, the defaults are shown."""
    add = parser.add_argument
    add("--size", type=int, help="pixels a side")
    add("--sampler", help=", ".join(Sampler))
    add("--steps", type=int)
    add("--guidance", type=float, help="1 = off")
    add("--sharpen", type=float, help="of finished pictures, 0 (off) to 2")
    add("--spacing", help="of the steps: " + ", ".join(Spacing))
    add("--control", action="append", metavar=FORM, help="of a view; repeat for several; or 'none'")
    add(
        "--unset",
        action="append",
        default=[],
        metavar="FIELD",
        help="leave it to the model again: " + ", ".join(_SHOWN),
    )


def run(args: argparse.Namespace, paths: Paths) -> tuple[Mapping[str, Any], list[str]]:
    """Set what is given; the defaults afterwards, as data and in lines.

    Raises RequestError: MODEL_MISSING, MODEL_BROKEN; BAD_REQUEST and UNKNOWN_SAMPLER for values
    that the model cannot take, FILE where its file cannot be written.
    """
    place = model_folder(paths, args.name)
    changes = _changes(args, family_of(paths, args.name))
    if changes:
        write_own(place, changes)
    known, own = model_defaults(paths, args.name), own_wants(place)
    data = {"name": args.name, "file": str(own_file(place)), **known.to_plain()}
    data["spacing"] = None if known.spacing is None else known.spacing.value
    data["most_steps"] = known.most_steps
    data["sharpen"] = known.sharpen or 0.0
    data["set_in_file"] = [f.name for f in fields(Wants) if getattr(own, f.name) is not None]
    return data, _lines(known, data)


def _changes(args: argparse.Namespace, family: str) -> dict[str, Any]:
    """Fields of the file to their new values; None takes one out."""
    found: dict[str, Any] = {chosen(_SHOWN, "--unset", name): None for name in args.unset}
    for name, (least, most) in _RANGES.items():
        value = getattr(args, name)
        if value is not None and not least <= value <= most:
            raise RequestError(
                ErrorCode.BAD_REQUEST, f"--{name} is {value:g}; expected {least:g} to {most:g}"
            )
        found |= {} if value is None else {name: value}
    if args.sampler is not None:
        can = tuple(one.value for one in ABILITIES[family].samplers)
        found["sampler"] = chosen(can, "--sampler", args.sampler, ErrorCode.UNKNOWN_SAMPLER)
    if args.spacing is not None:
        found["spacing"] = chosen(Spacing, "--spacing", args.spacing).value
    if args.control is not None:
        found["controls"] = [_control(text) for text in args.control if text != NONE]
    return found


def _control(text: str) -> dict[str, Any]:
    control = control_of(text, Buffers())
    if control.image is not None:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--control {text!r}: a picture is of one request, not of a model",
            hint="Leave the picture out.",
        )
    return part_to_plain(control)


def write_own(place: Path, changes: Mapping[str, Any]) -> None:
    """Change a model's own file; None takes a field out. Raises RequestError(FILE)."""
    file = own_file(place)
    before = read_json(file) if file.is_file() else {}
    after = {name: value for name, value in {**before, **changes}.items() if value is not None}
    part_from_plain(Wants, after, str(file))
    try:
        write_whole(file, (json.dumps(after, indent=1) + "\n").encode())
    except OSError as error:
        raise as_error(error, f"{file} cannot be written") from error


def _lines(known: Defaults, data: Mapping[str, Any]) -> list[str]:
    controls = ", ".join(f"{c.kind} {c.scale:g}" for c in known.controls) or "none"
    values = {**data, "controls": controls, "spacing": data["spacing"] or "its scheduler's own"}
    lines = [f"{data['name']} ({ABILITIES[known.family].title})"]
    for name in _SHOWN:
        mark = "  (its file)" if name in data["set_in_file"] else ""
        lines.append(f"  {name:<10} {values[name]}{mark}")
    if known.most_steps is not None:
        lines.append(f"  most steps {known.most_steps}  (beyond, its pictures get worse)")
    told = f"  recognised as {known.told}" if known.told else ""
    return [*lines, *([told] if told else []), f"  file       {data['file']}"]
