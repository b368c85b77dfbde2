"""What each known ControlNet is shown, by physical sense: a ball lit from the left, and depth that
neither a pixel nor a wall before the lens can flatten."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from underpaint.buffers import Buffers
from underpaint.errors import RequestError
from underpaint.requests import Control, ControlKind
from underpaint_daemon.common.conventions import Convention, convention_of
from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.worker.pipelines.canvas import Canvas
from underpaint_daemon.worker.pipelines.controls.depth import (
    curve_between,
    depth_control,
    inverse_curve,
    linear_curve,
)
from underpaint_daemon.worker.pipelines.controls.images import Sources, control_image

from helpers.painting.studio import ball_view

SIDE = 128
LEFT, RIGHT, TOP, BOTTOM = ((64, 26), (64, 101), (26, 64), (101, 64))
"""Pixels (row, column) near the ball's edges."""


def seen(control: Control, convention: Convention | None) -> NDArray[np.uint8]:
    buffers = Buffers()
    view = ball_view(buffers, SIDE, SIDE)
    canvas = Canvas((SIDE, SIDE), (0, 0, SIDE, SIDE), (SIDE, SIDE), (SIDE, SIDE))
    return control_image(control, convention, Sources(view, buffers, canvas)).pixels


# Which colour says "this surface faces left" (top), in the words of each network's own makers.
RED, GREEN, BLUE = 0, 1, 2
NORMALS = [
    # "blue is front, red is left, green is top": ControlNet 1.1's README.
    ("control_v11p_sd15_normalbae.safetensors", RED, True, GREEN, True, BLUE),
    ("controlnet-sd21-normalbae-diffusers", RED, True, GREEN, True, BLUE),
    ("my_dsine_normals.safetensors", RED, True, GREEN, True, BLUE),
    ("an unknown normal net.safetensors", RED, True, GREEN, True, BLUE),
    # gradio_normal2image.py: Sobel of MiDaS' inverse depth as x, y, z; channels reversed.
    ("control_sd15_normal.safetensors", BLUE, True, GREEN, True, RED),
    ("sd-controlnet-normal", BLUE, True, GREEN, True, RED),
]


@pytest.mark.parametrize(("name", "across", "left", "up", "top", "front"), NORMALS)
def test_a_ball_lit_from_the_left_is_lit_in_every_networks_own_colours(
    name: str, across: int, left: bool, up: int, top: bool, front: int
) -> None:
    normal = ControlKind.NORMAL
    shown = seen(Control(normal), convention_of(normal, None, Path("/nets") / name))
    assert (int(shown[LEFT][across]) - int(shown[RIGHT][across]) > 120) is left
    assert (int(shown[TOP][up]) - int(shown[BOTTOM][up]) > 120) is top
    assert shown[64, 64][front] > 250
    assert abs(int(shown[64, 64][across]) - 128) < 4


@pytest.mark.parametrize("word", ["opengl", "directx"])
def test_what_the_user_says_about_normals_holds(word: str) -> None:
    normal = ControlKind.NORMAL
    shown = seen(Control(normal), convention_of(normal, word, Path("control_v11p_sd15_normalbae")))
    assert shown[RIGHT][RED] > 200 > 60 > shown[LEFT][RED]
    assert bool(shown[TOP][GREEN] > 200) is (word == "opengl")


def test_the_starter_reads_our_own_axes() -> None:
    network = starter_folder() / "controlnet_normal"
    assert convention_of(ControlKind.NORMAL, None, network) is Convention.OPENGL


def test_a_file_beside_the_network_and_its_config_tell_the_convention(tmp_path: Path) -> None:
    normal = ControlKind.NORMAL
    folder = tmp_path / "my net: v1.5, Größe"
    folder.mkdir()
    said = json.dumps({"_name_or_path": "/home/x/control_sd15_normal"})
    (folder / "config.json").write_text(said)
    assert convention_of(normal, None, folder) is Convention.MIDAS
    (folder / "underpaint.json").write_text('{"convention": "directx"}')
    assert convention_of(normal, None, folder) is Convention.DIRECTX
    (tmp_path / "one.underpaint.json").write_text('{"convention": "opengl"}')
    single = tmp_path / "one.safetensors"
    single.touch()
    assert convention_of(normal, None, single) is Convention.OPENGL
    (folder / "underpaint.json").write_text('{"convention": "sideways"}')
    with pytest.raises(RequestError, match="sideways"):
        convention_of(normal, None, folder)


def ball(side: int = SIDE, near: float = 5.0, far: float = 6.0) -> NDArray[np.float32]:
    """Depth of a ball's front, nearest in its middle; background at infinity."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side * 2.2 - 1.1
    inside = x**2 + y**2 < 1
    depth = far - (far - near) * np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    return np.where(inside, depth, np.inf).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, 5, 60, 500, 3000, 9000, 12_000])
def test_a_ball_keeps_its_greys_with_any_number_of_pixels_at_five_centimetres(count: int) -> None:
    depth = ball()
    rng = np.random.default_rng(count)
    rows, columns = (i.flatten() for i in np.indices(depth.shape))
    taken = rng.permutation(depth.size)[:count]
    depth[rows[taken], columns[taken]] = 0.05
    far = np.isfinite(depth) & (depth > 1)
    shown = depth_control(depth)[..., 0]
    assert len(np.unique(shown[far])) >= 100
    assert (shown[rows[taken], columns[taken]] == 255).all()
    order = np.argsort(depth[far])
    assert (np.diff(shown[far][order].astype(int)) <= 0).all(), "near is white"
    told = inverse_curve([depth]).warning
    assert bool(told) is (count > 0)
    assert "0.05 m" in told or not count


@pytest.mark.parametrize("at", [0.5, 2.0, 300.0])
def test_a_few_stray_pixels_near_or_far_do_not_take_the_greys(at: float) -> None:
    depth = ball()
    depth[0, :5] = at
    shown = depth_control(depth)[..., 0]
    assert len(np.unique(shown[depth == ball()])) >= 100
    assert shown[0, 0] == (255 if at < 5 else 16)


def test_an_undisturbed_scene_is_straight_in_inverse_depth() -> None:
    depth = ball()
    finite = np.isfinite(depth)
    inverse = 1 / depth[finite].astype(float)
    expected = (inverse - inverse.min()) / (inverse.max() - inverse.min())
    grey = (depth_control(depth)[finite][:, 0] / 255 - 16 / 255) / (1 - 16 / 255)
    assert np.abs(grey - expected).max() < 0.003


def test_one_range_serves_a_series_and_a_range_can_be_given() -> None:
    near, far = ball(near=2, far=3), ball(near=5, far=6)
    curve = inverse_curve([near, far])
    first, second = depth_control(near, curve), depth_control(far, curve)
    assert first.max() == 255
    assert second.max() < first[np.isfinite(near)].min()
    shown = depth_control(far, curve_between(1.0, 10.0))[64, 64, 0]
    assert abs(int(shown) - (16 + 239 * (1 / 5 - 0.1) / 0.9)) < 3


def test_depth_of_networks_trained_on_zoe_is_straight_in_metres() -> None:
    kind = ControlKind.DEPTH
    zoe = Path("controlnet-zoe-depth-sdxl-1.0")
    assert convention_of(kind, None, zoe) is Convention.LINEAR
    ramp = np.linspace(2, 10, 4096, dtype=np.float32).reshape(64, 64)
    shown = depth_control(ramp, linear_curve([ramp]))[..., 0].flatten().astype(int)
    middle = shown[(shown > 0) & (shown < 255)]
    assert np.abs(np.diff(middle, 2)).max() <= 1
    assert shown[0] == 255
    assert shown[-1] == 0


@pytest.mark.parametrize("kind", ["lineart", "canny", "softedge", "scribble"])
def test_lines_follow_the_form_whatever_its_colours(kind: str) -> None:
    buffers = Buffers()
    view = ball_view(buffers, SIDE, SIDE)
    canvas = Canvas((SIDE, SIDE), (0, 0, SIDE, SIDE), (SIDE, SIDE), (SIDE, SIDE))
    sources = Sources(view, buffers, canvas)
    lines = control_image(Control(ControlKind(kind)), None, sources).pixels
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE * 3 - 1.5
    radius = np.hypot(x, y)
    outline = lines[np.abs(radius - 1) < 0.04]
    assert (outline.max(-1) > 100).mean() > 0.35, "a thin line in a band of 3 pixels"
    assert lines[radius < 0.7].max() < 40, "nothing inside: a ball has no creases"
    assert lines[radius > 1.3].max() < 40, "nothing in the background"


def test_a_segment_has_its_objects_colour_in_every_view() -> None:
    from underpaint_daemon.worker.pipelines.controls.conditioning import segments

    ids = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    shown = segments(ids)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 6
    assert not shown[0, 0].any()
    assert np.array_equal(segments(ids[:, ::-1]), shown[:, ::-1])
