"""`--control KIND[=IMAGE][:SCALE[:START[:END]]]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..buffers import Buffers, Kind
from ..errors import ErrorCode, RequestError
from ..files.imagefile import read_color
from ..requests import Control, ControlKind
from .options import is_number, split_numbers

FORM = "KIND[=IMAGE][:SCALE[:START[:END]]]"
_NUMBERS = 3
_NONE = "none"


def controls_of(texts: Sequence[str], buffers: Buffers) -> tuple[Control, ...] | None:
    """The controls that all `--control` mean; None, what the model wants, when there is none.

    Raises RequestError.
    """
    if not texts:
        return None
    return tuple(control_of(text, buffers) for text in texts if text != _NONE)


def control_of(text: str, buffers: Buffers) -> Control:
    """The control that one `--control` means; its image goes into `buffers`.

    Raises RequestError.
    """
    kind, equals, rest = text.partition("=")
    if equals:
        path, numbers = split_numbers(rest, _NUMBERS)
    else:
        (kind, *words), path = text.split(":"), ""
        numbers = _numbers(text, words)
    if kind not in list(ControlKind):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--control {text}: {kind!r} is not one of {', '.join(ControlKind)}",
        )
    image = buffers.add(Kind.COLOR, read_color(Path(path))) if path else None
    scale, start, end = numbers + [1.0, 0.0, 1.0][len(numbers) :]
    return Control(ControlKind(kind), scale=scale, start=start, end=end, image=image)


def _numbers(text: str, words: list[str]) -> list[float]:
    if len(words) > _NUMBERS or not all(map(is_number, words)):
        raise RequestError(ErrorCode.BAD_REQUEST, f"--control {text}: expected {FORM}")
    return [float(word) for word in words]
