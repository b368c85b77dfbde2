"""A scene's buffers, and a studio that paints them with what it is told: all of it real."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from underpaint.buffers import Buffers, Kind
from underpaint.cameras import Camera
from underpaint.requests import View
from underpaint_daemon.common.job_contract import Artifact, JobCancelled, Phase
from underpaint_daemon.common.needs import weights_of_parts
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.provenance import Image8

IDENTITY = tuple(np.eye(4).flatten().tolist())


@dataclass
class Recorder:
    """A Reporter that keeps what it is told. `cancel_at`: the denoising step to stop after."""

    cancel_at: int | None = None
    enough_at: int | None = None
    previews: list[tuple[int, Image8]] = field(default_factory=list)
    told: list[tuple[Phase, int, int]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    credit: bool = True

    def progress(self, phase: Phase, step: int, total: int) -> None:
        self.told.append((phase, step, total))

    def raise_if_cancelled(self) -> None:
        if self.cancel_at is not None and self.steps >= self.cancel_at:
            raise JobCancelled

    def enough(self) -> bool:
        return self.enough_at is not None and self.steps >= self.enough_at

    def wants_preview(self) -> bool:
        return self.credit

    def preview(self, step: int, image: Image8, index: int = 0) -> None:
        self.previews.append((step, image))

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    @property
    def steps(self) -> int:
        return max((s for phase, s, _ in self.told if phase is Phase.DENOISING), default=0)


@dataclass
class Studio:
    """Runs requests and gives back pictures."""

    runner: PipelineRunner
    buffers: Buffers

    @property
    def models(self) -> ModelCache:
        return self.runner.models

    def run(self, request: Any, reporter: Recorder | None = None) -> list[Artifact]:
        return self.runner(request, self.buffers, reporter or Recorder())

    def paint(self, request: Any, reporter: Recorder | None = None) -> list[Image8]:
        return [picture(a) for a in self.run(request, reporter) if a.media == "image/png"]

    def needed(self, model: Path) -> dict[str, int]:
        """Bytes of each of a model's networks in float32, told before it is loaded."""
        parts = weights_of_parts(self.models.paths, model, 4)
        return {name: sum(sizes.values()) for name, sizes in parts.items()}


def picture(artifact: Artifact) -> Image8:
    """A PNG artifact's pixels."""
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(artifact.data)))


def ball_view(buffers: Buffers, width: int = 64, height: int = 64) -> View:
    """A ball of radius 1 m before a wall, four metres away; exact depth and normals."""
    y, x = np.mgrid[0:height, 0:width]
    u, v = (x + 0.5) / width * 3 - 1.5, 1.5 - (y + 0.5) / height * 3
    inside = u**2 + v**2 < 1
    z = np.sqrt(np.clip(1 - u**2 - v**2, 0, None))
    depth = np.where(inside, 5 - z, np.inf).astype(np.float32)
    normal = np.where(inside[..., None], np.stack((u, v, z), -1), (0, 0, 1))
    colour = np.where(inside[..., None], (200, 60, 40), (70, 90, 120)).astype(np.uint8)
    encoded = np.round((normal * 0.5 + 0.5) * 255).astype(np.uint8)
    return View(
        camera=Camera(IDENTITY, IDENTITY, width, height, 0.1, 100.0),
        depth=buffers.add(Kind.DEPTH, depth),
        normal=buffers.add(Kind.NORMAL, encoded),
        color=buffers.add(Kind.COLOR, colour),
    )


def photo(width: int = 64, height: int = 64, channels: int = 3) -> Image8:
    """A picture with smooth colours and some grain, always the same."""
    rng = np.random.default_rng(5)
    coarse = rng.uniform(0, 255, (4, 4, channels))
    rows = np.linspace(0, 3.999, height).astype(int)
    columns = np.linspace(0, 3.999, width).astype(int)
    noise = rng.normal(0, 8, (height, width, channels))
    return (coarse[rows][:, columns] + noise).clip(0, 255).astype(np.uint8)
