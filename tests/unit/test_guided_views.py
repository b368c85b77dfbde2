"""The guide of views and planes: anchored to the world, round in size, repeating where it must."""

from __future__ import annotations

import numpy as np
import pytest

from underpaint import (
    Buffers,
    Camera,
    Control,
    ControlKind,
    ImageRequest,
    Kind,
    Pattern,
    Prompt,
    RequestError,
    View,
)
from underpaint.cameras import look_at, perspective, project, unproject
from underpaint_daemon.worker.guide import NEUTRAL
from underpaint_daemon.worker.pipelines.canvas import whole
from underpaint_daemon.worker.pipelines.controls.flat import flat_control, flat_guide
from underpaint_daemon.worker.pipelines.controls.guided import (
    automatic_size,
    guide_of,
    mesh_size_of,
    surface_of,
    view_size_of,
    with_pattern,
)

SIDE = 96
GUIDED = (Control(ControlKind.GUIDE),)


def wall_camera(x: float) -> Camera:
    """Looks along +Y at the wall y = 0 from three metres, from x metres aside."""
    projection = perspective(SIDE, SIDE, 0.7, 0.1, 100)
    return Camera(look_at((x, -3, 0), (x * 0.4, 0, 0)), projection, SIDE, SIDE, 0.1, 100)


def wall_view(buffers: Buffers, x: float, *, position: bool = False) -> View:
    camera = wall_camera(x)
    eye = np.linalg.inv(camera.view_matrix)[:3, 3]
    ray = unproject(camera, np.ones((SIDE, SIDE))) - eye
    depth = (-eye[1] / ray[..., 1]).astype(np.float32)
    depth[:8] = np.inf
    facing = np.array([0, -1, 0]) @ camera.view_matrix[:3, :3].T
    normal = np.round((np.broadcast_to(facing, (SIDE, SIDE, 3)) * 0.5 + 0.5) * 255)
    view = View(
        camera,
        buffers.add(Kind.DEPTH, depth),
        buffers.add(Kind.NORMAL, normal.astype(np.uint8)),
    )
    if not position:
        return view
    at = np.where(np.isfinite(depth)[..., None], unproject(camera, depth), 0)
    ref = buffers.add(Kind.POSITION, at.astype(np.float32))
    return View(camera, view.depth, view.normal, position=ref)


def guide(view: View, buffers: Buffers, pattern: Pattern, side: int = SIDE) -> np.ndarray:
    """As the daemon makes it of a request."""
    asked = ImageRequest(Prompt("bricks"), view=view, pattern=pattern, controls=GUIDED)
    pattern = with_pattern(asked, buffers).pattern
    return guide_of(surface_of(view, buffers, pattern), whole((side, side)), pattern).astype(int)


def test_two_cameras_see_the_same_pattern_on_the_same_spot() -> None:
    buffers, pattern = Buffers(), Pattern(0.3, 7)
    left, right = wall_view(buffers, -0.6), wall_view(buffers, 0.6)
    first, second = guide(left, buffers, pattern), guide(right, buffers, pattern)
    at = surface_of(left, buffers, pattern).position
    pixel, _ = project(right.camera, np.where(np.isfinite(at), at, 0))
    column, row = np.floor(pixel).astype(int).T.reshape(2, SIDE, SIDE)
    inside = (column >= 4) & (column < SIDE - 4) & (row >= 12) & (row < SIDE - 4)
    inside[:12] = False
    apart = np.abs(first - second[row.clip(0, SIDE - 1), column.clip(0, SIDE - 1)])[inside]
    assert inside.mean() > 0.3
    assert np.median(apart) <= 12, "half a pixel of a pattern of ten"
    moved = guide(right, buffers, Pattern(0.3, 8))
    elsewhere = np.abs(first - moved[row.clip(0, SIDE - 1), column.clip(0, SIDE - 1)])[inside]
    assert np.median(elsewhere) > 30, "another seed moves it"


def test_captured_positions_and_depth_with_a_camera_tell_the_same() -> None:
    buffers, pattern = Buffers(), Pattern(0.3)
    by_depth = guide(wall_view(buffers, 0.2), buffers, pattern)
    by_place = guide(wall_view(buffers, 0.2, position=True), buffers, pattern)
    assert np.abs(by_depth - by_place).mean() < 1
    assert (by_place[:8] == NEUTRAL).all(), "the background stays neutral"


def test_a_view_of_any_size_is_guided_at_the_pictures_own() -> None:
    buffers, pattern = Buffers(), Pattern(0.4)
    view = wall_view(buffers, 0.2)
    large, own = guide(view, buffers, pattern, 2 * SIDE), guide(view, buffers, pattern)
    assert large.shape == (2 * SIDE, 2 * SIDE, 3)
    assert np.abs(large[1::2, 1::2] - own).mean() < 8


def test_normals_are_found_where_none_were_captured() -> None:
    buffers, pattern = Buffers(), Pattern(0.3)
    view = wall_view(buffers, 0.2)
    bare = View(view.camera, view.depth)
    assert np.abs(guide(bare, buffers, pattern) - guide(view, buffers, pattern))[12:].mean() < 2


def test_the_ground_under_a_thing_is_left_out_of_a_views_guide() -> None:
    buffers = Buffers()
    eye, projection = np.array([0.0, -3, 1.5]), perspective(SIDE, SIDE, 0.7, 0.1, 100)
    camera = Camera(look_at(tuple(eye), (0, 0, 0.3)), projection, SIDE, SIDE, 0.1, 100)
    ray = unproject(camera, np.ones((SIDE, SIDE))) - eye
    with np.errstate(divide="ignore"):
        floor = np.where(ray[..., 2] < 0, -eye[2] / ray[..., 2], np.inf)
    wall = -eye[1] / ray[..., 1]
    at = eye + wall[..., None] * ray
    stands = (np.abs(at[..., 0]) < 0.5) & (at[..., 2] > 0) & (at[..., 2] < 1)
    depth = np.where(stands, wall, floor).astype(np.float32)
    view = View(camera, buffers.add(Kind.DEPTH, depth))
    seen = guide(view, buffers, Pattern(0.3))
    shown = (seen != NEUTRAL).any(-1)
    assert shown[stands].mean() > 0.95
    assert shown[~stands].mean() < 0.05


def test_the_size_by_itself_is_round_and_goes_with_the_extent() -> None:
    buffers = Buffers()
    assert view_size_of(wall_view(buffers, 0.2), buffers) == view_size_of(
        wall_view(buffers, 0.25), buffers
    )
    corners = np.array([[0, 0, 0], [1, 2, 1], [0.5, 0, 0.3]])
    size = mesh_size_of(corners)
    assert size == pytest.approx(0.15, rel=0.15)
    assert mesh_size_of(corners * 10) == pytest.approx(10 * size)
    assert automatic_size(0.0) > 0


def test_a_view_without_form_is_refused() -> None:
    with pytest.raises(RequestError, match="depth or positions"):
        surface_of(View(wall_camera(0)), {}, Pattern())


@pytest.mark.parametrize("size", [None, 1 / 12, 1 / 4, 0.17, 1 / 26])
@pytest.mark.parametrize("shape", [(128, 128), (96, 160)])
def test_a_materials_guide_meets_itself_at_the_edges(
    size: float | None, shape: tuple[int, int]
) -> None:
    height, width = shape
    tile = flat_guide((4 * height, 4 * width), Pattern(size, 3)).astype(int)
    for axis in (0, 1):
        inner = np.abs(np.diff(tile, axis=axis))
        # A triangle's and a sawtooth's own corners count as steps inside, too.
        wrap = np.abs(tile.take(0, axis) - tile.take(-1, axis))
        usual = inner[..., [0, 2]].max()
        assert wrap[..., [0, 2]].max() <= usual
        rows = np.sort(wrap[..., 1].ravel())
        assert rows[len(rows) // 2] <= inner[..., 1].max()
    assert tile[..., 2].std() > 25


def test_a_planes_depth_and_normals_are_flat() -> None:
    depth = flat_control(ControlKind.DEPTH, (64, 96), Pattern())
    normal = flat_control(ControlKind.NORMAL, (64, 96), Pattern())
    assert depth.shape == normal.shape == (64, 96, 3)
    assert (depth == 255).all()
    assert (normal == (128, 128, 255)).all()
