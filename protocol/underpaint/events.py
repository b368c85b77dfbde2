"""What a job tells while it lives: frozen events, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import UnderpaintError
from .wire.messages import JobState


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The job entered a state that is not its last."""

    job: str
    state: JobState


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` of `total` in `phase`; `eta_s`: seconds to the end of that phase, when it can
    be told (of the whole job: `conversation.progress.Course`)."""

    job: str
    phase: str
    step: int
    total: int
    eta_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """How image `index` looks so far: (h, w, 3) uint8 sRGB, read-only."""

    job: str
    step: int
    total: int
    image: npt.NDArray[np.uint8]
    index: int = 0


@dataclass(frozen=True, slots=True)
class Warning_:
    """The job goes on, but the artist should know this."""

    job: str
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The results can be fetched."""

    job: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ended without results; `error.code` is CANCELLED when it was cancelled."""

    job: str
    error: UnderpaintError


JobEvent = StateChanged | Progress | Preview | Warning_ | Done | Failed


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One file of a result. `media`: its media type; `facts`: seed, size, metrics, …"""

    name: str
    media: str
    data: bytes
    facts: Mapping[str, Any] = field(default_factory=dict)
