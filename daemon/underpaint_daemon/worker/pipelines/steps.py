"""How many steps of the noise schedule a strength takes."""

from __future__ import annotations

import math

_LEAST_STRENGTH = 0.005


def scheduled_steps(steps: int, strength: float, *, flow: bool = False) -> int:
    """Steps to schedule so that at least one falls into the last `strength` of the noise.

    `flow`: the pipelines of flow matching round up, so that one always does.
    """
    if flow or int(steps * strength) >= 1:
        return steps
    scheduled = math.ceil(1 / strength)
    return scheduled if int(scheduled * strength) >= 1 else scheduled + 1


def active_steps(steps: int, strength: float, *, flow: bool = False) -> int:
    """How many steps are really taken."""
    if flow:
        return steps - int(max(steps - min(steps * strength, steps), 0))
    return min(int(scheduled_steps(steps, strength) * strength), steps)


def changes_nothing(strength: float) -> bool:
    """True when so little is asked for that the start image is the answer."""
    return strength < _LEAST_STRENGTH
