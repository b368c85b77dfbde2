"""Texture requests run in this process, on a tiny model with random weights."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from underpaint.buffers import Buffers
from underpaint.requests import (
    Control,
    ControlKind,
    MeshRef,
    Prompt,
    Sampler,
    Sampling,
    TextureRequest,
)
from underpaint_daemon.common.job_contract import JobCancelled, Phase
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.texturing.job.runner import run_texture

SIZE = 96


class Reporter:
    """Remembers what it is told; stops after so many view-steps if told to."""

    def __init__(self, stop_after: int | None = None, credit: bool = True) -> None:
        self.steps: list[tuple[int, int]] = []
        self.warnings: list[str] = []
        self.previews: list[tuple[int, np.ndarray]] = []
        self.stop_after, self.credit = stop_after, credit

    def progress(self, phase: Phase, step: int, total: int) -> None:
        if phase is Phase.DENOISING:
            self.steps.append((step, total))

    def raise_if_cancelled(self) -> None:
        if self.stop_after is not None and len(self.steps) >= self.stop_after:
            raise JobCancelled

    def enough(self) -> bool:
        return False

    def wants_preview(self) -> bool:
        return self.credit

    def preview(self, step: int, image: np.ndarray, index: int = 0) -> None:
        self.previews.append((index, image))

    def warn(self, message: str) -> None:
        self.warnings.append(message)


class Studio:
    """A cache of models and a mesh to paint."""

    def __init__(self, models: ModelCache, mesh: MeshRef, buffers: Buffers) -> None:
        self.models, self.mesh, self.buffers = models, mesh, buffers

    def request(self, **changes: Any) -> TextureRequest:
        request = TextureRequest(
            Prompt("red stone"),
            self.mesh,
            model="tiny",
            sampling=Sampling(Sampler.EULER, 2, 3.0, 1),
            controls=(Control(ControlKind.DEPTH),),
            view_count=3,
            view_size=64,
            size=SIZE,
        )
        return replace(request, **changes)

    def run(self, reporter: Reporter | None = None, **changes: Any) -> dict[str, bytes]:
        """The result's files by name."""
        told = reporter or Reporter(credit=False)
        files = run_texture(self.request(**changes), self.buffers, told, self.models)
        return {file.name: file.data for file in files}


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))
