"""What changes over the steps of synchronised denoising."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SyncSchedule:
    """exponent: of the cosine in the views' weights, from the first to the last synced step; low
    agrees, high is sharp. until: the part of the steps in which views are synced; then a cosine
    ramp over `ramp` steps lets them go. variance: strength of variance alignment. reference: the
    reference view's share of attention in the first `reference_until` of the steps."""

    exponents: tuple[float, float] = (1.0, 4.0)
    until: float = 0.8
    ramp: int = 2
    variance: float = 0.85
    reference: float = 0.5
    reference_until: float = 0.2
    colours_until: float = 0.4

    def exponent(self, step: int, steps: int) -> float:
        """The exponent at a step (0..steps-1)."""
        first, last = self.exponents
        part = min(1.0, step / max(1.0, self.until * steps - 1))
        return first + (last - first) * part

    def sync_weight(self, step: int, steps: int) -> float:
        """How much of the average a view takes: 1 while synced, then down to 0."""
        over = step - (math.ceil(self.until * steps) - 1)
        if over <= 0:
            return 1.0
        return 0.5 + 0.5 * math.cos(math.pi * over / self.ramp) if over < self.ramp else 0.0

    def reference_weight(self, step: int, steps: int) -> float:
        """The reference view's share of attention."""
        return self.reference if step < self.reference_until * steps else 0.0
