"""Single fields: ranges, sides, buffers, and the errors that name them."""

from __future__ import annotations

from typing import NoReturn

from underpaint.buffers import MAX_PIXELS, BufferRef, Kind
from underpaint.errors import ErrorCode, RequestError

MIN_SIDE = 64
MAX_SIDE = 8192


def check_ref(where: str, ref: BufferRef | None, *kinds: Kind) -> None:
    """Raise RequestError(BAD_BUFFER) unless a buffer, if given, is of one of the kinds."""
    if ref is None:
        return
    if ref.kind not in kinds:
        names = " or ".join(kinds)
        refuse_buffer(where, f"is a {ref.kind} buffer; expected {names}")
    if len(ref.shape) < 2 or min(ref.shape) < 1:
        refuse_buffer(where, f"has shape {ref.shape}")


def check_side(name: str, value: int, multiple: int = 1) -> None:
    """Raise RequestError unless a picture's side is one that can be painted."""
    if value > MAX_SIDE:
        too_large(name, value)
    if value < MIN_SIDE or value % multiple:
        what = f"a multiple of {multiple}" if multiple > 1 else "pixels"
        refuse(name, f"is {value}; expected {what} from {MIN_SIDE} to {MAX_SIDE}")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise RequestError(BAD_REQUEST) unless low <= value <= high."""
    if not low <= value <= high:
        refuse(name, f"is {value}; expected {low} to {high}")


def size_text(ref: BufferRef) -> str:
    """Width×height."""
    return f"{ref.shape[1]}×{ref.shape[0]}"


def too_large(name: str, *sides: int) -> NoReturn:
    """Raise RequestError(TOO_LARGE) that names the limit."""
    given = "×".join(map(str, sides))
    raise RequestError(
        ErrorCode.TOO_LARGE,
        f"{name} is {given}; the limit is {MAX_SIDE} a side, {MAX_PIXELS} pixels",
    )


def refuse(where: str, problem: str) -> NoReturn:
    """Raise RequestError(BAD_REQUEST) that names the field."""
    raise RequestError(ErrorCode.BAD_REQUEST, f"{where} {problem}")


def refuse_buffer(where: str, problem: str) -> NoReturn:
    """Raise RequestError(BAD_BUFFER) that names the field."""
    raise RequestError(ErrorCode.BAD_BUFFER, f"{where} {problem}")
