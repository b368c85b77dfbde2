"""Devices without float64 (Apple's GPUs): only the networks work there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import underpaint_daemon
from underpaint.buffers import Buffers
from underpaint.paths import Paths
from underpaint.requests import Method
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.pipelines.loading.networks import exact_device

from helpers.meshes.sync_scene import torus
from helpers.painting.texture_studio import Reporter, Studio
from helpers.painting.tiny_model import build

TEXTURING = Path(underpaint_daemon.__file__).parent / "worker" / "texturing"
# What may know where the networks are: it moves what goes into them and takes back what comes.
_MOVES = (
    r"exact_device\(|tiers_for\(|frugal\(|place\.device, place\.dtype|^\s+model\.place\.device,$"
    r"|steadied\("
)


@pytest.mark.parametrize(
    ("networks", "sums"), [("mps", "cpu"), ("cuda:1", "cuda:1"), ("cpu", "cpu")]
)
def test_sums_are_done_where_there_is_float64(networks: str, sums: str) -> None:
    assert exact_device(torch.device(networks)) == torch.device(sums)


def test_all_of_texturing_follows_the_mesh_but_for_what_the_networks_are_given() -> None:
    lines = [
        f"{file.name}: {line.strip()}"
        for file in TEXTURING.rglob("*.py")
        for line in file.read_text("utf-8").splitlines()
        if re.search(r"place\.(device|dtype)", line) and not re.search(_MOVES, line)
    ]
    assert lines == []


class _Watching(TorchDispatchMode):
    """Notes every operation that gives float64."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        given = tree_leaves((args, kwargs or {}, out))
        if any(isinstance(one, torch.Tensor) and one.dtype == torch.float64 for one in given):
            self.found.add(str(func))
        return out


@contextmanager
def watched(model: LoadedModel) -> Iterator[set[str]]:
    """What gives or gets float64 inside the networks of a model, in this block."""
    found: set[str] = set()
    calls = 0

    def around(forward: Any) -> Any:
        def inside(*args: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            with _Watching() as mode:
                out = forward(*args, **named)
            found.update(mode.found)
            return out

        return inside

    parts = [model.unet, model.vae.encoder, model.vae.decoder, *model.controlnets.loaded.values()]
    for part in parts:
        part.forward = around(part.forward)
    try:
        yield found
    finally:
        for part in parts:
            del part.forward
        assert calls > 0


@pytest.mark.parametrize("method", [Method.SYNC, Method.SEQUENTIAL])
def test_the_networks_are_given_no_float64(tmp_path: Path, method: Method) -> None:
    paths = Paths(runtime=tmp_path / "run", data=tmp_path, cache=tmp_path / "cache")
    build(paths.models / "tiny")
    models, buffers = ModelCache(paths), Buffers()
    studio = Studio(models, mesh_ref(torus(24, 12), buffers), buffers)
    model = models.load("tiny")
    for kind in model.controlnets:
        model.controlnets[kind]
    with watched(model) as found:
        studio.run(Reporter(), method=method)
    assert found == set()
