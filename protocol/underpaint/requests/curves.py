"""Curves over the steps of a denoising: how a value changes from the first to the last."""

from __future__ import annotations

from ..errors import ErrorCode, RequestError
from .painting import Curve

FORM = "PART-FACTOR[,PART-FACTOR …]"


def curve_at(curve: Curve, part: float) -> float:
    """The factor at a part (0–1) of the steps: linear between points, level before the first and
    after the last; 1 throughout where there are none."""
    if not curve:
        return 1.0
    before, value = curve[0]
    if part <= before:
        return value
    for after, following in curve[1:]:
        if part <= after:
            return value + (following - value) * (part - before) / (after - before)
        before, value = after, following
    return value


def part_of(step: int, steps: int) -> float:
    """Where a step (from 0) of so many is: 0 is the first, 1 the last."""
    return step / (steps - 1) if steps > 1 else 0.0


def curve_text(curve: Curve) -> str:
    """A curve as `curve_of` reads it."""
    return ",".join(f"{_plain(part)}-{_plain(factor)}" for part, factor in curve)


def curve_of(option: str, text: str | None) -> Curve:
    """The curve that an option's text means, as `0-1,0.6-1,1-0.2`. Raises RequestError."""
    if text is None:
        return ()
    points = [point.partition("-") for point in text.split(",")]
    try:
        return tuple((float(part), float(factor)) for part, _, factor in points)
    except ValueError as error:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"{option} {text!r}: expected {FORM}, as 0-1,0.6-1,1-0.2",
            hint="Parts go from 0, the first step, to 1, the last; factors from 0 to 2.",
        ) from error


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"
