"""Requests that cannot be carried out are refused before anything is loaded."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from underpaint.buffers import BufferRef, Buffers, Kind
from underpaint.cameras import Camera
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    MeshRef,
    Mirror,
    Pbr,
    Prompt,
    Reference,
    Refiner,
    RegionPrompt,
    Sampling,
    TextureRequest,
    TileAxes,
    TileImages,
    View,
)
from underpaint_daemon.common.checks.validation import validate

IDENTITY = tuple(np.eye(4).flatten().tolist())
STORE = Buffers()
COLOR = STORE.add(Kind.COLOR, np.zeros((32, 48, 3), np.uint8))
MASK = STORE.add(Kind.MASK, np.zeros((32, 48), np.uint8))
SMALL_MASK = STORE.add(Kind.MASK, np.zeros((16, 48), np.uint8))
DEPTH = STORE.add(Kind.DEPTH, np.ones((32, 48), np.float32))
IDS = STORE.add(Kind.OBJECT_ID, np.ones((32, 48), np.int32))
VIEW = View(Camera(IDENTITY, IDENTITY, 48, 32, 0.1, 10.0), depth=DEPTH)
SEEN = replace(VIEW, object_id=IDS)
MOSS = RegionPrompt(Prompt("moss"), MASK)
OBJECT = RegionPrompt(Prompt("moss"), object_id=1)
IMAGE = ImageRequest(Prompt("a cube"))
INPAINT = InpaintRequest(Prompt("a cube"), COLOR, MASK)


def corners(columns: int, dtype: str = "float32", rows: int = 6) -> BufferRef:
    return STORE.add(Kind.MESH, np.zeros((rows, columns), dtype))


MESH = MeshRef(corners(3), corners(3), corners(2), corners(2, "int32"))
TEXTURE = TextureRequest(Prompt("a cube"), MESH)
BASE = STORE.add(Kind.COLOR, np.zeros((1024, 1024, 4), np.uint8))
LOCK = STORE.add(Kind.MASK, np.zeros((1024, 1024), np.uint8))

GOOD: list[Any] = [
    IMAGE,
    INPAINT,
    TEXTURE,
    replace(TEXTURE, base=BASE, lock=LOCK, strength=0.5, reroll=9, mirror=Mirror(), upscale=2),
    replace(TEXTURE, more_tiles=(TileImages(1002, BASE, LOCK),)),
    replace(IMAGE, view=VIEW, controls=(Control(ControlKind.DEPTH),)),
    replace(IMAGE, controls=(Control(ControlKind.CANNY, image=COLOR),)),
    replace(IMAGE, regions=(MOSS,)),
    replace(IMAGE, width=64, height=96, init=COLOR, regions=(MOSS,)),
    replace(IMAGE, width=64, height=96, view=SEEN, regions=(OBJECT, MOSS)),
    replace(INPAINT, regions=(MOSS,)),
]
BAD: list[tuple[Any, ErrorCode, str]] = [
    (replace(IMAGE, model=""), ErrorCode.BAD_REQUEST, "model"),
    (replace(IMAGE, width=60), ErrorCode.BAD_REQUEST, "width"),
    (replace(IMAGE, width=100, tile=TileAxes.X), ErrorCode.BAD_REQUEST, "multiple of 8"),
    (replace(IMAGE, height=8), ErrorCode.BAD_REQUEST, "height"),
    (replace(IMAGE, width=9000), ErrorCode.TOO_LARGE, "width"),
    (replace(IMAGE, batch=0), ErrorCode.BAD_REQUEST, "batch"),
    (replace(IMAGE, strength=1.5), ErrorCode.BAD_REQUEST, "strength"),
    (replace(IMAGE, sampling=Sampling(steps=0)), ErrorCode.BAD_REQUEST, "steps"),
    (replace(IMAGE, sampling=Sampling(steps=201)), ErrorCode.BAD_REQUEST, "steps"),
    (replace(IMAGE, sampling=Sampling(guidance=-1.0)), ErrorCode.BAD_REQUEST, "guidance"),
    (replace(IMAGE, sampling=Sampling(seed=-1)), ErrorCode.BAD_REQUEST, "seed"),
    (replace(IMAGE, prompt=Prompt("a" * 30_000)), ErrorCode.BAD_REQUEST, "prompt"),
    (
        replace(IMAGE, references=(Reference(scale=2.0),)),
        ErrorCode.BAD_REQUEST,
        "references[0].scale",
    ),
    (replace(IMAGE, loras=(Lora("x", 3.0),)), ErrorCode.BAD_REQUEST, "loras[0].weight"),
    (replace(IMAGE, init=MASK), ErrorCode.BAD_BUFFER, "init"),
    (replace(IMAGE, controls=(Control(ControlKind.DEPTH),)), ErrorCode.BAD_REQUEST, "depth"),
    (
        replace(IMAGE, view=VIEW, controls=(Control(ControlKind.SHUFFLE),)),
        ErrorCode.BAD_REQUEST,
        "color",
    ),
    (
        replace(IMAGE, view=VIEW, controls=(Control(ControlKind.DEPTH, scale=2.5),)),
        ErrorCode.BAD_REQUEST,
        "scale",
    ),
    (
        replace(IMAGE, view=VIEW, controls=(Control(ControlKind.DEPTH, start=0.5, end=0.5),)),
        ErrorCode.BAD_REQUEST,
        "start",
    ),
    (
        replace(IMAGE, view=replace(VIEW, normal=COLOR)),
        ErrorCode.BAD_BUFFER,
        "view.normal",
    ),
    (
        replace(IMAGE, view=replace(VIEW, camera=replace(VIEW.camera, width=64))),
        ErrorCode.BAD_BUFFER,
        "camera",
    ),
    (replace(IMAGE, width=64, height=96, regions=(MOSS,)), ErrorCode.BAD_BUFFER, "64×96"),
    (replace(INPAINT, regions=(replace(MOSS, mask=SMALL_MASK),)), ErrorCode.BAD_BUFFER, "48×16"),
    (replace(IMAGE, regions=(replace(MOSS, mask=COLOR),)), ErrorCode.BAD_BUFFER, "regions[0].mask"),
    (
        replace(IMAGE, regions=(replace(MOSS, prompt=Prompt(" ", "blue")),)),
        ErrorCode.BAD_REQUEST,
        "regions[0].prompt is empty",
    ),
    (
        replace(IMAGE, regions=(replace(MOSS, prompt=Prompt("a" * 30_000)),)),
        ErrorCode.BAD_REQUEST,
        "regions[0].prompt",
    ),
    (
        replace(IMAGE, regions=(MOSS, replace(MOSS, weight=1.5))),
        ErrorCode.BAD_REQUEST,
        "[1].weight",
    ),
    (replace(IMAGE, regions=(RegionPrompt(Prompt("a")),)), ErrorCode.BAD_REQUEST, "one of the two"),
    (
        replace(IMAGE, regions=(replace(MOSS, object_id=1),)),
        ErrorCode.BAD_REQUEST,
        "one of the two",
    ),
    (replace(IMAGE, view=VIEW, regions=(OBJECT,)), ErrorCode.BAD_REQUEST, "object ids"),
    (
        replace(IMAGE, view=SEEN, regions=(replace(OBJECT, object_id=0),)),
        ErrorCode.BAD_REQUEST,
        "object_id",
    ),
    (
        replace(IMAGE, sampling=Sampling(guidance_curve=((0.5, 1.0), (0.5, 0.0)))),
        ErrorCode.BAD_REQUEST,
        "guidance_curve[1]",
    ),
    (replace(IMAGE, loras=(Lora("x", 1.0, ((0.0, 3.0),)),)), ErrorCode.BAD_REQUEST, "curve[0]"),
    (replace(IMAGE, loras=(Lora("x", 1.0, ((0.0,),)),)), ErrorCode.BAD_REQUEST, "curve[0]"),
    (replace(IMAGE, refiner=Refiner("")), ErrorCode.BAD_REQUEST, "refiner.model"),
    (replace(IMAGE, refiner=Refiner("m", 2.0)), ErrorCode.BAD_REQUEST, "refiner.strength"),
    (replace(IMAGE, refiner=Refiner("m", handoff=1.0)), ErrorCode.BAD_REQUEST, "refiner.handoff"),
    (
        replace(IMAGE, sampling=Sampling(image_guidance=0.5)),
        ErrorCode.BAD_REQUEST,
        "image_guidance",
    ),
    (replace(IMAGE, regions=17 * (MOSS,)), ErrorCode.BAD_REQUEST, "at most 16"),
    (replace(INPAINT, mask=SMALL_MASK), ErrorCode.BAD_BUFFER, "mask"),
    (replace(INPAINT, mask=COLOR), ErrorCode.BAD_BUFFER, "mask"),
    (replace(INPAINT, feather=-1), ErrorCode.BAD_REQUEST, "feather"),
    (replace(INPAINT, padding=-1), ErrorCode.BAD_REQUEST, "padding"),
    (replace(IMAGE, pbr=Pbr(model="")), ErrorCode.BAD_REQUEST, "pbr.model"),
    (replace(TEXTURE, pbr=Pbr(normal_model="")), ErrorCode.BAD_REQUEST, "pbr.normal_model"),
    (replace(TEXTURE, strength=0.5), ErrorCode.BAD_REQUEST, "strength"),
    (replace(TEXTURE, reroll=1), ErrorCode.BAD_REQUEST, "reroll"),
    (replace(TEXTURE, base=BASE, reroll=10), ErrorCode.BAD_REQUEST, "reroll"),
    (replace(TEXTURE, lock=LOCK), ErrorCode.BAD_REQUEST, "lock"),
    (replace(TEXTURE, base=COLOR), ErrorCode.BAD_BUFFER, "base"),
    (replace(TEXTURE, base=BASE, feather=-1), ErrorCode.BAD_REQUEST, "feather"),
    (replace(TEXTURE, upscale=3), ErrorCode.BAD_REQUEST, "upscale"),
    (replace(TEXTURE, views=(VIEW,), upscale=2), ErrorCode.BAD_REQUEST, "upscale"),
    (replace(TEXTURE, mirror=Mirror(normal=(0.0,) * 3)), ErrorCode.BAD_REQUEST, "mirror.normal"),
    (replace(TEXTURE, mirror=Mirror(point=(0.0,))), ErrorCode.BAD_REQUEST, "mirror.point"),
    (
        replace(TEXTURE, more_tiles=(TileImages(1001, BASE),)),
        ErrorCode.BAD_REQUEST,
        "more_tiles[0].number",
    ),
    (replace(TEXTURE, view_count=0), ErrorCode.BAD_REQUEST, "view_count"),
    (replace(TEXTURE, mesh=replace(MESH, uv=corners(3))), ErrorCode.BAD_MESH, "uv"),
    (replace(TEXTURE, mesh=replace(MESH, ids=corners(2))), ErrorCode.BAD_MESH, "ids"),
    (
        replace(TEXTURE, mesh=replace(MESH, normal=corners(3, rows=5))),
        ErrorCode.BAD_MESH,
        "normal",
    ),
]


@pytest.mark.parametrize("request_", GOOD)
def test_a_request_in_order_passes(request_: Any) -> None:
    validate(request_)


@pytest.mark.parametrize(("request_", "code", "named"), BAD)
def test_a_request_out_of_order_is_refused_with_the_field_named(
    request_: Any, code: ErrorCode, named: str
) -> None:
    with pytest.raises(RequestError) as caught:
        validate(request_)
    assert caught.value.code is code
    assert named in caught.value.message
    assert caught.value.hint


def test_checking_and_listing_need_no_torch() -> None:
    rooms = "underpaint_daemon.common.models, underpaint_daemon.common.checks.validation"
    code = f"import sys, {rooms}; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "diffusers", "transformers"} & set(out.stdout.split())
