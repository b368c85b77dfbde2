"""Textures by a model that follows a guide: one pattern for the whole mesh, whatever the method."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from underpaint.buffers import Buffers
from underpaint.cameras import project
from underpaint.paths import Paths
from underpaint.requests import Control, ControlKind, Method, Pattern, Sampler, Sampling
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.tools.evals.shapes import chair
from underpaint_daemon.worker.pipelines.controls.guided import with_pattern
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.texturing.job.painting import stations_of
from underpaint_daemon.worker.texturing.job.runner import prepared

from helpers.painting.texture_studio import Reporter, Studio, pixels
from helpers.painting.tiny_model import build_guided

GUIDED = (Control(ControlKind.DEPTH), Control(ControlKind.GUIDE))
QUICK = Sampling(Sampler.EULER, 1, 1.0, 1)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    root = tmp_path_factory.mktemp("guided")
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    build_guided(paths.models / "guided")
    buffers = Buffers()
    return Studio(ModelCache(paths), mesh_ref(chair(), buffers), buffers)


def guided(studio: Studio, **changes: object) -> dict[str, object]:
    return {"model": "guided", "controls": GUIDED, "sampling": QUICK, "view_count": 2, **changes}


def test_all_views_show_the_same_pattern_on_the_same_spot(studio: Studio) -> None:
    asked = studio.request(**guided(studio, view_count=6, view_size=128))
    request = with_pattern(replace(asked, pattern=Pattern(0.6)), studio.buffers)
    model = studio.models.load("guided")
    with prepared(request, studio.buffers, Reporter(credit=False), model) as work:
        stations = stations_of(work)
    guides = [s.conditioning.images[1].astype(float) for s in stations]
    apart, strange = [], []
    for one, own in zip(stations, guides, strict=True):
        at = one.buffers.position[one.buffers.mask].cpu().numpy()
        colours = own[one.buffers.mask.cpu().numpy()]
        for other, its in zip(stations, guides, strict=True):
            if other is one:
                continue
            seen = _seen_again(at, other)
            here, there = colours[seen[0]], its[seen[1], seen[2]]
            apart.append(np.abs(here - there)[:, 2])
            strange.append(np.abs(here - there[::-1])[:, 2])
    assert np.median(np.concatenate(apart)) < 8, "half a pixel of solid noise"
    assert np.median(np.concatenate(strange)) > 16, "elsewhere it is another"


def _seen_again(at: np.ndarray, other: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of the points another view sees, and at which row and column."""
    camera = other.buffers.camera
    pixel, depth = project(camera, at)
    column, row = np.floor(pixel).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < camera.width) & (row < camera.height)
    where = np.flatnonzero(inside)
    known = other.buffers.depth.cpu().numpy()[row[where], column[where]]
    where = where[np.abs(known - depth[where]) < 0.01 * depth[where]]
    return where, row[where], column[where]


def test_the_size_stands_in_the_recipe_and_the_artists_stays(studio: Studio) -> None:
    by_itself = json.loads(studio.run(**guided(studio))["texture.json"])["request"]
    assert by_itself["pattern"]["size"] > 0
    by_hand = json.loads(studio.run(**guided(studio, pattern=Pattern(0.2, 4)))["texture.json"])[
        "request"
    ]
    assert by_hand["pattern"] == {"size": 0.2, "seed": 4}


@pytest.mark.parametrize("method", list(Method))
def test_every_method_follows_the_guide(studio: Studio, method: Method) -> None:
    count = 4 if method is Method.GRID_SYNC else 2
    first, second = (
        studio.run(**guided(studio, method=method, view_count=count, pattern=pattern))
        for pattern in (Pattern(0.3), Pattern(0.3, own_uv=True))
    )
    assert not np.array_equal(pixels(first["texture.png"]), pixels(second["texture.png"]))
