"""What the live view asks for next: a quick picture of each change, better ones while nothing
moves. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..image.request import ImageSettings

_BLOCK = 8
_QUICK_STEPS = 2
LAST = 2
"""The level of the best picture; 0 is the quick one."""


@dataclass(slots=True)
class Plan:
    """`key`: what the newest picture was asked of. `level`: of the next picture to ask for."""

    key: object = None
    level: int = 0
    asked: bool = False

    def look(self, key: object) -> bool:
        """Take in what the viewport shows now; whether it has changed."""
        changed = key != self.key
        if changed:
            self.key, self.level = key, 0
        return changed

    @property
    def wants(self) -> bool:
        """Whether there is a picture to ask for."""
        return self.level <= LAST

    def painted(self, key: object, level: int) -> None:
        """A picture has come; the next is a better one, if it still shows what is there."""
        if key == self.key:
            self.level = max(self.level, level + 1)


def at_level(settings: ImageSettings, level: int, aspect: float, native: int) -> ImageSettings:
    """The settings for a level, in the shape of the viewport: half the size in few steps, the
    whole size in few steps, then as the panel says. `native`: the model's own side, pixels."""
    whole = ((settings.width or native) * (settings.height or native)) ** 0.5
    side = whole / (2 if level == 0 else 1)
    width, height = (
        max(64, round(side * stretch / _BLOCK) * _BLOCK) for stretch in (aspect**0.5, aspect**-0.5)
    )
    steps = settings.steps if level == LAST else _QUICK_STEPS
    return replace(settings, width=width, height=height, steps=steps)
