"""Pictures of every size are shown to the models that read them beside the words."""

from __future__ import annotations

import numpy as np
import pytest
from diffusers.pipelines.flux2.image_processor import Flux2ImageProcessor
from PIL import Image

from underpaint_daemon.worker.pipelines.references.beside import readable


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (63, 64), (32, 32), (100, 1000)])
def test_a_picture_of_any_size_can_be_read(size: tuple[int, int]) -> None:
    """FLUX.2 refuses what is small or long; the picture goes on at its edges in its colours."""
    picture = np.full((*size, 3), (200, 60, 40), np.uint8)
    shown = readable(picture)
    Flux2ImageProcessor.check_image_input(Image.fromarray(shown))
    assert np.abs(shown.astype(int) - (200, 60, 40)).max() <= 1


def test_a_picture_that_can_be_read_stays_as_it_is() -> None:
    picture = np.random.default_rng(3).integers(0, 255, (64, 512, 3), np.uint8)
    assert readable(picture) is picture
