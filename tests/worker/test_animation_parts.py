"""What each frame of a range is asked for by what it shows itself, and by the scene's numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from underpaint.animation.scene_parts import Parts
from underpaint.buffers import Kind
from underpaint.files.viewfile import SceneObject
from underpaint.following.drawing import Drawing, DrawnFrom
from underpaint.following.sights import Person, Sights
from underpaint.requests import Control, ControlKind, ImageRequest, InpaintRequest

from helpers.painting.painted_series import FRAMES, Series
from helpers.painting.sliding_card import SIDE, coloured


def scene(frame, width=SIDE, height=SIDE):
    """The card in its colours, as an object of its own before a wall; a person that goes along with
    it, a stroke of annotations in the second frame."""
    taken = coloured(frame, width, height)
    ids = np.where(np.isfinite(taken.track.depth), 1, 2).astype(np.int32)
    view = replace(taken.view, object_id=taken.buffers.add(Kind.OBJECT_ID, ids))
    joints = {joint: np.array([8.0 * joint + 4 * frame, 30.0]) for joint in range(6)}
    strokes = (np.array([(5.0, 50.0), (40.0, 50.0)]),) if frame == 2 else ()
    return replace(
        taken,
        view=view,
        objects={1: SceneObject("Card", "red paper", left=True), 2: SceneObject("Wall")},
        sights=Sights((Person("Rig", False, joints),), strokes, annotated=True),
    )


def test_what_is_left_alone_stays_in_every_frame_as_the_scene_shows_it(studio, tmp_path):
    for name, fields in (("kept", {}), ("over", {"refresh": 0.5}), ("from", {"colours": 0.5})):
        parts = Parts(left=("Card",)) if name == "kept" else Parts(locked=True)
        series = Series(studio, tmp_path / name, take=scene, parts=parts, **fields)
        for frame in FRAMES:
            taken = scene(frame)
            mine = np.isfinite(taken.track.depth)
            shown = taken.buffers[taken.view.color.sha256][..., :3]
            assert (series.picture(frame)[mine] == shown[mine]).all(), "pixel by pixel"
            assert (series.picture(frame)[~mine] != shown[~mine]).any(), "the rest is painted"
            assert not series.folder.fresh(f"{frame:04d}")[mine].any()
        for request, arrays in zip(series.asked, series.pictures, strict=True):
            assert isinstance(request, InpaintRequest), "nothing is painted over it"
            assert arrays[request.mask.sha256].any()


def test_a_frame_that_shows_nothing_but_what_is_left_alone_is_the_scene_itself(studio, tmp_path):
    def closer(frame, width=SIDE, height=SIDE):
        taken = scene(frame, width, height)
        if frame > 1:
            return taken
        ids = taken.buffers.add(Kind.OBJECT_ID, np.ones((height, width), np.int32))
        return replace(taken, view=replace(taken.view, object_id=ids))

    parts = Parts(left=("Card",))
    series = Series(studio, tmp_path, take=closer, parts=parts)
    taken = closer(1)
    assert (series.picture(1) == taken.buffers[taken.view.color.sha256][..., :3]).all()
    assert series.made[0].own == 0
    again = Series(studio, tmp_path, take=closer, parts=parts)
    assert again.asked == []
    assert [again.bytes(frame) for frame in FRAMES] == [series.bytes(frame) for frame in FRAMES]


def test_each_frame_draws_its_own_pose_outline_and_strokes(studio, tmp_path):
    parts = Parts(
        (
            Drawing(DrawnFrom.ARMATURE),
            Drawing(DrawnFrom.STROKES),
            Drawing(DrawnFrom.OBJECTS, ("Card",)),
        )
    )
    controls = (Control(ControlKind.DEPTH),) * 3  # the network that the tiny model has
    seen = {}

    def taking(frame, *size):
        seen["frame"] = frame
        return scene(frame, *size)

    class Asking(Series):
        def _paint(self, request, buffers):
            drawn = [buffers[control.image.sha256] for control in request.controls]
            seen[seen["frame"]] = drawn
            return super()._paint(request, buffers)

    Asking(studio, tmp_path, take=taking, parts=parts, controls=controls, refresh=0.5)
    for frame in FRAMES:
        pose, strokes, outline = seen[frame]
        rows, columns = np.nonzero(pose.any(2))
        assert rows.size
        assert columns.min() == pytest.approx(8 * 0 + 4 * frame, abs=2), "where it stands then"
        assert strokes.any() == (frame == 2), "black where a frame shows none"
        card = np.isfinite(scene(frame).track.depth)
        assert outline.any()
        assert not (outline.any(2) & ~card & ~np.roll(card, 1, 0)).any()


def test_objects_are_painted_by_their_own_words_where_each_frame_shows_them(studio, tmp_path):
    asked = Series(studio, tmp_path, take=scene, parts=Parts(object_words=True)).asked
    told = [[(r.prompt.text, r.object_id, r.name) for r in request.regions] for request in asked]
    assert told == [[("red paper", 1, "Card")]] * len(asked)


def test_seed_guidance_strength_refresh_and_weights_are_each_frames_own(studio, tmp_path):
    def numbered(frame, *size):
        numbers = {"seed": 20.0 + frame, "guidance": 1.0 + frame, "strength": frame / 10}
        numbers |= {"refresh": 0.5 + frame / 100, "depth": frame / 4}
        taken = coloured(frame, *size)
        return replace(taken, numbers={f"underpaint_{n}": v for n, v in numbers.items()})

    depth = (Control(ControlKind.DEPTH, scale=2.0),)
    series = Series(studio, tmp_path, take=numbered, controls=depth, colours=0.9, compare=True)
    last_of, whole = {}, {}
    for request in series.asked:
        frame = request.sampling.seed - 20
        assert request.sampling.guidance == 1.0 + frame
        assert [control.scale for control in request.controls] == [frame / 4]
        if isinstance(request, ImageRequest) and request.init == request.view.color:
            whole[frame] = request.strength
        last_of[frame] = request
    assert whole == {frame: frame / 10 for frame in FRAMES}, "from the scene's colours"
    over = [one.strength for one in series.asked if getattr(one, "init", 0) not in (0, None)]
    assert {0.52, 0.53} <= {*over}, "refresh"
