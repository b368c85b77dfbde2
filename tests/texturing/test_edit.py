"""A mesh that is painted already: only what is open changes, and it continues what stays."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from underpaint.buffers import Buffers, Kind
from underpaint.paths import Paths
from underpaint.requests import Method, Mirror, Sampler, Sampling, TileImages
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.tools.evals.shapes import fragmented_uv
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.texturing.projection.tiers import FILLED, KEPT
from underpaint_daemon.worker.texturing.surface.mesh import Mesh

from helpers.meshes.sync_scene import on_two_tiles, torus
from helpers.painting.texture_studio import SIZE, Reporter, Studio, pixels
from helpers.painting.tiny_model import build

torch.set_num_threads(1)
ORANGE = (200, 90, 30)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("editing")
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    build(paths.models / "tiny")
    cache = ModelCache(paths)
    yield cache
    cache.unload()


def studio_of(models, mesh: Mesh) -> Studio:
    buffers = Buffers()
    return Studio(models, mesh_ref(mesh, buffers), buffers)


@pytest.fixture(scope="module")
def studio(models) -> Studio:
    return studio_of(models, torus(24, 12))


def noise(seed: int) -> np.ndarray:
    base = np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 4), np.uint8)
    base[..., 3] = 255
    return base


def locked_but(rows: slice, columns: slice) -> np.ndarray:
    lock = np.full((SIZE, SIZE), 255, np.uint8)
    lock[rows, columns] = 0
    return lock


def given(studio: Studio, base: np.ndarray, lock: np.ndarray) -> dict:
    add = studio.buffers.add
    return {"base": add(Kind.COLOR, base), "lock": add(Kind.MASK, lock)}


def test_everything_outside_the_mask_comes_back_bit_for_bit(studio) -> None:
    base, lock = noise(4), locked_but(slice(30, 60), slice(10, 50))
    files = studio.run(**given(studio, base, lock), view_count=4)
    texture = pixels(files["texture.png"])
    assert np.array_equal(texture[lock == 255], base[lock == 255])
    assert (texture[lock == 0] != base[lock == 0]).any(axis=1).mean() > 0.9
    with np.load(io.BytesIO(files["provenance.npz"])) as provenance:
        assert (provenance["tier_1001"][lock == 255] == KEPT).mean() > 0.8
        assert (provenance["tier_1001"][lock == 0] != KEPT).all()
    assert 1 <= json.loads(files["quality.json"])["views"] <= 4


def test_new_paint_fades_in_beside_what_stays(studio) -> None:
    base = np.full((SIZE, SIZE, 4), (*ORANGE, 255), np.uint8)
    change = given(studio, base, locked_but(slice(30, 60), slice(10, 50)))
    hard, soft = (
        pixels(studio.run(**change, feather=f)["texture.png"])[30:60, 10:50, :3].astype(int)
        for f in (0, 6)
    )
    rim = np.ones(hard.shape[:2], bool)
    rim[1:-1, 1:-1] = False
    away = [np.abs(image - ORANGE).sum(-1)[rim].mean() for image in (hard, soft)]
    assert away[1] < 0.5 * away[0]
    assert np.array_equal(soft[12:18, 15:25], hard[12:18, 15:25])


def test_a_spot_that_no_camera_sees_is_filled_from_what_is_around_it(models) -> None:
    inner = torus(24, 12)
    # A ball around the ring hides it from every side; it takes the right half of the map.
    ball = fragmented_uv(12, 6)
    ball = replace(ball, position=ball.position * 3)
    uv = torch.cat((inner.uv * torch.tensor([0.5, 1.0]), ball.uv * torch.tensor([0.5, 1.0])))
    uv[len(inner.uv) :, 0] += 0.5
    mesh = Mesh(
        torch.cat((inner.position, ball.position)),
        torch.cat((inner.normal, ball.normal)),
        uv,
        torch.cat((inner.ids, ball.ids)),
    )
    hidden = studio_of(models, mesh)
    base = np.full((SIZE, SIZE, 4), (*ORANGE, 255), np.uint8)
    lock = locked_but(slice(30, 60), slice(10, 40))
    reporter = Reporter()
    files = hidden.run(reporter, **given(hidden, base, lock))
    assert reporter.steps == []
    assert any("No view sees" in warning for warning in reporter.warnings)
    with np.load(io.BytesIO(files["provenance.npz"])) as provenance:
        assert (provenance["tier_1001"][lock == 0] == FILLED).mean() > 0.9
    texture = pixels(files["texture.png"])
    assert np.abs(texture[30:60, 10:40, :3].astype(int) - ORANGE).max() <= 1


def test_each_tile_of_a_udim_mesh_keeps_its_own(models) -> None:
    pair = studio_of(models, on_two_tiles(torus(16, 8)))
    bases, lock = (noise(1), noise(2)), locked_but(slice(20, 70), slice(20, 70))
    add = pair.buffers.add
    kept = add(Kind.MASK, np.full((SIZE, SIZE), 255, np.uint8))
    reporter = Reporter()
    files = pair.run(
        reporter,
        base=add(Kind.COLOR, bases[0]),
        lock=kept,
        more_tiles=(TileImages(1002, add(Kind.COLOR, bases[1]), add(Kind.MASK, lock)),),
    )
    first, second = (pixels(files[f"texture_{n}.png"]) for n in (1001, 1002))
    assert np.array_equal(first, bases[0])
    assert np.array_equal(second[lock == 255], bases[1][lock == 255])
    assert (second[lock == 0] != bases[1][lock == 0]).any()
    assert {index for index, _ in reporter.previews} == {0, 1}


def test_one_view_can_be_painted_again(studio) -> None:
    first = pixels(studio.run(view_count=4)["texture.png"])
    views = json.loads(studio.run(view_count=4)["views.json"])["views"]
    assert [view["number"] for view in views] == [0, 1, 2, 3]
    base = studio.buffers.add(Kind.COLOR, first)
    sampling = replace(studio.request().sampling, seed=77)
    change = {"base": base, "view_count": 4, "sampling": sampling}
    again = {n: studio.run(**change, reroll=n) for n in (0, 1)}
    changed = {n: (pixels(f["texture.png"]) != first).any(-1) for n, f in again.items()}
    for number in (0, 1):
        assert 0.05 < changed[number].mean() < 0.6
        assert (
            json.loads(again[number]["views.json"])["views"][0]["camera"]
            == (views[number]["camera"])
        )
    assert not (changed[0] & changed[1]).any()


def test_the_less_strength_the_less_the_seed_matters(studio) -> None:
    base = studio.buffers.add(Kind.COLOR, np.full((SIZE, SIZE, 3), ORANGE, np.uint8))

    def painted(strength: float, seed: int) -> np.ndarray:
        sampling = Sampling(Sampler.DDIM, 10, 3.0, seed)
        files = studio.run(base=base, strength=strength, sampling=sampling, view_count=2)
        return pixels(files["texture.png"])[..., :3].astype(int)

    apart = [np.abs(painted(s, 1) - painted(s, 2)).mean() for s in (0.1, 0.9)]
    assert apart[0] < 0.7 * apart[1]


@pytest.mark.parametrize("method", [Method.SYNC, Method.SEQUENTIAL])
def test_a_mirrored_texture_is_the_same_on_both_sides(studio, method) -> None:
    """The ring's map runs around it: columns c and 48 - c are mirror images across x = 0."""
    files = studio.run(mirror=Mirror(), method=method, view_count=4)
    texture = pixels(files["texture.png"])[..., :3].astype(float)
    plain = pixels(studio.run(method=method, view_count=4)["texture.png"])[..., :3].astype(float)
    columns = np.arange(2, 47)
    apart, apart_plain = (
        np.abs(image[:, columns] - image[:, 48 - columns]).mean() for image in (texture, plain)
    )
    assert apart < 2
    assert apart < 0.2 * apart_plain


def test_a_plane_beside_the_mesh_is_told(studio) -> None:
    reporter = Reporter()
    studio.run(reporter, mirror=Mirror((5.0, 0.0, 0.0)))
    assert any("mirror" in warning for warning in reporter.warnings)


def test_upscaled_views_are_painted_at_twice_the_size(studio) -> None:
    reporter = Reporter()
    files = studio.run(reporter, upscale=2)
    cameras = json.loads(files["views.json"])["views"]
    assert {view["camera"]["width"] for view in cameras} == {128}
    assert (pixels(files["texture.png"])[..., 3] == 255).all()
    assert reporter.steps[-1][0] == reporter.steps[-1][1]


def test_previews_show_the_texture_over_what_stays(studio) -> None:
    base = np.full((SIZE, SIZE, 4), (*ORANGE, 255), np.uint8)
    reporter = Reporter()
    lock = locked_but(slice(30, 60), slice(10, 50))
    studio.run(reporter, **given(studio, base, lock))
    index, shown = reporter.previews[-1]
    assert index == 0
    assert shown.shape == (256, 256, 3)
    assert np.abs(shown[:60].astype(int) - ORANGE).max() <= 1
    assert np.abs(shown[90:150, 40:120].astype(int) - ORANGE).mean() > 3
