"""A request is plain data: it survives the wire, and a wrong field is named."""

from __future__ import annotations

import numpy as np
import pytest

from underpaint import buffers as b
from underpaint import tree
from underpaint.cameras import Camera, look_at, orthographic, perspective, project, unproject
from underpaint.errors import ErrorCode, RequestError, UnderpaintError, error_from_dict
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    MeshRef,
    Mirror,
    Pattern,
    Pbr,
    Prompt,
    RegionPrompt,
    Request,
    Sampler,
    Sampling,
    TextureRequest,
    TileAxes,
    TileImages,
    UpscaleRequest,
    View,
)


def a_camera(projection: tuple[float, ...]) -> Camera:
    return Camera(look_at((3, -4, 2), (0, 0, 0.5)), projection, 48, 32, 0.1, 100.0)


def every_kind_of_request() -> list[Request]:
    buffers = b.Buffers()
    depth = buffers.add(b.Kind.DEPTH, np.full((32, 48), 2.0, np.float32))
    color = buffers.add(b.Kind.COLOR, np.zeros((32, 48, 3), np.uint8))
    mask = buffers.add(b.Kind.MASK, np.zeros((32, 48), np.uint8))
    corner = buffers.add(b.Kind.MESH, np.zeros((3, 3), np.float32))
    view = View(a_camera(perspective(48, 32, 0.8, 0.1, 100)), depth=depth, color=color)
    controls = (Control(ControlKind.DEPTH, 0.8, 0.0, 0.9), Control(ControlKind.CANNY, image=color))
    sampling = Sampling(Sampler.UNIPC, 12, 4.5, 7)
    return [
        ImageRequest(Prompt("a", "b"), view=view, controls=controls, loras=(Lora("x", 0.5),)),
        ImageRequest(
            Prompt("a"), controls=(), tile=TileAxes.XY, pbr=Pbr(normal_model="/models/normals")
        ),
        InpaintRequest(
            Prompt("a"),
            color,
            mask,
            sampling=sampling,
            padding=16,
            regions=(RegionPrompt(Prompt("b", "c"), mask, weight=0.5),),
        ),
        UpscaleRequest(Prompt("a"), color, factor=3.0, tile=512, strength=0.2),
        TextureRequest(
            Prompt("a"),
            MeshRef(corner, corner, corner, corner),
            pattern=Pattern(0.3, 2, own_uv=True, ground=True),
            views=(view,),
            base=color,
            lock=mask,
            more_tiles=(TileImages(1002, color, mask),),
            reroll=0,
            mirror=Mirror((0.5, 0.0, 0.0), (0.0, 1.0, 0.0)),
            upscale=2,
            pbr=Pbr(),
        ),
    ]


@pytest.mark.parametrize("request_", every_kind_of_request(), ids=lambda r: type(r).__name__)
def test_a_request_comes_back_equal_from_json(request_: Request):
    text = tree.to_json(request_)
    assert tree.from_json(text) == request_
    assert tree.to_json(tree.from_json(text)) == text


def test_defaults_are_left_out_so_that_a_recipe_reads_as_what_was_asked():
    assert tree.to_plain(ImageRequest(Prompt("a cube"))) == {
        "kind": "image",
        "prompt": {"text": "a cube"},
    }


@pytest.mark.parametrize(
    ("text", "named", "code"),
    [
        ("{", "not JSON", ErrorCode.BAD_REQUEST),
        ("[]", "not a JSON object", ErrorCode.BAD_REQUEST),
        ('{"kind":"video"}', "kind is 'video'", ErrorCode.BAD_REQUEST),
        ('{"kind":"image"}', "image.prompt is missing", ErrorCode.BAD_REQUEST),
        ('{"kind":"image","prompt":{"text":3}}', "image.prompt.text is 3", ErrorCode.BAD_REQUEST),
        ('{"kind":"image","prompt":{},"siz":1}', "image.siz is unknown", ErrorCode.BAD_REQUEST),
        ('{"kind":"image","prompt":{},"width":true}', "image.width", ErrorCode.BAD_REQUEST),
        (
            '{"kind":"image","prompt":{},"strength":NaN}',
            "image.strength is nan",
            ErrorCode.BAD_REQUEST,
        ),
        (
            '{"kind":"image","prompt":{},"sampling":{"sampler":"eulr"}}',
            "image.sampling.sampler is 'eulr'",
            ErrorCode.UNKNOWN_SAMPLER,
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_fix(text: str, named: str, code: ErrorCode):
    with pytest.raises(RequestError) as caught:
        tree.from_json(text)
    assert caught.value.code is code
    assert named in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("kind", "array", "code"),
    [
        (b.Kind.DEPTH, np.full((4, 4), np.nan, np.float32), ErrorCode.BAD_BUFFER),
        (b.Kind.DEPTH, np.zeros((4, 4), np.float32), ErrorCode.BAD_BUFFER),
        (b.Kind.DEPTH, np.ones((4, 4), np.float64), ErrorCode.BAD_BUFFER),
        (b.Kind.DEPTH, np.ones((4, 4, 1), np.float32), ErrorCode.BAD_BUFFER),
        (b.Kind.NORMAL, np.zeros((4, 4, 4), np.uint8), ErrorCode.BAD_BUFFER),
        (b.Kind.COLOR, np.zeros((0, 4, 3), np.uint8), ErrorCode.BAD_BUFFER),
        (b.Kind.MASK, np.zeros((4, 20000), np.uint8), ErrorCode.TOO_LARGE),
        (b.Kind.MASK, np.zeros((8192, 8576), np.uint8), ErrorCode.TOO_LARGE),
    ],
)
def test_an_array_that_does_not_fit_its_kind_is_refused(kind, array, code):
    with pytest.raises(RequestError) as caught:
        b.Buffers().add(kind, array)
    assert caught.value.code is code
    assert str(kind) in caught.value.message


def test_the_same_array_has_the_same_address_in_any_memory_layout():
    array = np.arange(24, dtype=np.int32).reshape(4, 6)
    assert b.digest(array) == b.digest(np.asfortranarray(array))
    assert b.digest(array) != b.digest(array + 1)


@pytest.mark.parametrize(
    "projection",
    [perspective(48, 32, 0.8, 0.1, 100, (0.3, -0.2)), orthographic(48, 32, 4.0, 0.1, 100)],
    ids=["perspective with lens shift", "orthographic"],
)
def test_pixels_unproject_to_where_they_came_from(projection):
    camera = a_camera(projection)
    depth = np.random.default_rng(0).uniform(1, 20, (32, 48))
    pixels, z = project(camera, unproject(camera, depth))
    columns, rows = np.meshgrid(np.arange(48) + 0.5, np.arange(32) + 0.5)
    assert np.abs(pixels - np.stack([columns, rows], -1).reshape(-1, 2)).max() < 1e-9
    assert np.abs(z - depth.reshape(-1)).max() < 1e-9


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_code_travels_with_a_hint(code: ErrorCode):
    error = error_from_dict(UnderpaintError(code, "what happened").to_dict())
    assert error.code is code
    assert error.hint
    assert error.message == "what happened"


def test_an_error_of_a_newer_peer_keeps_its_message():
    error = error_from_dict({"code": "from_the_future", "message": "m", "hint": "h"})
    assert (error.code, error.message, error.hint) == (ErrorCode.INTERNAL, "m", "h")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**30])
def test_a_number_that_cannot_travel_is_refused_where_it_stands(number: float) -> None:
    """Here, before it is sent: the daemon could not read whose request it is, and not answer."""
    asked = [
        (ImageRequest(Prompt("x"), sampling=Sampling(guidance=number)), "sampling.guidance"),
        (ImageRequest(Prompt("x"), strength=number), "strength"),
        (ImageRequest(Prompt("x"), loras=(Lora("a"), Lora("b", number))), "loras[1].weight"),
    ]
    for request, where in asked:
        with pytest.raises(RequestError) as refused:
            tree.to_json(request)
        assert refused.value.code is ErrorCode.BAD_REQUEST
        assert refused.value.message.startswith(where)
