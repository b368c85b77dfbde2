"""View files carry a captured view unchanged, and say what is wrong with a broken one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from underpaint.buffers import Buffers, Kind
from underpaint.cameras import Camera, look_at, perspective
from underpaint.errors import ErrorCode, RequestError
from underpaint.files.viewfile import SceneObject, load_objects, load_view, save_view
from underpaint.requests import Lora, View

CAMERA = Camera(look_at((0, -5, 2), (0, 0, 0)), perspective(8, 6, 0.7, 0.1, 100), 8, 6, 0.1, 100)


@pytest.fixture
def captured() -> tuple[View, Buffers]:
    rng, buffers = np.random.default_rng(0), Buffers()
    depth = rng.uniform(1, 9, (6, 8)).astype(np.float32)
    depth[0, 0] = np.inf
    normal = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    refs = {"depth": buffers.add(Kind.DEPTH, depth), "normal": buffers.add(Kind.NORMAL, normal)}
    return View(CAMERA, **refs), buffers


def test_a_saved_view_is_loaded_as_it_was(captured, tmp_path):
    view, buffers = captured
    save_view(tmp_path / "a view.npz", view, buffers)
    loaded = Buffers()
    assert load_view(tmp_path / "a view.npz", loaded) == view
    assert all(np.array_equal(loaded[key], buffers[key]) for key in buffers)


def test_only_the_views_own_arrays_are_written(captured, tmp_path):
    view, buffers = captured
    buffers.add(Kind.MASK, np.zeros((6, 8), np.uint8))
    save_view(tmp_path / "view.npz", view, buffers)
    loaded = Buffers()
    load_view(tmp_path / "view.npz", loaded)
    assert len(loaded) == 2


def _truncate(path):
    path.write_bytes(path.read_bytes()[:200])


def _other_array(path):
    with np.load(path) as stored:
        arrays = dict(stored)
    described = ("view", "objects")
    name = next(key for key in arrays if key not in described and arrays[key].dtype == np.uint8)
    arrays[name] = arrays[name] ^ 1
    np.savez(path, **arrays)


def _other_json(path):
    np.savez(path, view=np.frombuffer(b'{"camera": 3}', np.uint8))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda path: path.unlink(), ErrorCode.FILE),
        (lambda path: path.write_text("not a view"), ErrorCode.FILE),
        (lambda path: path.write_bytes(b""), ErrorCode.FILE),
        (lambda path: np.savez(path, other=np.zeros(3)), ErrorCode.FILE),
        (lambda path: np.savez(path, view=np.frombuffer(b"{nonsense", np.uint8)), ErrorCode.FILE),
        (_truncate, ErrorCode.FILE),
        (_other_array, ErrorCode.FILE),
        (_other_json, ErrorCode.BAD_REQUEST),
    ],
)
def test_a_broken_file_is_refused_with_a_hint(captured, tmp_path, spoil, code):
    path = tmp_path / "view.npz"
    save_view(path, *captured)
    spoil(path)
    with pytest.raises(RequestError) as caught:
        load_view(path, Buffers())
    assert caught.value.code is code
    assert caught.value.hint


def test_a_folder_that_is_not_there_is_said(captured, tmp_path):
    with pytest.raises(RequestError, match="cannot write"):
        save_view(tmp_path / "gone" / "view.npz", *captured)


def test_objects_carry_their_words_and_loras_and_what_is_newer_is_passed_over(captured, tmp_path):
    view, buffers = captured
    objects = {
        1: SceneObject("Arch", "moss"),
        2: SceneObject("Vase", loras=(Lora("clay", 0.5, ((0.0, 1.0), (1.0, 0.5))),)),
    }
    save_view(tmp_path / "view.npz", view, buffers, objects)
    assert load_objects(tmp_path / "view.npz") == objects
    told = json.dumps({"1": {"name": "Arch", "mood": "glad"}}).encode()
    with np.load(tmp_path / "view.npz") as stored:
        np.savez(tmp_path / "newer.npz", **{**stored, "objects": np.frombuffer(told, np.uint8)})
    assert load_objects(tmp_path / "newer.npz") == {1: SceneObject("Arch")}
