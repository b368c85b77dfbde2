"""A job that was interrupted goes on from where it stood, to the same bits."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from underpaint.buffers import Buffers
from underpaint.paths import Paths
from underpaint.requests import Method, Sampler, Sampling
from underpaint_daemon.common.job_contract import JobCancelled
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache

from helpers.meshes.sync_scene import torus
from helpers.painting.texture_studio import Reporter, Studio
from helpers.painting.tiny_model import build

torch.set_num_threads(1)
STEPS, VIEWS = 4, 2


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    root = tmp_path_factory.mktemp("resuming")
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    build(paths.models / "tiny")
    cache, buffers = ModelCache(paths), Buffers()
    yield Studio(cache, mesh_ref(torus(16, 8), buffers), buffers)
    cache.unload()


def unfinished(studio: Studio) -> list[Path]:
    return list((studio.models.paths.cache / "unfinished").glob("*"))


def digests(files: dict[str, bytes]) -> dict[str, str]:
    """What is compared, short enough to be read where it differs."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def asked(sampler: Sampler) -> dict:
    return {"sampling": Sampling(sampler, STEPS, 3.0, 1), "view_count": VIEWS}


@pytest.mark.parametrize(
    "sampler", [Sampler.EULER_A, Sampler.DPMPP_2M_SDE_KARRAS, Sampler.UNIPC, Sampler.LCM]
)
def test_a_cancelled_texture_goes_on_with_any_sampler(studio, sampler) -> None:
    whole = studio.run(**asked(sampler))
    with pytest.raises(JobCancelled):
        studio.run(Reporter(stop_after=VIEWS * 2 + 1), **asked(sampler))
    assert len(unfinished(studio)) == 1
    rest = Reporter()
    again = studio.run(rest, **asked(sampler))
    assert rest.steps[0] == (VIEWS * 2 + 1, VIEWS * STEPS)
    assert digests(again) == digests(whole)
    assert unfinished(studio) == []


@pytest.mark.parametrize("method", [Method.SEQUENTIAL, Method.GRID_SYNC])
def test_other_methods_go_on_in_their_later_parts(studio, method) -> None:
    change = {**asked(Sampler.DPMPP_2M), "method": method, "upscale": 2}
    whole = studio.run(**change)
    for stop in (STEPS + 1, 2):
        with pytest.raises(JobCancelled):
            studio.run(Reporter(stop_after=stop), **change)
    rest = Reporter()
    again = studio.run(rest, **change)
    assert digests(again) == digests(whole)
    assert rest.steps[0][0] > STEPS + 1


def test_another_request_begins_anew(studio) -> None:
    with pytest.raises(JobCancelled):
        studio.run(Reporter(stop_after=5), **asked(Sampler.EULER))
    other = Reporter()
    studio.run(other, **asked(Sampler.DDIM))
    assert other.steps[0][0] == 1
    assert len(unfinished(studio)) == 1


def test_a_broken_file_is_no_obstacle(studio) -> None:
    whole = studio.run(**asked(Sampler.EULER))
    with pytest.raises(JobCancelled):
        studio.run(Reporter(stop_after=5), **asked(Sampler.EULER))
    (file,) = unfinished(studio)
    file.write_bytes(file.read_bytes()[:-100])
    again = studio.run(**asked(Sampler.EULER))
    assert digests(again) == digests(whole)
