"""Rendering the scenes of an evaluation, in as many processes as there are processors."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import torch

from underpaint_starter.scenes.dataset import SceneSample, render_scene
from underpaint_starter.scenes.shapes import Mesh

_WORTH_IT = 48  # scenes below which starting processes takes longer than rendering


def rendered(seeds: Sequence[int], size: int, mesh: Mesh | None = None) -> list[SceneSample]:
    """The held-out scenes of the seeds (with a mesh: any), in their order."""
    render = partial(render_scene, size=size, held_out=mesh is None, mesh=mesh)
    count = os.cpu_count() or 1
    if len(seeds) < _WORTH_IT or count == 1:
        return [render(seed) for seed in seeds]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(count, 8), context, torch.set_num_threads, (1,)) as pool:
        return list(pool.map(render, seeds, chunksize=4))
