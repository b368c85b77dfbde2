"""A range of frames: paint stays on its surface, only what was hidden is painted, and a series that
was stopped goes on as if it had not been."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from underpaint.animation.folder import Folder, decoded, encoded
from underpaint.buffers import Kind
from underpaint.errors import RequestError
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
)

from helpers.painting.painted_series import FRAMES, Series, Stopped
from helpers.painting.sliding_card import STEP, coloured, take


def test_paint_moves_with_its_surface(studio, tmp_path):
    series = Series(studio, tmp_path)
    first, third = series.picture(1), series.picture(3)
    card = np.isfinite(take(3).track.depth)
    inside = np.zeros_like(card)
    inside[20:44, 20 + 2 * STEP : 44 + 2 * STEP] = True
    assert (card | ~inside).all()
    moved = np.roll(first, 2 * STEP, axis=1)
    assert np.abs(third - moved)[inside].max() <= 1
    corner = np.s_[:8, :8]
    assert (third[corner] == first[corner]).all()


def test_what_is_painted_begins_from_the_scenes_colours_where_that_is_asked(studio, tmp_path):
    series = Series(studio, tmp_path, take=coloured, colours=0.6)
    first, *patches = series.asked
    assert (first.init, first.strength) == (first.view.color, 0.6)
    for request, arrays in zip(patches, series.pictures[1:], strict=True):
        assert isinstance(request, InpaintRequest)
        assert request.strength == 0.6
        opened = arrays[request.mask.sha256] == 255
        begun, colours = arrays[request.image.sha256], arrays[request.view.color.sha256]
        assert (begun[opened] == colours[opened][:, :3]).all()
        assert not (begun[~opened] == colours[~opened][:, :3]).all(), "the rest is what was painted"


def test_only_what_no_frame_saw_is_painted(studio, tmp_path):
    series = Series(studio, tmp_path)
    assert {type(request) for request in series.asked[1:]} == {InpaintRequest}
    _first, third, second = (made.own for made in series.made)
    assert 0 <= second < third < 0.35
    fresh = series.folder.fresh("0003")
    was_card = np.isfinite(take(1).track.depth) & ~np.isfinite(take(3).track.depth)
    assert fresh[was_card].all()


def test_what_comes_out_bit_by_bit_is_painted_at_once(studio, tmp_path):
    series = Series(studio, tmp_path, frames=tuple(range(1, 6)))
    assert [made.frame for made in series.made] == [1, 5, 3, 2, 4]
    ahead, *between = series.made[1:]
    assert all(made.own < 0.5 * ahead.own for made in between)
    inside = np.s_[24:40, 20:25]
    assert np.isfinite(take(1).track.depth[inside]).all(), "the card hides it at first"
    shown = [series.picture(frame)[inside] for frame in (4, 5)]
    assert np.abs(shown[0] - shown[1]).max() <= 1


def test_what_changes_over_time_is_painted_frame_by_frame(studio, tmp_path):
    for name, fields in (("words", {"words": "(stone:{wet})"}), ("over", {"refresh": 0.5})):
        made = Series(studio, tmp_path / name, **fields).made
        assert [one.frame for one in made] == [1, 2, 3]


def test_a_stopped_series_goes_on_as_if_it_had_not_been(studio, tmp_path):
    whole = Series(studio, tmp_path / "whole")
    with pytest.raises(Stopped):
        Series(studio, tmp_path / "parts", most=1)
    rest = Series(studio, tmp_path / "parts")
    assert [made.resumed for made in rest.made] == [True, False, False]
    assert [rest.bytes(frame) for frame in FRAMES] == [whole.bytes(frame) for frame in FRAMES]


def test_a_longer_series_keeps_what_a_shorter_one_painted(studio, tmp_path):
    short = Series(studio, tmp_path, frames=(1, 2, 3))
    painted = [short.bytes(frame) for frame in (1, 2, 3)]
    longer = Series(studio, tmp_path, frames=tuple(range(1, 6)))
    assert [made.frame for made in longer.made] == [1, 3, 2, 5, 4]
    assert [made.resumed for made in longer.made] == [True, True, True, False, False]
    assert [longer.bytes(frame) for frame in (1, 2, 3)] == painted


def test_a_damaged_or_missing_picture_is_made_again(studio, tmp_path):
    before = Series(studio, tmp_path)
    pictures = [before.bytes(frame) for frame in FRAMES]
    (tmp_path / "0002.png").write_bytes(pictures[1][:100])
    (tmp_path / "painted" / "0003.png").unlink()
    after = Series(studio, tmp_path)
    assert [made.resumed for made in after.made] == [True, False, False]
    assert [after.bytes(frame) for frame in FRAMES] == pictures


def test_another_request_begins_anew(studio, tmp_path):
    Series(studio, tmp_path)
    (tmp_path / "mine.png").write_bytes(b"kept")
    other = Series(studio, tmp_path, digest="b", frames=(1, 2))
    assert not any(made.resumed for made in other.made)
    assert not (tmp_path / "0003.png").exists()
    assert (tmp_path / "mine.png").read_bytes() == b"kept"


def test_a_damaged_state_begins_anew(studio, tmp_path):
    Series(studio, tmp_path, frames=(1,))
    for text in ("", "[]", "{", '{"digest": "a"}'):
        (tmp_path / "animation.json").write_text(text)
        assert not Series(studio, tmp_path, frames=(1,)).made[0].resumed


def test_words_and_options_follow_the_scenes_numbers(studio, tmp_path):
    series = Series(studio, tmp_path, words="(stone:{wet}), {unknown}")
    told = [request.prompt.text for request in series.asked]
    assert told == [f"(stone:{n}), {{unknown}}" for n in FRAMES]


def test_refreshing_paints_every_frame_over(studio, tmp_path):
    series = Series(studio, tmp_path, refresh=0.5)
    last = series.asked[-1]
    assert isinstance(last, ImageRequest)
    assert last.strength == 0.5
    assert last.init is not None
    assert all(made.own == 1 for made in series.made)


def test_a_series_has_one_range_of_depth(studio, tmp_path):
    depth = (Control(ControlKind.DEPTH),)
    short = Series(studio, tmp_path, frames=(1, 2), controls=depth)
    ranges = [control.depth_range for asked in short.asked for control in asked.controls]
    assert ranges == [ranges[0]] * len(short.asked)
    near, far = ranges[0]
    assert near == pytest.approx(8.0, rel=0.01), "where the card is"
    assert near < far
    longer = Series(studio, tmp_path, controls=depth)
    assert longer.asked[0].controls[0].depth_range == ranges[0], "that of the shorter series"
    by_hand = (Control(ControlKind.DEPTH, depth_range=(2.0, 20.0)),)
    asked = Series(studio, tmp_path / "by hand", controls=by_hand).asked
    assert {request.controls[0].depth_range for request in asked} == {(2.0, 20.0)}


def test_flicker_is_told_beside_that_of_single_frames(studio, tmp_path):
    series = Series(studio, tmp_path, compare=True)
    figures = series.animation.figures
    assert 0 <= figures.flicker.warp_error < 0.5 * figures.per_frame.warp_error
    resumed = Series(studio, tmp_path, compare=True)
    assert resumed.asked == []
    assert resumed.animation.figures.flicker.warp_error == figures.flicker.warp_error


def test_a_first_picture_of_another_program_is_refused(studio, tmp_path):
    series = Series(studio, tmp_path, frames=(1,))
    plain = decoded(series.bytes(1))
    series.folder.keep("0001", encoded(plain), np.ones(plain.shape[:2], bool))
    with pytest.raises(RequestError, match="0001"):
        Series(studio, tmp_path)


def changed(taken, where):
    """A capture with a depth of its own, and what is seen where that is finite."""
    depth = np.where(where, taken.track.depth, np.inf).astype(np.float32)
    track = replace(taken.track, depth=depth, item=np.where(np.isfinite(depth), 0, -1))
    return replace(
        taken, track=track, view=replace(taken.view, depth=taken.buffers.add(Kind.DEPTH, depth))
    )


def test_a_view_of_nothing_but_sky_has_no_range_of_depth(studio, tmp_path):
    depth = (Control(ControlKind.DEPTH),)

    def sky(*frame_and_size):
        return changed(take(*frame_and_size), False)

    series = Series(studio, tmp_path, frames=(1, 2), take=sky, controls=depth)
    assert series.asked[0].controls[0].depth_range is None
    assert (series.picture(1) == series.picture(2)).all()


def test_without_depth_in_its_captures_a_series_has_no_range(studio, tmp_path):
    def flat(*frame_and_size):
        taken = take(*frame_and_size)
        return replace(taken, view=replace(taken.view, depth=None))

    normal = (Control(ControlKind.NORMAL),)
    series = Series(studio, tmp_path, frames=(1,), take=flat, controls=normal)
    assert series.asked[0].controls[0].depth_range is None


def test_a_frame_that_shares_nothing_with_others_is_painted_whole(studio, tmp_path):
    def cut(frame, *size):
        """Another shot: not a spot of it was there before."""
        taken = take(1, *size)
        if frame == 1:
            return taken
        placing = replace(taken.track.placings[0], key="Other")
        everywhere = np.zeros_like(taken.track.item)
        depth = np.full_like(taken.track.depth, 8.0)
        track = replace(taken.track, depth=depth, item=everywhere, placings=(placing,))
        return replace(taken, track=track)

    series = Series(studio, tmp_path, frames=(1, 2), take=cut)
    assert [type(request) for request in series.asked] == [ImageRequest, ImageRequest]
    assert series.made[1].own == 1


def test_a_picture_that_goes_while_the_series_is_painted_is_named(studio, tmp_path):
    folder = Folder(tmp_path, "a")

    def meddling(frame, *size):
        if frame == 2:
            folder.picture("0001").unlink(missing_ok=True)
        return take(frame, *size)

    with pytest.raises(RequestError, match="was changed while the series was painted"):
        Series(studio, tmp_path, take=meddling)
