"""Every result says how it was made, and that a machine made it."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.files.recipe import recipe_in
from underpaint.paths import Paths
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    Prompt,
    Sampling,
    View,
)
from underpaint.tree import from_plain
from underpaint_daemon.common.defaults.settle import settle

from helpers.painting.studio import Studio, photo

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, batch=2, sampling=Sampling(seed=4)
)
GENERATED = "digitalsourcetype/trainedAlgorithmicMedia"
COMPOSITE = "digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def test_a_result_carries_its_recipe_and_the_recipe_makes_it_again(studio: Studio) -> None:
    png, sidecar, second, _ = studio.run(ASKED)
    facts = recipe_in(png.data, "result.png")
    assert facts == json.loads(sidecar.data)
    assert from_plain(facts["request"]) == settle(ASKED, studio.models.paths)
    assert facts["model"]["name"] == "tiny"
    assert len(facts["model"]["digest"]) == 64
    assert facts["versions"]["diffusers"]
    assert (second.name, second.facts["seed"]) == ("image_1.png", 5)
    assert png.facts["width"] == 64
    again = studio.run(from_plain(facts["request"]))[0]
    assert again.data == png.data


def test_files_from_elsewhere_are_named_with_their_digests(
    studio: Studio, view: View, paths: Paths
) -> None:
    own = paths.models / "tiny"
    lora = Lora(str(own / "loras" / "style.safetensors"))
    control = Control(ControlKind.CANNY, model=str(own / "controlnet_depth"))
    asked = replace(ASKED, batch=1, view=view, controls=(control,), loras=(lora,))
    files = recipe_in(studio.run(asked)[0].data, "result.png")["model"]["files"]
    assert set(files) == {lora.path, control.model}
    assert all(len(digest) == 64 for digest in files.values())


def mark(data: bytes) -> str:
    return str(Image.open(io.BytesIO(data)).info["XML:com.adobe.xmp"])


def test_the_iptc_mark_tells_generated_from_composite(studio: Studio, view: View) -> None:
    image = studio.buffers.add(Kind.COLOR, photo())
    mask = studio.buffers.add(Kind.MASK, np.full((64, 64), 255, np.uint8))
    depth = Control(ControlKind.DEPTH)
    one = replace(ASKED, batch=1)
    assert GENERATED in mark(studio.run(one)[0].data)
    assert GENERATED in mark(studio.run(replace(one, view=view, controls=(depth,)))[0].data)
    assert COMPOSITE in mark(studio.run(replace(one, init=image))[0].data)
    inpaint = InpaintRequest(Prompt("a ball"), image, mask, model="tiny")
    assert COMPOSITE in mark(studio.run(inpaint)[0].data)


@pytest.mark.parametrize("data", [b"", b"not a png", "foreign"])
def test_a_file_without_a_recipe_is_named_as_such(data: bytes | str) -> None:
    if isinstance(data, str):
        stream = io.BytesIO()
        Image.new("RGB", (4, 4)).save(stream, "PNG")
        data = stream.getvalue()
    with pytest.raises(UnderpaintError) as caught:
        recipe_in(data, "result.png")
    assert caught.value.code is ErrorCode.FILE
