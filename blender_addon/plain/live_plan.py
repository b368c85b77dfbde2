"""What the live view asks for next: a quick picture of each change, better ones while nothing
moves. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..image.request import ImageSettings

_BLOCK = 8
_QUICK_STEPS = 2
_SLIGHT_GUIDANCE = 2.0
QUICK, WHOLE, BEST = range(3)
"""Levels: half the size in few steps, the whole size in few steps, as the panel says."""


@dataclass(frozen=True, slots=True)
class Best:
    """What the best picture is painted with: pixels a side, steps, guidance."""

    side: float = 512
    steps: int = 20
    guidance: float = 5.0


@dataclass(slots=True)
class Plan:
    """`key`: what the newest picture was asked of. `level`: of the next picture to ask for."""

    key: object = None
    level: int = QUICK
    best: Best = Best()

    def look(self, key: object, best: Best) -> bool:
        """Take in what the viewport shows now; whether anything has changed."""
        changed = key != self.key
        if changed:
            self.key, self.level, self.best = key, QUICK, best
        return changed

    @property
    def wants(self) -> bool:
        """Whether there is a picture to ask for."""
        return self.level <= BEST

    def rest(self) -> None:
        """Ask for nothing until something changes."""
        self.level = BEST + 1

    def painted(self, key: object, level: int) -> None:
        """A picture has come; the next is a better one, if it still shows what is there."""
        if key == self.key:
            self.level = max(self.level, self._after(level))

    def _after(self, level: int) -> int:
        """The whole size in few steps is the best already, where the best has no more."""
        quick = level == QUICK and self.best.steps <= _QUICK_STEPS
        return BEST if quick else level + 1


def at_level(settings: ImageSettings, level: int, aspect: float, best: Best) -> ImageSettings:
    """The settings for a level, in the shape of the viewport.

    Guidance doubles the work; a quick picture does without where there is little of it."""
    side = best.side / (2 if level == QUICK else 1)
    width, height = (
        max(64, round(side * stretch / _BLOCK) * _BLOCK) for stretch in (aspect**0.5, aspect**-0.5)
    )
    sized = replace(settings, width=width, height=height)
    if level == BEST:
        return sized
    free = level == QUICK and best.guidance <= _SLIGHT_GUIDANCE
    guidance = 1.0 if free else settings.guidance
    return replace(sized, steps=min(_QUICK_STEPS, best.steps), guidance=guidance)
