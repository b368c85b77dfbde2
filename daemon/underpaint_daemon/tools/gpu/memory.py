"""Memory: every tier paints the same picture in less, and a full card is got over."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from underpaint.errors import ErrorCode, JobFailed
from underpaint.requests import ImageRequest, Prompt, Sampler, Sampling
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.worker.pipelines.image import run_image
from underpaint_daemon.worker.pipelines.memory import WAITING, Tier, release
from underpaint_daemon.worker.quiet import Quiet

from ..bench.narrow_xl import build_narrow_xl
from ..evals.family_requests import plainest
from ..miniatures import MINIATURES
from .bench import Bench, Image8, picture, psnr
from .pictures import STARTER, models, starter_request

_XL = "narrow_xl"
_XL_SIDE = 2048
_TIER_DB = 25.0
_PART = 0.6
_LEFT_MIB = 16.0
_SAME_DB = 60.0


def tiers(bench: Bench) -> None:
    """Every tier: the picture of the first, its seconds, its peak."""
    for name in models(bench):
        if name in MINIATURES and not (bench.paths.models / name).exists():
            MINIATURES[name](bench.paths.models / name)
        request = starter_request(bench) if name == STARTER else plainest(name, name, bench.things)
        first, _ = _tried(bench, request, Tier.FULL)
        for tier in (Tier.TILED, *WAITING):
            if tier is not Tier.TILED and not bench.cuda:
                bench.found.cannot(f"{name}_{tier}", "weights of the CPU have nowhere to wait")
                continue
            image, _ = _tried(bench, request, tier)
            bench.found.least(f"{name}_{tier}_against_full_db", psnr(image, first), _TIER_DB)


def _tried(bench: Bench, request: ImageRequest, tier: Tier) -> tuple[Image8, float]:
    """The picture of a tier and its peak in MiB, 0 where nothing counts it."""
    settled = settle(request, bench.paths)
    assert isinstance(settled, ImageRequest)
    model = bench.here.runner.models.load(request.model)
    release()
    if bench.cuda:
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    with torch.no_grad():
        image = run_image(model, settled, bench.buffers, tier, Quiet())[0]
    bench.sync()
    name = f"{request.model}_{tier}"
    bench.found.told(f"{name}_ms", (time.perf_counter() - began) * 1e3)
    peak = torch.cuda.max_memory_allocated() / 2**20 if bench.cuda else 0.0
    if bench.cuda:
        bench.found.told(f"{name}_peak_mib", peak)
    return image, peak


def lease(bench: Bench) -> None:
    """While somebody else has the card the models are in main memory, and paint the same after."""
    request = starter_request(bench)
    before = bench.here.paint(request)
    loaded = bench.here.runner.models.load(request.model)
    bench.here.runner.let_go()
    if bench.cuda:
        left = torch.cuda.memory_allocated() / 2**20
        bench.found.most("lease_left_on_the_card_mib", left, _LEFT_MIB)
    else:
        bench.found.cannot("lease_left_on_the_card_mib", "weights of the CPU have nowhere to go")
    bench.found.least("lease_same_picture_db", psnr(bench.here.paint(request), before), _SAME_DB)
    same = bench.here.runner.models.load(request.model) is loaded
    bench.found.least("lease_nothing_read_again", float(same), 1.0)


def out_of_memory(bench: Bench) -> None:
    """A card too small for the picture: the job gets by with less or is refused in words, and the
    next one paints."""
    if not bench.cuda:
        bench.found.cannot("out_of_memory", "only CUDA's allocator can be capped in a process")
        return
    build_narrow_xl(bench.paths.models / _XL)
    request = ImageRequest(
        Prompt("red stone"), _XL, _XL_SIDE, _XL_SIDE, Sampling(Sampler.EULER, 2, 1.0, 1),
        controls=(),
    )  # fmt: skip
    bench.here.paint(replace(request, width=256, height=256))  # loads and warms up
    release()
    held = torch.cuda.memory_allocated()
    _, peak = _tried(bench, request, Tier.FULL)
    release()
    total = torch.cuda.get_device_properties(bench.place.device).total_memory
    cap = held + (peak * 2**20 - held) * _PART
    torch.cuda.set_per_process_memory_fraction(cap / total)
    try:
        _capped(bench, request)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    fine = bench.here.paint(replace(request, width=256, height=256))
    bench.found.least("after_out_of_memory_paints", float(fine.std() > 1), 1.0)


def _capped(bench: Bench, request: ImageRequest) -> None:
    told = Quiet()
    try:
        image = picture(bench.here.run(request, told))
        bench.found.told("out_of_memory_recovered", float(image.std() > 1))
        held = any("Memory ran out" in warning for warning in told.warnings)
    except JobFailed as error:
        bench.found.told("out_of_memory_recovered", 0.0)
        bench.found.notes["out_of_memory"] = error.message
        held = error.code is ErrorCode.OUT_OF_MEMORY
    bench.found.least("out_of_memory_told", float(held), 1.0)
