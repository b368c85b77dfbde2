"""A result beside which its inputs lie is painted again from them, and from nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from underpaint import Buffers, ImageRequest, Kind, Prompt, RequestError, Sampling
from underpaint.errors import ErrorCode
from underpaint.files.inputs import load_inputs, save_inputs
from underpaint.files.recipe import read_recipe, recipe_request
from underpaint.tree import request_digest, to_plain


def test_inputs_saved_beside_a_result_come_back_for_a_rerun(tmp_path: Path):
    buffers = Buffers()
    color = buffers.add(Kind.COLOR, np.full((16, 16, 3), 9, np.uint8))
    request = ImageRequest(Prompt("x"), init=color)
    save_inputs(tmp_path, request_digest(request), buffers)
    found = load_inputs(tmp_path, request)
    assert (found[color.sha256] == 9).all()
    recipe = tmp_path / "image_0.json"
    recipe.write_text(json.dumps({"request": to_plain(request)}))
    assert recipe_request(read_recipe(recipe)) == request


def test_a_recipe_with_all_that_was_open_settled_finds_its_inputs(tmp_path: Path):
    mine, others = Buffers(), Buffers()
    color = mine.add(Kind.COLOR, np.full((16, 16, 3), 9, np.uint8))
    other = others.add(Kind.COLOR, np.full((16, 16, 3), 7, np.uint8))
    asked = ImageRequest(Prompt("x"), init=color)
    save_inputs(tmp_path, request_digest(asked), mine)
    save_inputs(tmp_path, request_digest(ImageRequest(Prompt("y"), init=other)), others)
    settled = replace(asked, sampling=Sampling(steps=1, guidance=1.0))
    assert (load_inputs(tmp_path, settled)[color.sha256] == 9).all()
    with pytest.raises(RequestError, match="inputs of this result"):
        load_inputs(tmp_path / "elsewhere", settled)
    (file,) = tmp_path.glob(f"*{request_digest(asked)[:12]}*")
    np.savez(file, **{color.sha256: np.zeros((16, 16, 3), np.uint8)})
    with pytest.raises(RequestError, match="its arrays are not the recipe's"):
        load_inputs(tmp_path, asked)
    file.write_bytes(b"cut short")
    with pytest.raises(RequestError, match="cannot be read"):
        load_inputs(tmp_path, settled)
    assert not list(load_inputs(tmp_path, ImageRequest(Prompt("nothing but words"))))


@pytest.mark.parametrize("content", [b"", b"{}", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_rerun_of_a_file_without_a_recipe_says_so(tmp_path: Path, content: bytes):
    path = tmp_path / "image.png"
    path.write_bytes(content)
    with pytest.raises(RequestError) as caught:
        read_recipe(path)
    assert caught.value.code is ErrorCode.FILE
    assert "image.png" in caught.value.message
