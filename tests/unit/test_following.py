"""What is drawn of a view's scene, what of it is left alone, and what holds in every frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from underpaint.animation.asking import Asked, again, patch, whole
from underpaint.buffers import Buffers, Kind
from underpaint.cameras import Camera
from underpaint.cli.generate import build_request
from underpaint.cli.main import build_parser
from underpaint.errors import RequestError
from underpaint.files.viewfile import SceneObject, save_view
from underpaint.requests import (
    ImageRequest,
    Lora,
    Prompt,
    Reference,
    ReferenceRole,
    Refiner,
    View,
)

from helpers.painting.sliding_card import SIDE, take

IDENTITY = tuple(np.eye(4).flatten().tolist())


def parsed(*words: str):
    arguments = ["generate", "--prompt", "a red cube", "--out", "out", *words]
    return build_request(build_parser().parse_args(arguments))


def test_what_is_drawn_of_a_scene_and_what_is_left_alone_needs_a_view_that_shows_it(tmp_path: Path):
    file, buffers = tmp_path / "view.npz", Buffers()
    camera = Camera(IDENTITY, IDENTITY, 48, 32, 0.1, 10.0)
    ids, colour = np.zeros((32, 48), np.int32), np.full((32, 48, 4), 90, np.uint8)
    ids[8:24, 8:24] = 1
    view = View(
        camera,
        object_id=buffers.add(Kind.OBJECT_ID, ids),
        color=buffers.add(Kind.COLOR, colour),
    )
    save_view(file, view, buffers, {1: SceneObject("Ball")})
    seen = ("--view", str(file))
    request, arrays = parsed(*seen, "--control", "scribble:0.5:from=objects:of=Ball")
    (control,) = request.controls
    assert control.scale == 0.5
    drawn = arrays[control.image.sha256].any(2)
    assert drawn.any()
    assert not drawn[:4].any()
    request, arrays = parsed(*seen, "--leave-alone", "Ball")
    assert np.array_equal(arrays[request.mask.sha256] == 0, ids == 1)
    assert parsed(*seen, "--leave-alone")[0] == parsed(*seen)[0], "nothing is locked"
    for words, said in (
        (("--control", "openpose:from=armature"), "there is no view"),
        ((*seen, "--control", "openpose:from=armature"), "no armature"),
        ((*seen, "--control", "scribble:from=annotations"), "no annotation"),
        ((*seen, "--control", "scribble:from=objects"), "which objects"),
        ((*seen, "--control", "scribble:from=objects:of=Cube"), "not seen"),
        ((*seen, "--control", "scribble:from=air"), "expected objects, armature, annotations"),
        ((*seen, "--control", "scribble:of=Ball"), "of= needs from="),
        ((*seen, "--leave-alone", "Cube"), "no object of that name"),
        (("--leave-alone", "Cube"), "goes with a view"),
    ):
        with pytest.raises(RequestError, match=said):
            parsed(*words)


def test_loras_references_and_a_second_model_hold_in_every_frame_and_patch():
    """Handed over in the middle only where a picture is painted from words alone."""
    buffers, taken = Buffers(), take(2)
    image = buffers.add(Kind.COLOR, np.zeros((8, 8, 3), np.uint8))
    request = ImageRequest(
        Prompt("x"),
        loras=(Lora("ink", 0.8),),
        references=(Reference(ReferenceRole.STYLE, image),),
        refiner=Refiner("second", 0.3, handoff=0.8),
    )
    asked = Asked(request, buffers)
    picture, spot = np.zeros((SIDE, SIDE, 3), np.uint8), np.ones((SIDE, SIDE), bool)
    frames = {
        0.8: whole(asked, taken),
        None: patch(asked, taken, picture, spot, 1.0),
        False: again(asked, taken, picture, 0.5),
    }
    for handoff, (painted, arrays) in frames.items():
        assert painted.loras == request.loras
        assert painted.references == request.references
        assert image.sha256 in arrays
        assert (painted.refiner.model, painted.refiner.strength) == ("second", 0.3)
        assert painted.refiner.handoff == (handoff or None)
