"""The frame whose edges are dragged: which edge is under the pointer, and what is added."""

from __future__ import annotations

import pytest

from blender_addon.editing.frame import Frame, dragged, edges_at, taken
from underpaint.pictures.outpaint import Sides

LOW, HIGH, REACH = (100.0, 100.0), (500.0, 300.0), 10.0


@pytest.mark.parametrize(
    ("at", "edges"),
    [
        ((100, 200), ("left",)),
        ((508, 150), ("right",)),
        ((300, 92), ("bottom",)),
        ((95, 305), ("left", "top")),
        ((500, 100), ("right", "bottom")),
        ((300, 200), ()),
        ((300, 330), ()),
        ((50, 100), ()),
    ],
)
def test_an_edge_is_taken_where_the_pointer_is_on_it_and_two_at_a_corner(at, edges):
    assert edges_at(LOW, HIGH, at, REACH) == edges


def test_an_edge_follows_the_pointer_in_steps_of_what_is_painted():
    frame = dragged(taken(Frame((256, 128)), ("right",)), (0.27, 0.9))
    assert frame.added == Sides(right=72)
    assert frame.whole == (328, 128)
    assert frame.corners == (0, 0, 1 + 72 / 256, 1)


def test_a_corner_moves_two_edges_and_a_second_drag_goes_on_from_the_first():
    frame = dragged(taken(Frame((256, 128)), ("left", "top")), (-0.25, 0.5))
    assert frame.added == Sides(left=64, top=64)
    frame = dragged(taken(frame, ("left",)), (-0.25, 0.0))
    assert frame.added == Sides(left=128, top=64)
    assert frame.is_larger


def test_the_frame_never_cuts_into_the_picture_and_ends_somewhere():
    assert not dragged(taken(Frame((256, 128)), ("bottom",)), (0, 0.5)).is_larger
    assert dragged(taken(Frame((256, 128)), ("bottom",)), (0, -50)).added == Sides(bottom=256)


def test_what_is_not_in_the_hand_does_not_move():
    assert dragged(Frame((256, 128)), (1.0, 1.0)) == Frame((256, 128))
