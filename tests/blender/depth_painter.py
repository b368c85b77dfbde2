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


def build_runner(paths: Paths) -> DepthPainter:
    return DepthPainter(paths)


class DepthPainter(Walker):
    """Obeys the prompt like `Walker`; its picture shows near things bright."""

    def __call__(self, request, buffers: Mapping[str, Any], reporter):
        super().__call__(request, buffers, reporter)
        shade = np.full((request.height, request.width), request.sampling.seed % 256, np.uint8)
        if request.view is not None and request.view.depth is not None:
            depth = buffers[request.view.depth.sha256]
            shade = np.where(np.isfinite(depth), 255 / (1 + depth / 8), 0).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(shade).save(file, "PNG")
        return [Artifact("image_0.png", "image/png", file.getvalue(), {"seed": 0})]
