"""What a view's ground is: level, at the picture's edge, under something that stands on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from underpaint import Buffers, Camera, Kind, View
from underpaint.animation.asking import Asked, settled
from underpaint.requests import Control, ControlKind, ImageRequest, Pattern, Prompt
from underpaint_daemon.worker.ground import ground_of
from underpaint_daemon.worker.pipelines.controls.guided import surface_of, with_pattern

SIDE = 64
Array = np.ndarray
GUIDED = ImageRequest(Prompt("bricks"), controls=(Control(ControlKind.GUIDE),))


def _captured(position: Array, normal: Array, buffers: Buffers) -> View:
    seen = np.isfinite(position).all(-1)
    level = tuple(np.eye(4).flatten().tolist())
    return View(
        Camera(level, level, SIDE, SIDE, 0.1, 100.0),
        depth=buffers.add(Kind.DEPTH, np.where(seen, 1, np.inf).astype(np.float32)),
        normal=buffers.add(Kind.NORMAL, np.round((normal * 0.5 + 0.5) * 255).astype(np.uint8)),
        position=buffers.add(
            Kind.POSITION, np.where(seen[..., None], position, 0).astype(np.float32)
        ),
    )


def _worn(request: ImageRequest, buffers: Buffers) -> Array:
    """(h, w) bool: what wears the pattern when the request is painted."""
    request = with_pattern(request, buffers)
    assert request.view is not None
    return np.isfinite(surface_of(request.view, buffers, request.pattern).position).all(-1)


def _plane() -> tuple[Array, Array]:
    """A level plane, from above and before: positions (SIDE, SIDE, 3) and normals; sky on top."""
    across = np.linspace(-2, 2, SIDE)
    position = np.zeros((SIDE, SIDE, 3))
    position[..., 0], position[..., 1] = across[None], -across[:, None]
    position[:16] = np.inf
    normal = np.zeros_like(position)
    normal[..., 2] = 1
    return position, normal


def _with_a_box() -> tuple[Array, Array, Array]:
    """The same with a box on it, half a metre high; and where the box is."""
    position, normal = _plane()
    box = np.zeros((SIDE, SIDE), bool)
    box[24:44, 20:44] = True
    position[24:30, 20:44, 2] = 0.5  # its top is level too
    position[30:44, 20:44, 2] = np.linspace(0.5, 0, 14)[:, None]
    normal[30:44, 20:44] = (0, -1, 0)
    return position, normal, box


def test_the_ground_under_a_box_is_found_and_the_boxs_own_top_is_none() -> None:
    position, normal, box = _with_a_box()
    ground = ground_of(position, normal)
    assert not ground[box].any()
    assert ground[16:][~box[16:]].all()
    assert not ground[:16].any(), "the sky is no ground"


def test_what_stands_on_it_wears_the_pattern_and_the_ground_where_that_is_asked() -> None:
    position, normal, box = _with_a_box()
    buffers, seen = Buffers(), np.isfinite(position).all(-1)
    request = replace(GUIDED, view=_captured(position, normal, buffers))
    assert np.array_equal(_worn(request, buffers), box)
    assert np.array_equal(_worn(replace(request, pattern=Pattern(ground=True)), buffers), seen)


def test_frames_of_an_animation_leave_out_the_ground_of_the_first_one() -> None:
    """The box comes so near that nothing of its ground reaches the picture's edge."""
    position, normal, box = _with_a_box()
    near = np.full_like(position, np.inf)
    near[16:60, 4:60] = position[16:60, 4:60]
    buffers = Buffers()
    far_off = replace(GUIDED, view=_captured(position, normal, buffers))
    close = _captured(near, normal, buffers)
    alone = replace(GUIDED, view=close)
    assert _worn(alone, buffers)[50, 10], "by itself the frame has no ground"
    first = with_pattern(far_off, buffers)
    rest = settled(Asked(far_off, buffers), first).request
    assert np.array_equal(_worn(replace(rest, view=close), buffers), box)


def test_an_animation_that_begins_without_a_ground_has_none() -> None:
    position, normal, _ = _with_a_box()
    plane, upward = _plane()
    buffers = Buffers()
    first = with_pattern(replace(GUIDED, view=_captured(plane, upward, buffers)), buffers)
    rest = settled(Asked(GUIDED, buffers), first).request
    later = replace(rest, view=_captured(position, normal, buffers))
    assert np.array_equal(_worn(later, buffers), np.isfinite(position).all(-1))


def test_it_is_found_at_any_height_size_and_direction_of_up() -> None:
    position, normal, _ = _with_a_box()
    moved = ground_of(position * 40 + (0, 0, 300), normal)
    turned = ground_of(position[..., [0, 2, 1]], normal[..., [0, 2, 1]], (0.0, 1.0, 0.0))
    for ground in (moved, turned):
        assert np.array_equal(ground, ground_of(position, normal))


def test_a_plane_alone_is_what_is_painted() -> None:
    position, normal = _plane()
    assert not ground_of(position, normal).any()
    assert not ground_of(np.full_like(position, np.inf), normal).any()


def test_a_table_with_a_floor_beneath_it_is_no_ground() -> None:
    position, normal, _ = _with_a_box()
    position[50:, :, 2] = -0.7
    normal[50:] = (0, -1, 0)
    assert not ground_of(position[:60], normal[:60]).any()


@pytest.mark.parametrize("reach", [8, 20])
def test_a_tray_that_ends_within_the_picture_belongs_to_what_stands_on_it(reach: int) -> None:
    position, normal, _ = _with_a_box()
    tray = np.zeros((SIDE, SIDE), bool)
    tray[16 : 64 - reach // 2, reach // 2 : 64 - reach // 2] = True
    position[~tray] = np.inf
    assert not ground_of(position, normal).any()
