"""More of a picture that was painted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from underpaint.buffers import Buffers, Kind
from underpaint.cli.main import build_parser
from underpaint.cli.rerun import variations_request
from underpaint.errors import RequestError
from underpaint.files.inputs import save_inputs
from underpaint.pictures.variations import variations
from underpaint.requests import (
    ImageRequest,
    InpaintRequest,
    MeshRef,
    Prompt,
    Sampling,
    TextureRequest,
    UpscaleRequest,
)
from underpaint.tree import request_digest, to_plain
from underpaint_daemon.worker.provenance import encode_png, origin_of, recipe

PICTURE = np.random.default_rng(1).integers(0, 255, (48, 64, 3)).astype(np.uint8)
MADE = ImageRequest(Prompt("a cup"), sampling=Sampling(steps=4, seed=7), batch=2)


def test_they_begin_from_the_picture_and_keep_everything_else():
    buffers = Buffers()
    near = variations(MADE, PICTURE, buffers, strength=0.3, count=3)
    assert np.array_equal(buffers[near.init.sha256], PICTURE)
    told = replace(MADE, batch=3, init=near.init, strength=0.3, width=64, height=48)
    assert near == replace(told, sampling=replace(MADE.sampling, seed=9)), "beyond its own seeds"


def test_at_full_strength_only_the_seed_differs():
    buffers = Buffers()
    far = variations(MADE, PICTURE, buffers, strength=1.0, count=1, seed=40)
    assert far == replace(MADE, batch=1, sampling=replace(MADE.sampling, seed=40))
    assert not buffers


def test_of_an_inpainting_the_spot_varies():
    buffers = Buffers()
    image = buffers.add(Kind.COLOR, np.zeros_like(PICTURE))
    mask = buffers.add(Kind.MASK, np.full((48, 64), 255, np.uint8))
    made = InpaintRequest(Prompt("a lid"), image, mask)
    varied = variations(made, PICTURE, buffers, count=1)
    assert (varied.mask, varied.image) == (mask, buffers.add(Kind.COLOR, PICTURE))


def test_what_has_none_is_told_with_what_to_do_instead():
    ref = Buffers().add(Kind.COLOR, PICTURE)
    mesh = MeshRef(ref, ref, ref, ref)
    for made in (TextureRequest(Prompt("a"), mesh), UpscaleRequest(Prompt("a"), ref)):
        with pytest.raises(RequestError, match="no variations of") as caught:
            variations(made, PICTURE, Buffers())
        assert caught.value.hint


def test_the_command_reads_a_results_picture_or_its_sidecar(tmp_path):
    """The same, and the arrays of the first come along."""
    buffers = Buffers()
    made = replace(MADE, init=buffers.add(Kind.COLOR, np.zeros_like(PICTURE)))
    told = recipe(made, seed=7, index=0, model={})
    png = tmp_path / "image_0.png"
    png.write_bytes(encode_png(PICTURE, told, origin_of(made)))
    (tmp_path / "image_0.json").write_text(json.dumps({"request": to_plain(made)}))
    save_inputs(tmp_path, request_digest(made), buffers)
    found = []
    for name in ("image_0.png", "image_0.json"):
        words = ["variations", str(tmp_path / name), "--strength", "0.2", "--out", "out"]
        request, given = variations_request(build_parser().parse_args(words))
        assert np.array_equal(given[request.init.sha256], np.asarray(Image.open(png)))
        found.append(request)
    assert found[0] == found[1]
    assert (found[0].batch, found[0].strength) == (4, 0.2)
