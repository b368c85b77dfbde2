"""Curves over the steps."""

from __future__ import annotations

from underpaint.requests import Curve

from .fields import check_range, refuse

MAX_POINTS = 16
MAX_FACTOR = 2.0


def check_curve(where: str, curve: Curve) -> None:
    """Raise RequestError(BAD_REQUEST) unless a curve's points rise from part to part."""
    if len(curve) > MAX_POINTS:
        refuse(where, f"has {len(curve)} points; at most {MAX_POINTS}")
    before = -1.0
    for i, point in enumerate(curve):
        if len(point) != 2:
            refuse(f"{where}[{i}]", f"has {len(point)} numbers; expected part and factor")
        check_range(f"{where}[{i}] (part)", point[0], 0.0, 1.0)
        check_range(f"{where}[{i}] (factor)", point[1], 0.0, MAX_FACTOR)
        if point[0] <= before:
            refuse(f"{where}[{i}]", f"is at {point[0]}, not behind the point before it")
        before = point[0]
