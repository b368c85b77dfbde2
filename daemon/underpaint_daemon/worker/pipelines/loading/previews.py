"""The latent preview of a model's VAE, fitted once and kept in the cache folder."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from underpaint_daemon.common.caches import PREVIEWS, remember, used

from ..latents import LatentPreview, fit_preview


def remembered_preview(digest: str, cache: Path, vae: Any) -> LatentPreview:
    """Of the model with that digest."""
    file = cache / PREVIEWS / f"{digest}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):  # none, or one that was cut short
        matrix = np.load(file, allow_pickle=False)
        used(file)
        return LatentPreview(matrix)
    preview = fit_preview(vae)
    packed = io.BytesIO()
    np.save(packed, preview.matrix, allow_pickle=False)
    remember(file, packed.getvalue())
    return preview
