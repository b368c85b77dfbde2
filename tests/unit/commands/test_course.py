"""How far a job is and how long it still takes: told of the whole, not of the phase."""

from __future__ import annotations

import pytest

from underpaint.conversation.progress import Course, rounded, told_left

TEXTURE = [
    (1.5, "loading", 0, 1, None),
    (1.8, "encoding", 0, 1, None),
    (7.9, "encoding", 1, 1, 0.0),
    (9.2, "denoising", 1, 10, None),
    (12.1, "denoising", 5, 10, 3.6),
    (15.5, "denoising", 10, 10, 0.0),
    (15.6, "decoding", 0, 10, None),
    (25.2, "decoding", 5, 10, 9.6),
    (34.2, "decoding", 10, 10, 0.0),
    (34.2, "projecting", 0, 1, None),
    (39.9, "projecting", 1, 1, 0.0),
    (39.9, "saving", 0, 1, None),
    (49.6, "saving", 1, 1, 0.0),
]
"""A texture by the starter on two CPU cores, as the daemon told it: seconds, phase, step, total,
seconds left of the phase."""


def test_from_the_first_steps_on_the_time_left_is_that_of_the_whole_job():
    course, end = Course(texture=True), TEXTURE[-1][0]
    for now, phase, step, total, eta in TEXTURE:
        course.take(phase, step, total, eta, now)
        left = course.left_s(now)
        if phase in ("loading", "encoding"):
            assert left is None, "nothing is known of its pace yet"
        else:
            assert left == pytest.approx(end - now, abs=0.2 * end)


def test_while_the_painter_starts_the_time_left_is_that_of_its_start():
    course = Course()
    course.take("denoising", 3, 10, 7.0, 0.0)
    course.take("starting", 0, 1, 20.0, 10.0)  # its worker died: it runs again
    assert course.left_s(15.0) == 15.0
    assert course.left_s(31.0) is None, "it takes longer than usual"
    course.take("loading", 0, 1, None, 31.0)
    assert course.left_s(31.0) is None
    course.take("loading", 0, 1, 9.0, 31.0)  # how long it takes is known from before
    assert course.left_s(33.0) == 7.0
    course.take("starting", 0, 1, None, 31.0)
    assert course.left_s(32.0) is None


def test_the_end_of_a_phase_is_not_the_end_of_the_job():
    course = Course()
    for now, phase, step in ((0, "encoding", 0), (1, "denoising", 1), (8, "denoising", 20)):
        course.take(phase, step, 20 if phase == "denoising" else 1, 0.0, now)
    left = course.left_s(8.0)
    assert left is not None
    assert left > 0.5, "it is still to be decoded and saved"
    assert course.part < 1


def test_the_bar_goes_forward_alone_and_ends_full():
    course, parts = Course(texture=True), []
    for now, phase, step, total, eta in TEXTURE:
        course.take(phase, step, total, eta, now)
        parts.append(course.part)
    assert parts == sorted(parts)
    assert parts[0] == 0
    assert parts[-1] == pytest.approx(1)
    course.take("denoising", 1, 10, None, 50.0)  # a second round
    assert course.part == pytest.approx(1)


def test_a_texture_that_is_saved_with_many_maps_says_how_long_that_takes():
    course = Course(texture=True)
    for now, phase, step, total, eta in TEXTURE[:-2]:
        course.take(phase, step, total, eta, now)
    course.take("saving", 0, 214, None, 40.0)
    assert course.left_s(40.0) > 15.0, "told by its pace so far"
    course.take("saving", 107, 214, 30.0, 70.0)  # the disk is slow
    assert course.left_s(70.0) == pytest.approx(30.0)
    assert 0.5 < course.part < 1


def test_a_job_that_runs_again_is_paced_by_its_second_run():
    course = Course()
    for now, phase, step, eta in (
        *((0.0, "encoding", 0, None), (0.1, "denoising", 0, None), (0.6, "decoding", 0, None)),
        *((60.0, "loading", 0, None), (70.0, "encoding", 0, None), (70.1, "denoising", 0, None)),
        (70.6, "decoding", 0, None),
    ):
        course.take(phase, step, 1, eta, now)
    left = course.left_s(70.6)
    assert left is not None
    assert left < 5, "the minute in which it stood still is no pace"


def test_time_runs_down_between_two_things_told():
    course = Course(texture=True)
    for now, phase, step, total, eta in TEXTURE[:8]:
        course.take(phase, step, total, eta, now)
    first, later = course.left_s(25.2), course.left_s(29.2)
    assert first is not None
    assert later == pytest.approx(first - 4)


def test_time_is_told_no_more_exactly_than_it_is_known():
    assert rounded(3.4) == (3, False)
    assert rounded(43.0) == (45, False)
    assert rounded(130.0) == (2, True)
    assert told_left(0.1) == "1 s left"
    assert told_left(43.0) == "45 s left"
    assert told_left(130.0) == "2 min left"
    assert told_left(9000.0) == "2.5 h left"
