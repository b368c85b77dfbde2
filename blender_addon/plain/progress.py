"""How far a painting is as a whole, and how long it still takes, from what is told phase by phase.
No bpy."""

from __future__ import annotations

from collections.abc import Mapping

PHASES = {
    "queued": "Waiting",
    "starting": "Starting",
    "running": "Starting",
    "loading": "Loading the model",
    "encoding": "Preparing",
    "unwrapping": "Unwrapping",
    "denoising": "Painting",
    "decoding": "Finishing",
    "projecting": "Laying it on the object",
    "saving": "Saving",
    "fetching": "Fetching",
}
"""What the artist reads of each phase."""
_OF_PICTURES = {"loading": 0.1, "encoding": 0.05, "denoising": 0.6, "decoding": 0.2, "saving": 0.05}
_OF_TEXTURES = {
    "loading": 0.05,
    "unwrapping": 0.02,
    "encoding": 0.1,
    "denoising": 0.3,
    "decoding": 0.3,
    "projecting": 0.15,
    "saving": 0.08,
}
"""The part of the whole that each phase takes, as it was measured with small models; in order."""
_MINUTE, _ROUNDED = 60.0, 5


def whole(phase: str, within: float, *, texture: bool) -> float:
    """The fraction of the whole that is done, 0–1. `within`: that of the phase."""
    shares = _shares(texture)
    if phase == "fetching":
        return 1.0
    if phase not in shares:
        return 0.0
    names = list(shares)
    return sum(shares[name] for name in names[: names.index(phase)]) + shares[phase] * within


def seconds_left(
    phase: str, spent: float, phase_left: float | None, *, texture: bool
) -> float | None:
    """Seconds to the end of the whole: those of the phase, and by its pace of what comes after it.

    `spent`: in the phase so far; `phase_left`: what is left of it, None while that is not known.
    """
    shares = _shares(texture)
    if phase_left is None or phase not in ("denoising", "decoding"):
        return None
    rest = 1.0 - whole(phase, 1.0, texture=texture)
    return phase_left + (spent + phase_left) / shares[phase] * rest


def rounded(seconds: float) -> tuple[int, bool]:
    """A number to tell, and whether it is of minutes: no more exact than it is known."""
    if seconds >= _MINUTE:
        return round(seconds / _MINUTE), True
    exact = seconds <= _ROUNDED
    return max(1, round(seconds) if exact else round(seconds / _ROUNDED) * _ROUNDED), False


def _shares(texture: bool) -> Mapping[str, float]:
    return _OF_TEXTURES if texture else _OF_PICTURES
