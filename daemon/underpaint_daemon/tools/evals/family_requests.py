"""What the probes ask of a family: the plainest requests that it takes, and who paints them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Prompt,
    Reference,
    Sampler,
    Sampling,
)
from underpaint.tree import request_digest
from underpaint_daemon.common.abilities import ABILITIES, Abilities

from .family_things import SIDE, Things

Image8 = npt.NDArray[np.uint8]
_STEPS = 3


class Painter(Protocol):
    """Runs requests: in this process, or on a daemon."""

    def paint(self, request: Any) -> Image8:
        """The first picture. Raises UnderpaintErrors."""

    def previews(self, request: Any) -> int:
        """How many previews came before the picture."""

    def cancel(self, request: Any) -> int:
        """Cancel after the first step; how many steps were told. Raises when it was not."""


def plainest(family: str, model: str, things: Things) -> Any:
    """The plainest request that a family takes."""
    return Plain(model, ABILITIES[family], things).base()


@dataclass(frozen=True, slots=True)
class Plain:
    model: str
    able: Abilities
    things: Things

    def base(self) -> Any:
        """The plainest request that the family takes."""
        if not (self.able.text or self.able.image):
            return self.masked()
        request = ImageRequest(
            Prompt("red stone cube", "blue"), self.model, SIDE, SIDE, self.sampling(),
            controls=(),
        )  # fmt: skip
        if not self.able.text:
            return replace(request, init=self.things.picture, strength=0.5)
        if self.able.needs_reference:
            return replace(request, references=(Reference(image=self.things.picture),))
        return self.with_control(request) if self.able.inner_control else request

    def masked(self) -> InpaintRequest:
        request = InpaintRequest(
            Prompt("red stone cube", "blue"), self.things.picture, self.things.mask, self.model,
            self.sampling(), controls=(), feather=0,
        )  # fmt: skip
        return self.with_control(request) if self.able.inner_control else request

    def sampling(self) -> Sampling:
        return Sampling(Sampler.EULER, _STEPS, 3.0, 7)

    def with_control(self, request: Any) -> Any:
        if self.able.references == 1 and self.able.reads:  # the control is the one
            request = replace(request, references=())
        return replace(
            request, view=self.things.view, controls=(Control(ControlKind.DEPTH, scale=1.0),)
        )


@dataclass(frozen=True, slots=True)
class Asked(Plain):
    """seen: what was painted before, by the digest of its request."""

    painter: Painter
    seen: dict[str, Image8]

    def first(self, request: Any) -> Image8:
        """What a request painted the first time that it was asked."""
        digest = request_digest(request)
        if digest not in self.seen:
            self.seen[digest] = self.painter.paint(request)
        return self.seen[digest]
