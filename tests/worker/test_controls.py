"""ControlNets: from the view's exact buffers, from pictures, one and several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.paths import Paths
from underpaint.requests import Control, ControlKind, ImageRequest, Prompt, View
from underpaint_daemon.common.conventions import Convention, convention_of
from underpaint_daemon.common.models import control_folder
from underpaint_daemon.worker.pipelines.canvas import Canvas
from underpaint_daemon.worker.pipelines.controls.conditioning import depth_control
from underpaint_daemon.worker.pipelines.controls.detectors import detect
from underpaint_daemon.worker.pipelines.controls.images import Sources, control_image

from helpers.painting.hearing import hearing
from helpers.painting.studio import Studio, ball_view, photo, picture
from helpers.painting.tiny_model import STEPS

ASKED = ImageRequest(Prompt("a red cube"), model="tiny", width=64, height=64)
DEPTH, NORMAL = Control(ControlKind.DEPTH), Control(ControlKind.NORMAL)


def canvas(width: int = 64, height: int = 64) -> Canvas:
    return Canvas((height, width), (0, 0, height, width), (height, width), (height, width))


@pytest.mark.parametrize(
    ("control", "scales"),
    [
        (DEPTH, [1, 1, 1, 1]),
        (replace(NORMAL, scale=0.3), [0.3] * STEPS),
        (replace(DEPTH, end=0.5), [1, 1, 0, 0]),
        (replace(DEPTH, start=0.5), [0, 0, 1, 1]),
    ],
)
def test_a_network_is_shown_its_control_as_strongly_and_as_long_as_asked(
    studio: Studio, view: View, control: Control, scales: list[float]
) -> None:
    network = studio.models.load("tiny").controlnets[control.kind]
    with hearing(network) as told:
        studio.paint(replace(ASKED, view=view, controls=(control,)))
    assert [call.scale for call in told] == pytest.approx(scales)
    assert all(np.array_equal(call.image, shown(studio, view, control)) for call in told)


def test_what_the_networks_would_be_shown_is_had_without_painting(
    studio: Studio, view: View
) -> None:
    loaded = dict(studio.models.load("tiny").controlnets.loaded)
    asked = replace(ASKED, view=view, controls=(DEPTH, NORMAL), only_controls=True)
    files = studio.run(asked)
    assert [file.name for file in files] == ["control_0_depth.png", "control_1_normal.png"]
    for file, control in zip(files, (DEPTH, NORMAL), strict=True):
        assert np.array_equal(picture(file), shown(studio, view, control))
    assert dict(studio.models.load("tiny").controlnets.loaded) == loaded, "no network is read"


@pytest.mark.parametrize("kind", ["scribble", "canny", "lineart", "softedge"])
def test_white_lines_on_black_are_read_as_they_are_drawn(kind: str) -> None:
    drawing = np.zeros((64, 96, 3), np.uint8)
    drawing[30:33, 10:80] = 255
    drawing[29] = drawing[33] = 90
    assert np.array_equal(detect(ControlKind(kind), drawing), drawing)
    coloured, silhouette = drawing.copy(), np.zeros_like(drawing)
    coloured[..., 2] = 200
    silhouette[20:50, 20:60] = 255
    for other in (coloured, silhouette):
        assert not np.array_equal(detect(ControlKind(kind), other), other)


def shown(studio: Studio, view: View, control: Control, network: Path | None = None) -> np.ndarray:
    """The control image of the view, in the convention of the network's folder."""
    own = control_folder(studio.models.load("tiny").controlnets.folder, control.kind)
    convention = convention_of(control.kind, None, network or own)
    return control_image(control, convention, Sources(view, studio.buffers, canvas())).pixels


def test_what_a_network_says_is_painted_and_at_no_strength_nothing(
    studio: Studio, view: View
) -> None:
    def paint(*controls: Control) -> bytes:
        return studio.paint(replace(ASKED, view=view, controls=controls))[0].tobytes()

    plain = paint()
    pictures = [plain, paint(DEPTH), paint(NORMAL), paint(DEPTH, NORMAL)]
    assert len(set(pictures)) == len(pictures)
    assert paint(replace(DEPTH, scale=0.0)) == plain


def test_two_controls_work_with_a_start_image(studio: Studio, view: View) -> None:
    init = studio.buffers.add(Kind.COLOR, photo())
    networks = studio.models.load("tiny").controlnets
    asked = replace(ASKED, view=view, init=init, controls=(DEPTH, NORMAL))
    with hearing(networks["depth"]) as depth, hearing(networks["normal"]) as normal:
        studio.paint(asked)
    for control, told in ((DEPTH, depth), (NORMAL, normal)):
        assert told
        assert np.array_equal(told[0].image, shown(studio, view, control))


def test_a_view_of_another_resolution_keeps_depth_in_metres_and_normals_unit_length(
    studio: Studio,
) -> None:
    view = ball_view(studio.buffers, 160, 120)
    depth = studio.buffers[view.depth.sha256]
    sampled = canvas(96, 64).nearest(depth)
    assert sampled.shape == (64, 96)
    assert np.isin(sampled, depth).all()
    sources = Sources(view, studio.buffers, canvas(96, 64))
    shown = control_image(DEPTH, Convention.INVERSE, sources).pixels
    assert np.array_equal(shown, depth_control(sampled))
    normal = control_image(NORMAL, Convention.OPENGL, sources).pixels
    length = np.linalg.norm(normal.astype(float) / 127.5 - 1, axis=-1)
    assert np.abs(length - 1).max() < 0.015


def test_a_view_of_the_same_resolution_is_passed_on_untouched(studio: Studio, view: View) -> None:
    sources = Sources(view, studio.buffers, canvas())
    normal = control_image(NORMAL, Convention.OPENGL, sources).pixels
    assert np.array_equal(normal, studio.buffers[view.normal.sha256])


@pytest.mark.parametrize("kind", [ControlKind.CANNY, ControlKind.LINEART])
def test_lines_are_found_where_the_ball_ends(studio: Studio, view: View, kind: ControlKind) -> None:
    ball = np.asarray(studio.buffers[view.color.sha256])[..., :1] > 100
    image = np.where(ball, (30, 40, 50), (220, 210, 200)).astype(np.uint8)
    lines = detect(kind, image)
    assert lines.shape == image.shape
    edge = np.abs(np.diff(image[..., 0].astype(int), axis=1)).max(1) > 0
    assert lines[edge].max() > 60
    assert lines[:6].max() == 0


def test_shuffle_keeps_the_colours_and_is_the_same_each_time() -> None:
    image = photo(80, 64)
    state = np.random.get_state()[1].copy()
    first, second = (detect(ControlKind.SHUFFLE, image) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, image)
    assert (np.random.get_state()[1] == state).all()


def test_a_derived_control_runs_with_a_controlnet_from_elsewhere(
    studio: Studio, view: View, paths: Paths
) -> None:
    elsewhere = paths.models / "tiny" / "controlnet_depth"
    canny = Control(ControlKind.CANNY, model=str(elsewhere))
    picture = studio.buffers.add(Kind.COLOR, photo())
    of_picture = replace(ASKED, controls=(replace(canny, image=picture),))
    studio.paint(of_picture)  # loads it
    network = studio.models.load("tiny").companion(elsewhere, lambda: pytest.fail("not kept"))
    with hearing(network) as told:
        studio.paint(of_picture)
        studio.paint(replace(ASKED, view=view, controls=(canny,)))
    lines = detect(ControlKind.CANNY, np.asarray(studio.buffers[picture.sha256]))
    form = shown(studio, view, canny, elsewhere)
    assert lines.any()
    assert form.any()
    assert np.array_equal(told[0].image, lines)
    assert np.array_equal(told[-1].image, form)


def test_a_control_image_may_be_given_ready_made(studio: Studio, view: View) -> None:
    ready = depth_control(np.asarray(studio.buffers[view.depth.sha256]))
    image = studio.buffers.add(Kind.COLOR, ready)
    given = studio.paint(replace(ASKED, controls=(replace(DEPTH, image=image),)))[0]
    own = studio.paint(replace(ASKED, view=view, controls=(DEPTH,)))[0]
    assert np.array_equal(given, own)


@pytest.mark.parametrize(
    ("control", "code"),
    [
        (Control(ControlKind.CANNY), ErrorCode.CONTROL_MISSING),
        (Control(ControlKind.DEPTH, model="/nowhere/controlnet"), ErrorCode.CONTROL_MISSING),
        (Control(ControlKind.DEPTH, model="nowhere"), ErrorCode.CONTROL_MISSING),
        (Control(ControlKind.OPENPOSE, model="DEPTH"), ErrorCode.BAD_REQUEST),
        (Control(ControlKind.MLSD, model="DEPTH"), ErrorCode.BAD_REQUEST),
    ],
)
def test_what_is_missing_is_named(
    studio: Studio, view: View, paths: Paths, control: Control, code: ErrorCode
) -> None:
    if control.model == "DEPTH":
        folder: Path = paths.models / "tiny" / "controlnet_depth"
        control = replace(control, model=str(folder))
    with pytest.raises(UnderpaintError) as caught:
        studio.run(replace(ASKED, view=view, controls=(control,)))
    assert caught.value.code is code
    assert caught.value.hint
