"""`--reference [ROLE=]IMAGE[@ADAPTER][:SCALE[:START[:END]]][:fidelity=F]`, or a role alone for what
the view has."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...buffers import Buffers, Kind
from ...errors import ErrorCode, RequestError
from ...files.imagefile import read_color
from ...requests import BY_ATTENTION, Reference, ReferenceRole
from ..options import grouped, is_number, split_numbers
from ..output import picture
from .controls import from_root

FORM = "[ROLE=]IMAGE[@ADAPTER][:SCALE[:START[:END]]][:fidelity=F], or ROLE[:SCALE]"
_NUMBERS = 3
_FIDELITY = ":fidelity="


def add_reference(parser: argparse.ArgumentParser, told: str) -> None:
    """`--reference`; `references_of` reads it. told: what a role alone takes."""
    grouped(parser, "what it follows").add_argument(
        "--reference",
        action="append",
        default=[],
        metavar=FORM,
        help=f"a picture to read beside the words; ROLE is one of {', '.join(ReferenceRole)}; "
        f"{told}ADAPTER: an IP-Adapter of your own, for Stable Diffusion 1.5 and XL, or "
        f"'{BY_ATTENTION}': the model looks at the picture itself, the closer the higher F (0-1); "
        "START, END: the part of the steps in which it acts, 0-1; repeat for several",
    )


def references_of(args: argparse.Namespace, buffers: Buffers) -> tuple[Reference, ...]:
    """The references that the arguments mean; their pictures go into `buffers`.

    Raises RequestError.
    """
    if args.reference == ["none"]:  # of an earlier result that had some
        return ()
    return tuple(reference_of(text, buffers) for text in args.reference)


def reference_of(text: str, buffers: Buffers) -> Reference:
    """The reference that one `--reference` means; its picture goes into `buffers`.

    Raises RequestError.
    """
    plain = Reference()
    text, named, fidelity = text.partition(_FIDELITY)
    if named and not is_number(fidelity):
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--reference {text}{named}{fidelity}: expected {FORM}"
        )
    role, equals, rest = text.partition("=")
    if not equals or role not in list(ReferenceRole):
        role, rest = _without_equals(text)
    given, numbers = split_numbers(rest, _NUMBERS)
    path, adapter = _parted(given)
    image = buffers.add(Kind.COLOR, picture(Path(path), read_color)) if path else None
    defaults = (plain.scale, plain.start, plain.end)
    scale, start, end = (*numbers, *defaults[len(numbers) :])
    through = adapter if adapter == BY_ATTENTION else from_root(adapter)
    told = float(fidelity) if named else plain.fidelity
    return Reference(ReferenceRole(role), image, scale, through, start, end, told)


def _parted(given: str) -> tuple[str, str]:
    """A picture and the adapter it goes through; a path may hold `@`: the picture is a file."""
    ends = [i for i, letter in enumerate(given) if letter == "@" and i]
    parts = [(given, ""), *((given[:i], given[i + 1 :]) for i in ends)]
    return next((part for part in parts if Path(part[0]).is_file()), parts[-1])


def _without_equals(text: str) -> tuple[str, str]:
    """A role alone, or a picture alone, which is one of the style: (role, what follows)."""
    role, colon, scale = text.partition(":")
    if role in list(ReferenceRole) and (not colon or is_number(scale)):
        return role, f":{scale}" if colon else ""
    path, _ = _parted(split_numbers(text, _NUMBERS)[0])
    if Path(path).suffix:
        return ReferenceRole.STYLE, text
    raise RequestError(
        ErrorCode.BAD_REQUEST,
        f"--reference {text}: {role!r} is not one of {', '.join(ReferenceRole)}, and no picture; "
        f"expected {FORM}",
    )
