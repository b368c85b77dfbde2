"""`--reference ROLE[=IMAGE][:SCALE]`."""

from __future__ import annotations

from pathlib import Path

from ..buffers import Buffers, Kind
from ..errors import ErrorCode, RequestError
from ..files.imagefile import read_color
from ..requests import Reference, ReferenceRole
from .options import is_number, split_numbers

FORM = "ROLE[=IMAGE][:SCALE]"


def reference_of(text: str, buffers: Buffers) -> Reference:
    """The reference that one `--reference` means; its picture goes into `buffers`.

    Raises RequestError.
    """
    role, equals, rest = text.partition("=")
    path, numbers = split_numbers(rest, 1)
    if not equals:
        role, *words = text.split(":")
        numbers = [float(word) for word in words if is_number(word)]
        if len(numbers) != len(words) or len(words) > 1:
            raise RequestError(ErrorCode.BAD_REQUEST, f"--reference {text}: expected {FORM}")
    if role not in list(ReferenceRole):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--reference {text}: {role!r} is not one of {', '.join(ReferenceRole)}",
        )
    image = buffers.add(Kind.COLOR, read_color(Path(path))) if path else None
    return Reference(ReferenceRole(role), image, *numbers)
