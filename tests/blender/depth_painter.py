"""A small real runner: paints the depth of the view it was given, in as many steps as told."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from underpaint.paths import Paths
from underpaint_daemon.worker.job import Artifact

sys.path.insert(0, str(Path(__file__).parents[1] / "daemon"))
from small_runners import Walker

_GOLD = np.array([1.0, 0.72, 0.25])


def build_runner(paths: Paths) -> DepthPainter:
    return DepthPainter(paths)


class DepthPainter(Walker):
    """Obeys the prompt like `Walker`; near things are bright gold, the background is black."""

    def __call__(self, request, buffers: Mapping[str, Any], reporter):
        picture = _picture(request, buffers)
        super().__call__(request, buffers, _Shows(reporter, picture))
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        return [Artifact("image_0.png", "image/png", file.getvalue(), {"seed": 0})]


class _Shows:
    """A reporter whose previews are the picture."""

    def __init__(self, reporter, picture: np.ndarray) -> None:
        self._reporter = reporter
        self._picture = picture

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)

    def preview(self, step: int, _image: np.ndarray) -> None:
        self._reporter.preview(step, np.ascontiguousarray(self._picture[::2, ::2]))


def _picture(request, buffers: Mapping[str, Any]) -> np.ndarray:
    shade = np.full((request.height, request.width), (request.sampling.seed % 256) / 255)
    if request.view is not None and request.view.depth is not None:
        depth = buffers[request.view.depth.sha256]
        shade = np.where(np.isfinite(depth), 1 / (1 + depth / 8), 0)
    return (shade[..., None] * _GOLD * 255).astype(np.uint8)
