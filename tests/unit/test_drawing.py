"""What a control is drawn from, at a picture's rim and beyond it, and what is said where there is
nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from underpaint.buffers import Buffers, Kind
from underpaint.cameras import Camera
from underpaint.cli.generate import build_request
from underpaint.cli.main import build_parser
from underpaint.errors import RequestError
from underpaint.files.viewfile import SceneObject, save_view
from underpaint.following.drawing import Drawing, DrawnFrom, drawn
from underpaint.following.leaving import leave_alone, painted_view
from underpaint.following.lines import blank, draw_disc, draw_limb, draw_line, thicker
from underpaint.following.sights import Person, Sighted, Sights
from underpaint.requests import ControlKind, ImageRequest, InpaintRequest, Prompt, View

from helpers.pictures import saved

IDENTITY = tuple(np.eye(4).flatten().tolist())
WIDTH, HEIGHT = 48, 32


def points(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array(pairs, np.float64)


def seen_view(buffers: Buffers, ids: np.ndarray | None, *, colours: bool = True) -> View:
    colour = np.full((HEIGHT, WIDTH, 4), 90, np.uint8)
    return View(
        Camera(IDENTITY, IDENTITY, WIDTH, HEIGHT, 0.1, 10.0),
        object_id=None if ids is None else buffers.add(Kind.OBJECT_ID, ids),
        color=buffers.add(Kind.COLOR, colour) if colours else None,
    )


def parsed(file: Path, *words: str):
    arguments = ["generate", "--prompt", "x", "--out", "out", "--view", str(file), *words]
    return build_request(build_parser().parse_args(arguments))


def test_what_lies_beyond_the_picture_is_cut_at_its_rim():
    picture = blank(WIDTH, HEIGHT)
    draw_line(picture, points((-40, -9), (-20, -9)), 3)
    draw_limb(picture, *points((60, 70), (80, 90)), 4, (255, 0, 0))
    draw_limb(picture, *points((9, 9), (9, 9)), 4, (255, 0, 0))
    draw_disc(picture, points((90, 90))[0], 3, (0, 255, 0))
    assert not picture.any(), "nothing of it is in the picture, and a limb of no length is none"
    draw_line(picture, points((-10, 16), (8, 16)), 3)
    assert picture[16, :7].all()
    assert not picture[:, 12:].any()


def test_thick_marks_are_nearly_round():
    marks = np.zeros((21, 21), bool)
    marks[10, 10] = True
    wide = thicker(marks, 6)
    y, x = np.nonzero(wide)
    reach = np.hypot(y - 10, x - 10)
    assert reach.max() < 7.5
    assert wide[10, 4]
    assert wide[6, 6]


def test_a_source_that_shows_nothing_is_told_with_what_to_do():
    person = Person("Rig", hidden=False, joints={})
    empty = Sighted((WIDTH, HEIGHT), Sights((person,)))
    for source, shows, said in (
        (DrawnFrom.OBJECTS, (), "no object is chosen"),
        (DrawnFrom.OBJECTS, ("Ball",), "the chosen object is not seen"),
        (DrawnFrom.ARMATURE, (), "the armature is not seen"),
        (DrawnFrom.STROKES, (), "no annotation is seen"),
    ):
        with pytest.raises(RequestError, match=said) as caught:
            drawn(ControlKind.SCRIBBLE, Drawing(source, shows), empty)
        assert caught.value.hint


def test_segments_of_objects_have_a_colour_each():
    ids = np.zeros((HEIGHT, WIDTH), np.int32)
    ids[4:12, 4:12], ids[18:28, 20:40], ids[2:4, 40:46] = 1, 2, 3
    seen = Sighted((WIDTH, HEIGHT), object_id=ids, names={1: "Ball", 2: "Box", 3: "Sun"})
    picture = drawn(ControlKind.SEGMENT, Drawing(DrawnFrom.OBJECTS, ("Ball", "Box")), seen)
    ball, box, sun = picture[6, 6], picture[20, 30], picture[3, 42]
    assert ball.any()
    assert box.any()
    assert not np.array_equal(ball, box)
    assert not sun.any(), "it is not followed"


def test_a_view_that_would_be_left_alone_whole_is_refused_and_one_without_colours_is_painted(
    tmp_path,
):
    buffers, whole = Buffers(), np.ones((HEIGHT, WIDTH), np.int32)
    file = tmp_path / "view.npz"
    save_view(file, seen_view(buffers, whole), buffers, {1: SceneObject("Ball")})
    with pytest.raises(RequestError, match="all that is seen is to be left alone"):
        parsed(file, "--leave-alone", "Ball")
    bare = ImageRequest(Prompt("x"), view=seen_view(Buffers(), None, colours=False))
    assert leave_alone(bare, whole == 1, Buffers()) is bare, "there is nothing to keep"


def test_a_picture_of_its_own_and_a_drawing_exclude_each_other(tmp_path):
    buffers = Buffers()
    file = tmp_path / "view.npz"
    save_view(file, seen_view(buffers, None), buffers, {})
    lines = saved(tmp_path, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    with pytest.raises(RequestError, match="its picture is an image already"):
        parsed(file, "--control", f"scribble={lines}:from=armature")
    assert parsed(file, "--control", "none")[0].controls == ()


def test_which_view_a_picture_was_painted_by_is_told_of_repaired_ones_too():
    buffers, half = Buffers(), np.zeros((HEIGHT, WIDTH), bool)
    half[:, :20] = True
    request = ImageRequest(Prompt("x"), view=seen_view(buffers, None))
    kept = leave_alone(request, half, buffers)
    assert isinstance(kept, InpaintRequest)
    assert painted_view(request) is request
    assert painted_view(kept).view == request.view
    other = buffers.add(Kind.COLOR, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert painted_view(replace(kept, image=other)) is None, "another picture is repainted"
    assert painted_view(replace(kept, view=None)) is None
