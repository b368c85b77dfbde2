"""How fast: pictures of the live view through a daemon, and what compiling would bring."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from underpaint.client import Client
from underpaint.job import Job
from underpaint.requests import Control, ControlKind, ImageRequest, Prompt, Sampling

from .bench import Bench
from .pictures import STARTER

_LIVE_STEPS = 2  # as the add-on's quick pictures
_CALLS = 20


class Live:
    """The live view's pictures on a daemon, whose worker starts while other checks run."""

    def __init__(self, client: Client, bench: Bench) -> None:
        self._client, self._bench = client, bench
        self._first = self._submit(0) if bench.in_time else None

    def frames(self, bench: Bench) -> None:
        """Pictures a second, one after another, each as soon as the last has come."""
        assert self._first is not None
        self._first.result()
        waits = list[float]()
        for seed in range(1, 4 if bench.small else 30):
            began = time.perf_counter()
            self._submit(seed).result()
            waits.append(time.perf_counter() - began)
        bench.found.told("live_pictures_per_second", len(waits) / sum(waits))
        bench.found.told("live_slowest_ms", max(waits) * 1e3)

    def _submit(self, seed: int) -> Job:
        side = 64 if self._bench.small else 256
        request = ImageRequest(
            Prompt("a red stone ball"), STARTER, side, side,
            Sampling(steps=_LIVE_STEPS, seed=seed), view=self._bench.things.view,
            controls=(Control(ControlKind.DEPTH),),
        )  # fmt: skip
        return self._client.submit(request, self._bench.buffers)


def compiled(bench: Bench) -> None:
    """One step of the starter's network as it is, and compiled."""
    if bench.small:
        bench.found.cannot("compile", "compiling takes longer than a small check may")
        return
    model = bench.here.runner.models.load(STARTER)
    unet, place = model.unet, model.place
    side = 32
    sample = torch.zeros((2, unet.config.in_channels, side, side)).to(place.device, place.dtype)
    words = torch.zeros((2, 77, unet.config.cross_attention_dim)).to(place.device, place.dtype)

    def step(network: Any) -> Callable[[], Any]:
        return lambda: network(sample, 500, encoder_hidden_states=words)

    plain = _milliseconds(bench, step(unet))
    began = time.perf_counter()
    faster = step(torch.compile(unet))
    with torch.no_grad():
        faster()
    bench.sync()
    bench.found.told("compile_s", time.perf_counter() - began)
    bench.found.told("step_ms", plain)
    bench.found.told("step_compiled_ms", _milliseconds(bench, faster))


@torch.no_grad()
def _milliseconds(bench: Bench, step: Callable[[], Any]) -> float:
    for _ in range(3):
        step()
    bench.sync()
    began = time.perf_counter()
    for _ in range(_CALLS):
        step()
    bench.sync()
    return (time.perf_counter() - began) * 1e3 / _CALLS
