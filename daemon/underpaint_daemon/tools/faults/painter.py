"""The runner of `bench faults`: small steps, so that it can be hit anywhere, and a result that its
seed alone decides."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from underpaint.paths import Paths
from underpaint.requests import Request
from underpaint_daemon.common.job_contract import Artifact, Phase, Reporter, Runner

_STEP_S = 0.004
_BLOCK = 32


def build_runner(_paths: Paths) -> Runner:
    """A runner that takes the request's steps and gives `painted(seed)`."""
    return paint


def paint(
    request: Request, buffers: Mapping[str, npt.NDArray[Any]], reporter: Reporter
) -> list[Artifact]:
    """One file. Every buffer is read, as a model would."""
    steps = request.sampling.steps or 1
    for array in buffers.values():
        array.sum()
    for step in range(1, steps + 1):
        reporter.raise_if_cancelled()
        time.sleep(_STEP_S)
        reporter.progress(Phase.DENOISING, step, steps)
    data = painted(request.sampling.seed)
    return [Artifact("image_0.bin", "application/octet-stream", data)]


def painted(seed: int) -> bytes:
    """The one right result of a seed: 32 bytes to 64 kB."""
    block = hashlib.sha256(str(seed).encode()).digest()
    return block * (1 + seed % (2048 - _BLOCK))
