"""How far a stage of training is, and what it tells on the way."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping

from torch import Tensor

_TOLD_EVERY = 50  # steps
_WARM = 30  # steps


class Clock:
    """The time of one stage: `seconds` from now on."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name, self._seconds, self._began = name, max(seconds, 1e-3), time.monotonic()
        self.step = 0
        self._sums: dict[str, Tensor] = {}

    @property
    def fraction(self) -> float:
        """How much of the stage is behind us, 0..1."""
        return min(1.0, (time.monotonic() - self._began) / self._seconds)

    @property
    def done(self) -> bool:
        """True when the time is over; a stage makes at least one step."""
        return self.step > 0 and self.fraction >= 1

    def rate(self, peak: float, flat: float = 0.0) -> float:
        """The learning rate of this step: up in the first steps, down along a cosine after the
        first share `flat` of the stage."""
        fall = max(0.0, (self.fraction - flat) / (1 - flat))
        warmth = min(1.0, (self.step + 1) / _WARM)
        return peak * warmth * (0.03 + 0.485 * (1 + math.cos(math.pi * fall)))

    def tick(self, values: Mapping[str, Tensor]) -> None:
        """Count a step and its figures. They stay on their device until a line is told."""
        self.step += 1
        for name, value in values.items():
            known = self._sums.get(name)
            self._sums[name] = value.detach() if known is None else known.lerp(value.detach(), 0.04)
        if self.step % _TOLD_EVERY == 0:
            self.tell()

    def tell(self) -> None:
        """A line of figures on the terminal: running means of what `tick` was given."""
        spent = round(time.monotonic() - self._began, 1)
        figures = {name: round(float(value), 4) for name, value in self._sums.items()}
        line = {"stage": self.name, "step": self.step, "seconds": spent, **figures}
        sys.stderr.write(json.dumps(line) + "\n")
