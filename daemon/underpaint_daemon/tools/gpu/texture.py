"""Texturing on the device: the sparse operators, and a whole job."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from underpaint.requests import Control, ControlKind, Prompt, Sampling, TextureRequest
from underpaint_daemon.worker.texturing.cameras.render import ViewBuffers
from underpaint_daemon.worker.texturing.views.correspondence import Correspondence

from ..evals.meshes import mesh_ref
from ..evals.shapes import chair
from ..evals.sync import ring_views
from .bench import Bench, picture, psnr
from .pictures import STARTER

_EXPONENT = 4.0
_OPERATOR_DB = 60.0
_TEXTURE_DB = 20.0
_REPEATS = 5


def operators(bench: Bench) -> None:
    """The averaging of views: built and applied on the device as on the CPU."""
    cells, count = (16, 4) if bench.small else (64, 10)
    views = ring_views(chair(), cells, count)
    generator = torch.Generator().manual_seed(5)
    images = [torch.randn((1, 4, *view.size), generator=generator) for view in views]
    there = Correspondence.build(views).apply(images, _EXPONENT)
    device = bench.place.device
    began = time.perf_counter()
    operator = Correspondence.build([_moved(view, device) for view in views])
    bench.sync()
    bench.found.told("operator_build_ms", (time.perf_counter() - began) * 1e3)
    here = _applied(bench, operator, [image.to(device) for image in images])
    both = [np.concatenate([one.cpu().numpy().ravel() for one in rows]) for rows in (here, there)]
    bench.found.least("operator_against_cpu_db", psnr(both[0], both[1], peak=1.0), _OPERATOR_DB)


def _applied(bench: Bench, operator: Correspondence, images: Sequence[Tensor]) -> list[Tensor]:
    mixed = operator.apply(images, _EXPONENT)
    bench.sync()
    began = time.perf_counter()
    for _ in range(_REPEATS):
        mixed = operator.apply(images, _EXPONENT)
    bench.sync()
    bench.found.told("operator_apply_ms", (time.perf_counter() - began) * 1e3 / _REPEATS)
    return mixed


def _moved(view: ViewBuffers, device: torch.device) -> ViewBuffers:
    held: dict[str, Any] = {f.name: getattr(view, f.name) for f in fields(view)}
    moved: dict[str, Any] = {
        name: value.to(device) if isinstance(value, Tensor) else value
        for name, value in held.items()
    }
    return ViewBuffers(**moved)


def job(bench: Bench) -> None:
    """A texture by the starter: painted whole, and like the CPU's."""
    views, side, size = (2, 64, 64) if bench.small else (4, 128, 256)
    request = TextureRequest(
        Prompt("red stone"), mesh_ref(chair(), bench.buffers), STARTER,
        sampling=Sampling(steps=2 if bench.small else 4, seed=3),
        controls=(Control(ControlKind.DEPTH),), view_count=views, view_size=side, size=size,
    )  # fmt: skip
    here = picture(bench.here.run(request))
    bench.found.told("texture_s", bench.here.seconds)
    bench.found.least("texture_painted_fraction", float((here[..., 3] > 0).mean()), 0.5)
    there = picture(bench.cpu.run(request))
    bench.found.least("texture_against_cpu_db", psnr(here, there), _TEXTURE_DB)
