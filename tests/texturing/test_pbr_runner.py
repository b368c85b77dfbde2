"""PBR maps of texture requests from end to end, on tiny models with random weights."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import Pbr
from underpaint_daemon.common.job_contract import Artifact, JobCancelled, Phase
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.worker.materials.maps import MAP_NAMES
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.texturing.job.runner import run_texture

from helpers.meshes.sync_scene import on_two_tiles, torus
from helpers.painting.texture_studio import SIZE, Reporter, Studio, pixels
from helpers.painting.tiny_model import build, build_marigold

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    root = tmp_path_factory.mktemp("pbr")
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    build(paths.models / "tiny")
    buffers, cache = Buffers(), ModelCache(paths)
    yield Studio(cache, mesh_ref(torus(24, 12), buffers), buffers)
    cache.unload()


def artifacts(studio: Studio, **changes: object) -> dict[str, Artifact]:
    request = studio.request(**changes)
    found = run_texture(request, studio.buffers, Reporter(credit=False), studio.models)
    return {artifact.name: artifact for artifact in found}


def test_maps_come_beside_the_texture_and_say_how_they_were_made(studio) -> None:
    found = artifacts(studio, pbr=Pbr())
    images = {name: pixels(found[f"{name}.png"].data) for name in MAP_NAMES}
    assert all(image.shape[:2] == (SIZE, SIZE) for image in images.values())
    assert images["height"].dtype == np.uint16
    assert images["normal"][..., 2].min() > 100
    assert "estimated" in found["roughness.png"].facts["made"]
    assert found["ao.png"].facts["made"].startswith("from the mesh")
    plain = artifacts(studio)
    assert not set(plain) & {f"{name}.png" for name in MAP_NAMES}
    assert np.array_equal(pixels(found["texture.png"].data), pixels(plain["texture.png"].data))


def test_marigold_models_make_the_maps(studio) -> None:
    folder = studio.models.paths.models
    build_marigold(folder / "appearance", intrinsics=True)
    build_marigold(folder / "normals", intrinsics=False)
    found = artifacts(studio, pbr=Pbr("appearance", str(folder / "normals")))
    for name in ("base_color", "roughness", "metallic", "normal"):
        assert found[f"{name}.png"].facts["made"].startswith("Marigold"), name
    assert pixels(found["roughness.png"].data).std() > 0.5
    normal = pixels(found["normal.png"].data).astype(float) / 127.5 - 1
    assert np.abs(np.linalg.norm(normal, axis=-1) - 1).max() < 0.02


def test_a_folder_that_is_no_marigold_is_refused_before_painting(studio) -> None:
    reporter = Reporter(credit=False)
    with pytest.raises(RequestError) as refused:
        studio.run(reporter, pbr=Pbr("tiny"))
    assert refused.value.code is ErrorCode.MODEL_BROKEN
    assert not reporter.steps


def test_maps_of_an_edit_cover_all_of_the_texture(studio) -> None:
    base = np.full((SIZE, SIZE, 3), (200, 90, 30), np.uint8)
    lock = np.full((SIZE, SIZE), 255, np.uint8)
    lock[30:60, 30:60] = 0
    add = studio.buffers.add
    files = studio.run(pbr=Pbr(), base=add(Kind.COLOR, base), lock=add(Kind.MASK, lock))
    color = pixels(files["base_color.png"])
    assert (color[..., 3] == 255).all()
    assert np.abs(np.median(color[lock == 255][:, :3], 0) - (200, 90, 30)).max() < 40


class Watcher(Reporter):
    """Remembers how far the last phase was; has it stopped at `stop_at` of its steps."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__(credit=False)
        self.saving: list[tuple[int, int]] = []
        self.stop_at = stop_at

    def progress(self, phase: Phase, step: int, total: int) -> None:
        super().progress(phase, step, total)
        if phase is Phase.SAVING:
            self.saving.append((step, total))

    def raise_if_cancelled(self) -> None:
        if self.stop_at is not None and self.saving and self.saving[-1][0] >= self.stop_at:
            raise JobCancelled


def saved(studio: Studio, **changes: object) -> int:
    """How many steps saving has. It comes to its end at the last, and each step is but a part."""
    told = Watcher()
    studio.run(told, **changes)
    steps, totals = zip(*told.saving, strict=True)
    assert all(before < after for before, after in pairwise(steps))
    assert (steps[0], steps[-1], len(set(totals))) == (0, totals[0], 1)
    return totals[0]


def test_saving_says_how_far_it_is_and_stops_when_it_is_cancelled(studio) -> None:
    folder = studio.models.paths.models
    build_marigold(folder / "appearance", intrinsics=True)
    build_marigold(folder / "normals", intrinsics=False)
    plain, turned = saved(studio), saved(studio, turntable=True)
    mapped = saved(studio, turntable=True, pbr=Pbr())
    estimated = saved(studio, pbr=Pbr("appearance", "normals"))
    assert plain < turned < mapped < estimated
    larger = saved(studio, turntable=True, pbr=Pbr(), size=4 * SIZE)
    assert mapped < larger, "what has more texels takes longer"
    buffers = Buffers()
    pair = Studio(studio.models, mesh_ref(on_two_tiles(torus(24, 12)), buffers), buffers)
    assert saved(pair, turntable=True, pbr=Pbr()) > mapped, "two tiles"
    with pytest.raises(JobCancelled):
        studio.run(Watcher(stop_at=mapped // 2), pbr=Pbr(), turntable=True)
