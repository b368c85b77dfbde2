"""Models that leave the GPU to others between jobs, and come back."""

from __future__ import annotations

import numpy as np
import torch

from underpaint.requests import Control, ControlKind, ImageRequest, Lora, Prompt, Sampling, View
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache, spare_memory
from underpaint_daemon.worker.pipelines.loading.networks import Device

from helpers.painting.studio import Studio


def test_a_model_waits_in_main_memory_and_paints_the_same_when_it_is_back(
    studio: Studio, view: View
) -> None:
    asked = ImageRequest(
        Prompt("a red cube"), "tiny", 64, 64, Sampling(steps=2), view=view,
        controls=(Control(ControlKind.DEPTH),), loras=(Lora("style"),),
    )  # fmt: skip
    studio.models.unload()  # what other tests of this process left would wait on
    before, model = studio.paint(asked)[0], studio.models.load("tiny")
    held = studio.models.nbytes
    studio.runner.let_go()
    assert studio.models.nbytes == 0
    assert studio.models.waiting_bytes == held
    assert np.array_equal(studio.paint(asked)[0], before)
    assert studio.models.load("tiny") is model, "it was not read again"
    assert (studio.models.nbytes, studio.models.waiting_bytes) == (held, 0)


def test_what_main_memory_has_no_room_for_is_dropped(studio: Studio) -> None:
    """What it needs there is asked of models on a card alone: this machine may have none."""
    models = ModelCache(studio.models.paths, studio.models.place, limit_bytes=1 << 30)
    models.load("tiny")
    models.place = Device(torch.device("cuda"), torch.float16)
    models.let_go(room=0)
    assert len(models) == 0
    assert spare_memory() > 0
