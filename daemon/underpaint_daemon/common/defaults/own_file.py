"""A model's own `underpaint.json`: what it wants, in its maker's or its user's words.

In a model's folder, or beside a single file as `NAME.underpaint.json`:

    {"size": 256, "sampler": "lcm", "steps": 4, "guidance": 1.5,
     "controls": [{"kind": "depth"}, {"kind": "guide", "scale": 0.8}]}
"""

from __future__ import annotations

from pathlib import Path

from underpaint.errors import RequestError
from underpaint.tree import part_from_plain

from ..checks.fields import MAX_SIDE, MIN_SIDE, check_range, refuse
from ..checks.validation import MAX_GUIDANCE, MAX_SHARPEN, MAX_STEPS
from ..model_files import broken, read_json
from .wants import Wants

NAME = "underpaint.json"
_RANGES = (
    ("size", MIN_SIDE, MAX_SIDE),
    ("steps", 1, MAX_STEPS),
    ("most_steps", 1, MAX_STEPS),
    ("guidance", 0.0, MAX_GUIDANCE),
    ("sharpen", 0.0, MAX_SHARPEN),
)
_LEAST_WINDOW = 32  # pixels: a cell of the coarsest VAE


def own_file(place: Path) -> Path:
    """Where a model's own file is, or would be. `place`: its folder or file."""
    return place.with_suffix(f".{NAME}") if place.is_file() else place / NAME


def own_wants(place: Path) -> Wants:
    """What a model's own file says; nothing where there is none. `place`: its folder or file.

    Raises RequestError(MODEL_BROKEN) that names the file and the field.
    """
    file = own_file(place)
    if not file.is_file():
        return Wants()
    said = read_json(file)
    try:
        wants = part_from_plain(Wants, said, "it")
        _check(wants)
    except RequestError as error:
        broken(file, f"cannot be understood: {error.message}")
    window = wants.decode_window
    if window is not None and (window < _LEAST_WINDOW or window % _LEAST_WINDOW):
        broken(file, f"decode_window is {window}, not a multiple of {_LEAST_WINDOW} pixels")
    detail = wants.guide_detail
    if detail is not None and not 0 <= detail <= 1:
        broken(file, f"guide_detail is {detail}, not from 0 to 1")
    return wants


def _check(wants: Wants) -> None:
    """Raise RequestError for what no request may say, before one says it unasked."""
    for name, least, most in _RANGES:
        value = getattr(wants, name)
        if value is not None:
            check_range(f"it.{name}", value, least, most)
    if wants.samplers is not None and wants.sampler not in (None, *wants.samplers):
        refuse("it.sampler", f"is {wants.sampler}, not one of its samplers")
    if wants.samplers is not None and not wants.samplers:
        refuse("it.samplers", "is empty")
