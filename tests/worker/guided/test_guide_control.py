"""A model that follows a guide by itself: views, repeating materials, repainted spots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from underpaint.buffers import Kind
from underpaint.errors import RequestError
from underpaint.files.recipe import recipe_in
from underpaint.paths import Paths
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Pattern,
    Prompt,
    TileAxes,
    View,
)
from underpaint.tree import from_plain

from helpers.painting.studio import Studio, ball_view, photo
from helpers.painting.tiny_model import build_guided

ASKED = ImageRequest(Prompt("red stone"), model="guided", width=64, height=64)
TILE = replace(ASKED, tile=TileAxes.XY)


@pytest.fixture(scope="module", autouse=True)
def guided(paths: Paths) -> None:
    build_guided(paths.models / "guided")


def recipe_of(studio: Studio, request: ImageRequest) -> ImageRequest:
    made = from_plain(recipe_in(studio.run(request)[0].data, "result.png")["request"])
    assert isinstance(made, ImageRequest)
    return made


def test_the_guide_comes_by_itself_and_the_recipe_makes_the_same_again(
    studio: Studio, view: View
) -> None:
    asked = replace(ASKED, view=view)
    made = recipe_of(studio, asked)
    assert [control.kind for control in made.controls or ()] == ["depth", "guide"]
    assert made.pattern.size is not None
    assert (made.sampling.steps, made.width) == (4, 64)
    pictures = [studio.paint(request)[0] for request in (asked, made)]
    assert np.array_equal(*pictures)


def test_size_and_seed_of_the_pattern_change_the_picture(studio: Studio, view: View) -> None:
    asked = replace(ASKED, view=view)
    pictures = [
        studio.paint(replace(asked, pattern=pattern))[0]
        for pattern in (Pattern(0.5), Pattern(0.8), Pattern(0.5, 1))
    ]
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_a_larger_view_than_the_picture_is_followed(studio: Studio) -> None:
    large = ball_view(studio.buffers, 160, 120)
    assert studio.paint(replace(ASKED, view=large, width=None, height=None))


def test_a_material_gets_a_plane_of_its_own(studio: Studio) -> None:
    made = recipe_of(studio, TILE)
    assert [control.kind for control in made.controls or ()] == ["depth", "guide"]
    plain = studio.paint(replace(TILE, controls=()))[0]
    guided = studio.paint(TILE)[0]
    assert not np.array_equal(plain, guided)
    assert not np.array_equal(guided, studio.paint(replace(TILE, pattern=Pattern(1 / 4)))[0])
    with_normals = (*(made.controls or ()), Control(ControlKind.NORMAL))
    assert not np.array_equal(guided, studio.paint(replace(TILE, controls=with_normals))[0])


def test_a_spot_is_repainted_along_the_guide(studio: Studio, view: View) -> None:
    start = photo()
    mask = np.zeros((64, 64), np.uint8)
    mask[20:44, 20:44] = 255
    asked = InpaintRequest(
        Prompt("red stone"),
        studio.buffers.add(Kind.COLOR, start),
        studio.buffers.add(Kind.MASK, mask),
        model="guided",
        view=view,
    )
    first, second = (
        studio.paint(replace(asked, padding=padding, pattern=pattern))[0]
        for padding, pattern in ((8, Pattern(0.5)), (8, Pattern(0.5, 9)))
    )
    assert np.array_equal(first[mask == 0], start[mask == 0])
    assert not np.array_equal(first, second)


def test_own_uvs_need_a_view_that_knows_them(studio: Studio, view: View) -> None:
    asked = replace(ASKED, view=view, pattern=Pattern(own_uv=True))
    with pytest.raises(RequestError, match="own_uv"):
        studio.run(asked)
    uv = np.stack(np.meshgrid(np.linspace(0, 1, 64), np.linspace(1, 0, 64)), -1)
    ref = studio.buffers.add(Kind.UV, uv.astype(np.float32))
    assert studio.paint(replace(asked, view=replace(view, uv=ref)))


def test_a_guide_may_be_given_ready_made(studio: Studio) -> None:
    image = studio.buffers.add(Kind.COLOR, photo())
    control = Control(ControlKind.GUIDE, image=image)
    assert studio.paint(replace(ASKED, controls=(control,)))
