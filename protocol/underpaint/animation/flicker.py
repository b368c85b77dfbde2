"""How much a series of pictures flickers: the warping error.

As in Lai et al., "Learning Blind Video Temporal Consistency" (2018), with the scene's true motion
in place of estimated optical flow: the last frame is moved to where its spots are now, and compared
where they are seen in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .motion import Target, motion
from .sampling import Image8, linear_at
from .tracks import Track


@dataclass(slots=True)
class Flicker:
    """The sum over the pairs of a series so far."""

    squares: float = 0.0
    values: int = 0

    def add(self, before: Target, earlier: Image8, now: Track, later: Image8) -> None:
        """Count a pair of frames; pictures (h, w, 3) at their tracks' size."""
        pixels = np.arange(later.shape[0] * later.shape[1])
        found = motion(now, before, pixels)
        moved = linear_at(earlier, found.at[found.seen])
        difference = later.reshape(-1, 3)[found.seen].astype(np.float64) - moved
        self.squares += float((difference**2).sum()) / 255**2
        self.values += difference.size

    @property
    def warp_error(self) -> float:
        """Root of the mean square, of the full range 0–1; NaN before the first pair."""
        return float(np.sqrt(self.squares / self.values)) if self.values else float("nan")
