"""The runner of `bench transport`: does no work, so that only the way is measured."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, Request
from underpaint_daemon.common.job_contract import Artifact, Phase, Reporter, Runner

WAIT = "wait"
_TICK = 0.002


def build_runner(_paths: Paths) -> Runner:
    """A runner that gives the view's normals back, or waits to be cancelled."""
    return echo


def echo(
    request: Request, buffers: Mapping[str, npt.NDArray[Any]], reporter: Reporter
) -> list[Artifact]:
    """Raw bytes of the view's normals, an RGB image (h, w, 3) uint8; nothing when there is no
    view. With the prompt "wait" it steps until it is cancelled."""
    if not isinstance(request, ImageRequest):
        raise RequestError(ErrorCode.BAD_REQUEST, "the echo runner takes image requests")
    while request.prompt.text == WAIT:
        reporter.raise_if_cancelled()
        time.sleep(_TICK)
    reporter.progress(Phase.DENOISING, 1, 1)
    if request.view is None or request.view.normal is None:
        return []
    image = buffers[request.view.normal.sha256]
    return [Artifact("image_0.raw", "application/octet-stream", image.tobytes())]
