"""Pictures on the disk, and what is in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

RAMP = np.linspace(0, 255, 64).round().astype(np.uint8)
GREYS = np.tile(RAMP, (8, 1))
COLOURS = np.stack([GREYS, GREYS[:, ::-1], np.full_like(GREYS, 90)], axis=2)


def saved(folder: Path, pixels: np.ndarray, name: str = "p.png", **options: object) -> Path:
    Image.fromarray(pixels).save(folder / name, **options)
    return folder / name
