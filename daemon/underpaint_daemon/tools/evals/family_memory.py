"""A family's model in this process: whether it paints the same however little memory it is given,
and whether a second job loads anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from underpaint.buffers import Buffers
from underpaint.paths import Paths
from underpaint.requests import InpaintRequest
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.common.models import family_of
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.image import run_image
from underpaint_daemon.worker.pipelines.inpaint import run_inpaint
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.pipelines.memory import Tier
from underpaint_daemon.worker.quiet import Quiet

from .family_requests import plainest
from .family_things import Things

Image8 = npt.NDArray[np.uint8]
_FRUGAL = (Tier.TILED, Tier.VISITING, Tier.BLOCKS, Tier.OFFLOADED)


def kept_in_memory(paths: Paths, name: str) -> dict[str, bool]:
    """`tiers`: in tiles, with networks, blocks or layers that visit, the same bits; and as before
    when all of it is in place again. `second_job_loads_nothing`: the networks of two jobs are the
    same."""
    buffers = Buffers()
    runner = PipelineRunner(ModelCache(paths))
    asked = plainest(family_of(paths, name), name, Things.into(buffers))
    request = settle(asked, paths)
    try:
        runner(asked, buffers, Quiet())
        model = runner.models.load(name)
        first, frugal, again = (
            [_painted(model, request, buffers, tier) for tier in tiers]
            for tiers in ((Tier.FULL,), _FRUGAL, (Tier.FULL,))
        )
        before = [id(part) for part in model.networks]
        runner(asked, buffers, Quiet())
        now = runner.models.load(name)
        return {
            "tiers": all(np.array_equal(frugal[0], one) for one in frugal[1:])
            and np.array_equal(first[0], again[0]),
            "second_job_loads_nothing": now is model
            and before == [id(part) for part in now.networks],
        }
    finally:
        runner.unload()


@torch.no_grad()
def _painted(model: LoadedModel, request: Any, buffers: Buffers, tier: Tier) -> Image8:
    run: Any = run_inpaint if isinstance(request, InpaintRequest) else run_image
    picture: Image8 = run(model, request, buffers, tier, Quiet())[0]
    return picture
