"""`--control`: kinds, images and networks whose paths hold anything that a path may hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from underpaint.buffers import Buffers
from underpaint.cli.parts.controls import control_of
from underpaint.errors import RequestError
from underpaint.requests import Control, ControlKind

STRANGE = [
    "plain.safetensors",
    "with space.safetensors",
    "v1.5: final.safetensors",
    "a=b@c.safetensors",
    "深度 глубина.safetensors",
    "net:0.5",
    "x:convention=bae",
]


@pytest.mark.parametrize("name", STRANGE)
def test_a_networks_path_may_hold_anything(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    got = control_of(f"depth@{path}:0.8:0.1:0.9:convention=linear:range=2-9.5", Buffers())
    assert got == Control(ControlKind.DEPTH, 0.8, 0.1, 0.9, None, str(path), "linear", (2.0, 9.5))
    assert control_of(f"depth@{path}", Buffers()) == Control(ControlKind.DEPTH, model=str(path))


@pytest.mark.parametrize("name", STRANGE)
def test_an_image_and_a_network_in_either_order(tmp_path: Path, name: str) -> None:
    network = tmp_path / name
    network.mkdir()
    image = tmp_path / "a photo=@ 1.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(image)
    buffers = Buffers()
    for text in (f"canny={image}@{network}:0.5", f"canny@{network}={image}:0.5"):
        got = control_of(text, buffers)
        assert got.model == str(network)
        assert got.image is not None
        assert got.scale == 0.5


def test_names_relative_paths_and_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert control_of("normal@union promax:0.6", Buffers()).model == "union promax"
    assert control_of("normal@here", Buffers()).model == str(tmp_path / "here")
    assert control_of("normal@nets/x:0.6", Buffers()).model == str(tmp_path / "nets/x")
    assert control_of("normal:0.6:convention=opengl", Buffers()).convention == "opengl"
    with pytest.raises(RequestError, match=r"nowhere\.png"):
        control_of("canny=nowhere.png@union promax:0.6", Buffers())


@pytest.mark.parametrize("text", ["depht", "depth:a", "depth@", "depth:1:0:1:2", "depth:range=2"])
def test_what_makes_no_sense_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(RequestError, match="--control"):
        control_of(text, Buffers())
