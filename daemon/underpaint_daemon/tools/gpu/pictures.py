"""The device's pictures: of every family in half precision, of every sampler."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from underpaint.requests import Control, ControlKind, ImageRequest, Prompt, Sampler, Sampling
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.models import family_of

from ..evals.family_probes import probe
from ..evals.family_requests import plainest
from ..miniatures import MINIATURES
from .bench import Bench, psnr

STARTER = "starter"
_FAMILY_DB = 15.0
_SAMPLER_DB = 20.0
_ABILITIES = frozenset({"text", "image", "mask", "control", "lora", "reference"})
_SMALL_FAMILIES = ("flux2_klein",)
_SMALL_ABILITIES = frozenset({"text"})
_SMALL_SAMPLERS = (Sampler.EULER, Sampler.LCM)
_SIDE, _SMALL_SIDE, _STEPS = 256, 64, 6


def starter_request(bench: Bench, **sampling: Any) -> ImageRequest:
    """A picture of the ball by the starter, with its depth."""
    side = _SMALL_SIDE if bench.small else _SIDE
    return ImageRequest(
        Prompt("a red stone ball"), STARTER, side, side,
        Sampling(**({"steps": _STEPS, "seed": 3} | sampling)),
        view=bench.things.view, controls=(Control(ControlKind.DEPTH),),
    )  # fmt: skip


def families(bench: Bench) -> None:
    """Every family's miniature: alike on the device and the CPU, and able to what it claims."""
    for name in _SMALL_FAMILIES if bench.small else MINIATURES:
        if not bench.in_time:
            bench.found.cannot(name, "the time was up")
            continue
        MINIATURES[name](bench.paths.models / name)
        _family(bench, name)
        for painter in (bench.here, bench.cpu):
            painter.runner.unload()


def _family(bench: Bench, name: str) -> None:
    family = family_of(bench.paths, name)
    request = plainest(family, name, bench.things)
    here, there = bench.here.paint(request), bench.cpu.paint(request)
    bench.found.least(f"{name}_against_cpu_db", psnr(here, there), _FAMILY_DB)
    only = _SMALL_ABILITIES if bench.small else _ABILITIES
    for ability, holds in probe(family, name, bench.here, bench.things, only).items():
        bench.found.least(f"{name}_{ability}", float(holds), 1.0)


def samplers(bench: Bench) -> None:
    """Every sampler on the starter, against the CPU's picture; previews; a cancel; the same
    picture twice."""
    for sampler in _SMALL_SAMPLERS if bench.small else ABILITIES["sd15"].samplers:
        request = starter_request(bench, sampler=sampler)
        here, there = bench.here.paint(request), bench.cpu.paint(request)
        bench.found.least(f"sampler_{sampler}_against_cpu_db", psnr(here, there), _SAMPLER_DB)
    request = starter_request(bench)
    one, other = (bench.here.paint(request) for _ in range(2))
    bench.found.least("starter_twice_db", psnr(one, other), 40.0)
    bench.found.told("starter_picture_ms", bench.here.seconds * 1e3)
    bench.found.least("starter_previews", bench.here.previews(request), 1.0)
    many = replace(request, sampling=replace(request.sampling, steps=30))
    bench.found.most("steps_until_cancelled", bench.here.cancel(many), 29.0)


def models(bench: Bench) -> Iterator[str]:
    """Names of what the tiers are tried on."""
    yield STARTER
    if not bench.small:
        yield "flux1"
