"""Panel settings become requests, without Blender."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.following.kinds import USUAL_ROWS, ControlSettings
from blender_addon.image.request import (
    ImageSettings,
    image_request,
    settings_of,
    wanted_buffers,
)
from blender_addon.image.words_again import words_by_object
from blender_addon.plain.painting_settings import tidy
from underpaint.buffers import Kind
from underpaint.files.viewfile import SceneObject
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    Lora,
    Pattern,
    Prompt,
    RegionPrompt,
    Sampler,
    Sampling,
)
from underpaint.tree import from_json, to_json
from underpaint_daemon.common.checks.view_parts import PARTS_OF_KIND


def test_untouched_settings_ask_for_what_the_model_wants_of_the_scene():
    settings = ImageSettings(prompt="a head")
    assert wanted_buffers(settings) == {Kind.DEPTH, Kind.NORMAL}
    assert image_request(settings, None) == ImageRequest(Prompt("a head"))


def test_controls_set_by_hand_are_asked_for():
    settings = ImageSettings(prompt="a head", model_controls=False)
    assert wanted_buffers(settings) == {Kind.DEPTH, Kind.NORMAL}
    assert image_request(settings, None).controls == (
        Control(ControlKind.DEPTH),
        Control(ControlKind.NORMAL, scale=0.6),
    )


def test_the_guide_is_made_of_the_form_and_laid_out_by_the_panel():
    settings = ImageSettings(
        model_controls=False,
        controls=(ControlSettings(ControlKind.GUIDE, True),),
        pattern_size=0.25,
        pattern_seed=3,
        pattern_ground=True,
    )
    assert wanted_buffers(settings) == {Kind.DEPTH, Kind.NORMAL}
    request = image_request(settings, None)
    assert request.controls == (Control(ControlKind.GUIDE),)
    assert request.pattern == Pattern(0.25, 3, ground=True)


@pytest.mark.parametrize("typed", [0.6, 0.35, 4.7, 0.1, 1.0, 7.5])
def test_numbers_come_out_as_they_were_typed_although_blender_keeps_float32(typed):
    kept = float(np.float32(typed))
    assert tidy(kept) == typed


def test_settings_survive_the_way_into_a_request_and_back():
    settings = ImageSettings(
        prompt="gold",
        negative="rust",
        model="other",
        width=512,
        height=384,
        steps=20,
        guidance=7.5,
        sampler=Sampler.EULER_A,
        seed=5,
        pattern_size=0.2,
        guidance_curve=((0.0, 1.0), (1.0, 0.2)),
        image_guidance=1.2,
        refiner="second",
        refiner_strength=0.3,
        refiner_hands_over=True,
        refiner_handoff=0.7,
        model_controls=False,
        controls=(
            ControlSettings(ControlKind.DEPTH),
            ControlSettings(ControlKind.NORMAL, True, 0.4, 0.1, 0.9),
            ControlSettings(ControlKind.GUIDE, True),
            ControlSettings(ControlKind.CANNY, True, 0.35),
            *(ControlSettings(row.kind, True, 0.5) for row in USUAL_ROWS[4:]),
        ),
    )
    request = from_json(to_json(image_request(settings, None)))
    assert settings_of(request) == settings


def test_colours_are_captured_only_for_what_needs_them():
    plain = ImageSettings(model_controls=False, controls=())
    assert wanted_buffers(plain) == frozenset()
    assert wanted_buffers(replace(plain, repaint=True)) == {Kind.COLOR}
    canny = replace(plain, controls=(ControlSettings(ControlKind.CANNY, True),))
    assert wanted_buffers(canny) == {Kind.COLOR}


def test_every_kind_but_inpaint_is_in_the_panel_and_captures_what_the_daemon_makes_it_from():
    assert {row.kind for row in USUAL_ROWS} == set(ControlKind) - {ControlKind.INPAINT}
    for row in USUAL_ROWS:
        asked = ImageSettings(model_controls=False, controls=(replace(row, enabled=True),))
        parts = {Kind(part) for part in PARTS_OF_KIND.get(row.kind, ())}
        assert bool(wanted_buffers(asked) & parts) == bool(parts), row.kind


def test_objects_are_painted_by_their_own_prompts_when_that_is_asked_for():
    settings = ImageSettings(negative="rust", object_prompts=True)
    assert Kind.OBJECT_ID in wanted_buffers(settings)
    ink = (Lora("ink", 0.5),)
    worded = {3: SceneObject("Ball", "gold"), 1: SceneObject("Arch", loras=ink)}
    request = image_request(settings, None, worded)
    assert request.regions == (
        RegionPrompt(Prompt("", "rust"), object_id=1, name="Arch", loras=ink),
        RegionPrompt(Prompt("gold", "rust"), object_id=3, name="Ball"),
    )
    assert settings_of(request).object_prompts
    assert words_by_object(request) == {one.name: one for one in worded.values()}
    assert image_request(replace(settings, object_prompts=False), None).regions == ()


def test_an_empty_model_field_means_the_starter_model():
    assert image_request(ImageSettings(model=""), None).model == "starter"


def test_what_the_artist_leaves_alone_is_left_to_the_model():
    request = image_request(ImageSettings(model="other"), None)
    assert (request.sampling, request.width, request.height) == (Sampling(), None, None)
