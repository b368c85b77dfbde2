"""Whatever bytes a mesh file holds: a mesh, or a registered error. UNDERPAINT_EXAMPLES=100000 tries
more than the suite does."""

from __future__ import annotations

import json
import os
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from underpaint.errors import UnderpaintError
from underpaint_daemon.tools.meshes.files import open_mesh

from helpers.meshes.gltf_samples import SAMPLES, sample

EXAMPLES = int(os.environ.get("UNDERPAINT_EXAMPLES", "150"))
LENIENT = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
_CORNERS = ["1/1", "1//1", "1/1/1", "-1/-1", "2/", "/", "_"]
_NUMBERS = ["0", "1", "2", "-1", "1.5", "1,0", "nan", "inf", "1e39"]
_BREAKS = ["\n", "\n", "\n", "\\\n", "\r"]
WORDS = st.sampled_from(
    ["v", "vt", "vn", "f", "o", "g", "usemtl", "#", *_NUMBERS, *_CORNERS, *_BREAKS]
)
_PLY_TYPES = ["property", "list", "uchar", "int", "float"]
_PLY_NAMES = ["element", "vertex", "face", "vertex_indices", "texcoord", "x", "y", "z", "s", "t"]
_PLY_REST = ["3", "1", "0", "99999999", "-1", "4", "nan", "comment", "end_header", "\n", "\n"]
PLY_WORDS = st.sampled_from([*_PLY_TYPES, *_PLY_NAMES, *_PLY_REST])
HEAD = (
    "ply\nformat {} 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
)
LEAVES = st.none() | st.booleans() | st.integers(-3, 70000) | st.floats() | st.just("VEC3")
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def tried(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with suppress(UnderpaintError):
        assert np.isfinite(open_mesh(path).corners.position).all()


@LENIENT
@given(words=st.lists(WORDS, max_size=40), tail=st.binary(max_size=8))
def test_any_obj(tmp_path_factory, words: list[str], tail: bytes) -> None:
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\n" + " ".join(words)
    tried(tmp_path_factory.getbasetemp() / "any.obj", text.encode() + tail)


@LENIENT
@given(
    words=st.lists(PLY_WORDS, max_size=30),
    tail=st.binary(max_size=90),
    kind=st.sampled_from(["ascii", "binary_little_endian", "binary_big_endian"]),
)
def test_any_ply(tmp_path_factory, words: list[str], tail: bytes, kind: str) -> None:
    text = HEAD.format(kind) + " ".join(words) + "\nend_header\n"
    tried(tmp_path_factory.getbasetemp() / "any.ply", text.encode() + tail)


@pytest.fixture(scope="module")
def glbs(tmp_path_factory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("glbs")
    return [sample(kind, folder).read_bytes() for kind in SAMPLES]


@LENIENT
@given(data=st.data())
def test_any_glb(tmp_path_factory, glbs: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(glbs)))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    tried(tmp_path_factory.getbasetemp() / "any.glb", bytes(whole[: len(whole) - cut % 50]))


@LENIENT
@given(data=st.data())
def test_any_gltf_json(tmp_path_factory, glbs: list[bytes], data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(glbs))
    size = int.from_bytes(whole[12:16], "little")
    doc = json.loads(whole[20 : 20 + size])
    at = doc
    for _ in range(data.draw(st.integers(0, 6))):
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or data.draw(st.booleans()):
            at[key] = data.draw(JSON)
            break
        at = at[key]
    text = json.dumps(doc).encode()
    text += b" " * (-len(text) % 4)
    parts = b"glTF" + (2).to_bytes(4, "little") + (0).to_bytes(4, "little")
    parts += len(text).to_bytes(4, "little") + whole[16:20] + text + whole[20 + size :]
    tried(tmp_path_factory.getbasetemp() / "json.glb", parts)


PROMISES = {
    "a.ply": HEAD.format("binary_little_endian").replace("3", "9" * 12).encode() + b"end_header\n",
    "b.glb": b'{"asset":{"version":"2.0"},"nodes":[{"mesh":0}],"accessors":[{"count":900000000,'
    b'"type":"VEC3","componentType":5126}],"meshes":[{"primitives":[{"attributes":{"POSITION":0}}]}]}',
}


@pytest.mark.parametrize("name", PROMISES)
def test_a_promise_of_billions_takes_no_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PROMISES[name])
    tracemalloc.start()
    with pytest.raises(UnderpaintError):
        open_mesh(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
