"""How far a job is as a whole, and how long it still takes, from what is told phase by phase.

What the panel, the command line and the demo show is this. The daemon tells a phase, a step of it,
and the seconds to the end of that phase; a phase with a single step has none to tell. So each phase
has a weight, in units of one picture decoded, and what has passed gives the pace of what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .usual import Wait

STARTING = "starting"
"""The phase before the others: the worker brings what it paints with."""
_LOADING = "loading"
BEFORE_PAINTING = (STARTING, _LOADING)
"""Phases in which no step is counted, and no worker hears."""
_DENOISING, _DECODING, _SAVING = "denoising", "decoding", "saving"
_PICTURE = {"encoding": 0.3, _DENOISING: 0.0, _DECODING: 1.0, _SAVING: 0.1}
_TEXTURE = {
    "unwrapping": 0.3,
    "encoding": 4.0,
    _DENOISING: 0.0,
    _DECODING: 10.0,
    "projecting": 3.0,
    _SAVING: 5.0,
}
"""Weights in order, as measured with the starter on two CPU cores: a picture of 256 px; a texture
of 1024 texels a side from ten views. Denoising, decoding and a texture's saving count by their own
steps, once told."""
_STEP = 0.35  # the weight of one step of one picture's denoising
_SAVED = 0.055  # the weight of one step of a texture's saving
_USUAL_STEPS = {False: 8, True: 80}
_LOADED = 0.05  # of the bar: loading is once, and not what is left is paced by
_ENOUGH = 0.08  # of the whole, before its pace says something
_MINUTE, _HOUR, _ROUNDED = 60.0, 3600.0, 5


@dataclass(slots=True)
class Course:
    """One job's way. `texture`: whether it paints a mesh. Give it all progress that is told, with
    a monotonic clock's seconds."""

    texture: bool = False
    _phase: str = ""
    _began: float = 0.0
    _step: int = 0
    _total: int = 1
    _phase_left: float | None = None
    _told: float = 0.0
    _totals: dict[str, int] = field(default_factory=dict)
    _spent: dict[str, float] = field(default_factory=dict)
    _reached: float = 0.0

    def take(self, phase: str, step: int, total: int, eta_s: float | None, now: float) -> None:
        """Take in what was told at `now`: a step of a phase, and the seconds that are left of the
        phase, None while that is not known."""
        if phase != self._phase:
            if self._goes_back(phase):  # another round, or the job runs again
                self._spent.clear()
            elif self._phase:
                spent = self._spent.get(self._phase, 0.0)
                self._spent[self._phase] = spent + now - self._began
            self._phase, self._began = phase, now
        self._step, self._total, self._told = step, max(total, 1), now
        self._phase_left = eta_s if step or phase in BEFORE_PAINTING else None
        self._totals[phase] = self._total
        self._reached = max(self._reached, self._part())

    @property
    def part(self) -> float:
        """The part of the whole that is done, 0–1; it never goes back."""
        return self._reached

    def left_s(self, now: float) -> float | None:
        """Seconds to the end of the job, None until its pace is known; while the painter starts
        or the model loads, to the end of that, None where it takes longer than it usually does."""
        if self._phase in BEFORE_PAINTING:
            return Wait(self._told, self._phase_left).left_s(now)
        weights = self._weights()
        if self._phase not in weights:
            return None
        here, within = weights[self._phase], self._within
        seen = [name for name in self._spent if name in weights]
        # Of this phase counts what was told, or, of one without steps, nothing before it is over.
        weight = sum(weights[name] for name in seen if name != self._phase) + here * within
        spent = sum(self._spent[name] for name in seen)
        spent += self._told - self._began if within else 0.0
        whole = sum(weights.values())
        if weight < _ENOUGH * whole or spent <= 0:
            return None
        pace = spent / weight
        phase_left = self._phase_left
        if phase_left is None:
            phase_left = here * (1.0 - within) * pace
        rest = sum(weights[name] for name in self._after(weights)) * pace
        return max(phase_left - (now - self._told), 0.0) + rest

    @property
    def _within(self) -> float:
        return min(self._step / self._total, 1.0)

    def _goes_back(self, phase: str) -> bool:
        names = [*BEFORE_PAINTING, *self._weights()]
        known = phase in names and self._phase in names
        return known and names.index(phase) < names.index(self._phase)

    def _part(self) -> float:
        weights = self._weights()
        if self._phase not in weights:
            return _LOADED * self._within if self._phase == _LOADING else 0.0
        after = sum(weights[name] for name in self._after(weights))
        left = after + weights[self._phase] * (1.0 - self._within)
        return _LOADED + (1.0 - _LOADED) * (1.0 - left / sum(weights.values()))

    def _after(self, weights: dict[str, float]) -> list[str]:
        names = list(weights)
        return names[names.index(self._phase) + 1 :]

    def _weights(self) -> dict[str, float]:
        weights = dict(_TEXTURE if self.texture else _PICTURE)
        steps = self._totals.get(_DENOISING, _USUAL_STEPS[self.texture])
        weights[_DENOISING] = steps * _STEP
        weights[_DECODING] = float(self._totals.get(_DECODING, weights[_DECODING]))
        if self.texture and (saved := self._totals.get(_SAVING, 1)) > 1:
            weights[_SAVING] = saved * _SAVED
        return weights


def rounded(seconds: float) -> tuple[int, bool]:
    """A number to tell, and whether it is of minutes: no more exact than it is known."""
    if seconds >= _MINUTE:
        return round(seconds / _MINUTE), True
    exact = seconds <= _ROUNDED
    return max(1, round(seconds) if exact else round(seconds / _ROUNDED) * _ROUNDED), False


def told_left(seconds: float) -> str:
    """E.g. `40 s left`, `2 min left`, `3 h left`."""
    if seconds >= _HOUR:
        return f"{seconds / _HOUR:.1f} h left"
    number, minutes = rounded(seconds)
    return f"{number} {'min' if minutes else 's'} left"
