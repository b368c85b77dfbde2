"""Files that are not what their names say, or that programs write in ways of their own: read for
what they mean, or refused by the reason, before anything is painted."""

from __future__ import annotations

import base64
import gzip
import json
import os
import struct
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from underpaint.cli.guard import Exit, exit_code
from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.tools.assets.cli import main
from underpaint_daemon.tools.assets.cli_results import write_summary
from underpaint_daemon.tools.meshes.files import open_mesh
from underpaint_daemon.tools.meshes.gltf.file import read_gltf
from underpaint_daemon.tools.meshes.triangulate import triangulate

from helpers.meshes.gltf_draft import UV, Draft
from helpers.meshes.gltf_samples import materials, plain, sample
from helpers.meshes.wearing import glb, painted

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf 1/1 2/2 3/3 4/4\n"
OTHERS = {
    "a PLY": (b"ply\nformat ascii 1.0\n", "PLY"),
    "gzip": (gzip.compress(SQUARE.encode()), "gzip"),
    "a zip": (b"PK\x03\x04rest", "zip"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "LFS"),
    "a web page": (b"\n<!DOCTYPE html><html>404", "web page"),
    "glTF": (b"glTF\2\0\0\0", "glTF"),
    "nothing": (b"", "empty"),
    "zeros": (bytes(10_000), "empty"),
    "noise": (b"\x90\x01 noise \n of something", "none of its lines"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_file_that_is_something_else_is_told_as_that(tmp_path: Path, what: str) -> None:
    data, said = OTHERS[what]
    (tmp_path / "mesh.obj").write_bytes(data)
    with pytest.raises(RequestError) as refused:
        open_mesh(tmp_path / "mesh.obj")
    assert refused.value.code is ErrorCode.FILE
    assert said in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_text_of_two_or_four_bytes_a_letter_needs_no_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "mesh.obj").write_bytes(SQUARE.encode(encoding))
    assert open_mesh(tmp_path / "mesh.obj").corners.triangles == 2


@pytest.mark.parametrize("name", ["new\nline", " two  blanks ", "tab\there", os.fsdecode(b"\xff")])
def test_any_name_gives_files_that_find_each_other(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.obj").write_text(SQUARE)
    file = open_mesh(tmp_path / f"{name}.obj")
    assert painted(file, tmp_path / "out").problems == []
    lines = (tmp_path / "out" / f"{name}.obj").read_bytes().split(b"\n")
    (named,) = [line.split(b" ", 1)[1] for line in lines if line.startswith(b"mtllib ")]
    assert (tmp_path / "out" / os.fsdecode(named)).is_file()
    assert len(named.split()) == 1
    write_summary(tmp_path, [{"mesh": str(file.path), "files": []}])


def spiral(corners: int) -> np.ndarray:
    along = np.arange(corners // 2) * 0.05
    ways = [np.stack([np.cos(along), np.sin(along)], 1) * (along + far)[:, None] for far in (1, 3)]
    flat = np.concatenate([ways[0], ways[1][::-1]])
    return np.column_stack([flat, np.zeros(len(flat))]).astype(np.float32)


def area(points: np.ndarray, corners: np.ndarray) -> float:
    a, b, c = points[corners].reshape(-1, 3, 3).transpose(1, 0, 2)
    return float(np.cross(b - a, c - a)[:, 2].sum() / 2)


def test_a_polygon_of_thousands_of_corners_is_cut_once_and_whole() -> None:
    """Each corner is looked at a few times: by all of them at every cut it took minutes."""
    points = spiral(4000)
    corners, _ = triangulate(points, np.arange(4000), np.array([4000]))
    x, y = points[:, :2].astype(float).T
    whole = float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)
    a, b, c = points.astype(float)[corners].reshape(-1, 3, 3).transpose(1, 0, 2)
    signed = np.cross(b - a, c - a)[:, 2]
    assert abs(np.abs(signed).sum() / 2) == pytest.approx(abs(whole), rel=1e-5)
    assert area(points.astype(float), corners) == pytest.approx(whole, rel=1e-5)


def test_corners_in_one_place_do_not_spoil_a_polygon() -> None:
    dart = np.repeat([(0, 0, 0), (2, 1, 0), (0, 2, 0), (1, 1, 0)], 40, axis=0).astype(float)
    corners, _ = triangulate(dart, np.arange(160), np.array([160]))
    assert area(dart, corners) == pytest.approx(1.0)


def written(folder: Path, more: dict[str, Any], uri: str = "", make=plain) -> Path:
    """A sample as .gltf; `uri`: its buffer's, `{}`: its data."""
    draft = Draft()
    make(draft)
    data = base64.b64encode(bytes(draft.binary)).decode()
    told = uri.replace("{}", data).replace("%%", quote(bytes(draft.binary)))
    buffer = {"byteLength": len(draft.binary), "uri": told or f"data:;base64,{data}"}
    path = folder / "mesh.gltf"
    path.write_text(json.dumps(draft.doc | {"buffers": [buffer]} | more))
    (folder / "sub").mkdir(exist_ok=True)
    for name in ("a b.bin", "sub/a.bin", "pct%20.bin"):
        (folder / name).write_bytes(bytes(draft.binary))
    return path


URIS = ["data:application/gltf-buffer;base64,{}", "data:;base64,\n{}\n", "data:x/y,%%",
        "a%20b.bin", "a b.bin", "sub/a.bin", "sub\\a.bin", "./sub/../sub/a.bin",
        "pct%20.bin"]  # fmt: skip


@pytest.mark.parametrize("uri", URIS)
def test_data_is_found_however_it_is_named(tmp_path: Path, uri: str) -> None:
    assert open_mesh(written(tmp_path, {}, uri)).corners.triangles == 2


@pytest.mark.parametrize("uri", ["/dev/zero", "file:///etc/passwd", "http://a.b/c", "\\\\pc\\x",
                                 "C:\\x.bin", "sub", "gone.bin", "data:;base64,???"])  # fmt: skip
def test_nothing_is_read_that_is_not_the_files_own(tmp_path: Path, uri: str) -> None:
    with pytest.raises(RequestError) as refused:
        open_mesh(written(tmp_path, {}, uri))
    assert refused.value.code is ErrorCode.FILE


def test_a_picture_that_is_none_is_not_taken_into_the_painted_file(tmp_path: Path) -> None:
    """Who wrote the file would get what lies about on this machine into what is handed on."""
    (tmp_path / "secret.txt").write_text("SECRET")
    more = {"images": [{"uri": "secret.txt"}], "textures": [{"source": 0}]}
    file = open_mesh(written(tmp_path, more))
    assert painted(file, tmp_path / "out").problems == []
    assert b"SECRET" not in (tmp_path / "out" / "mesh.glb").read_bytes()


def packed(text: bytes, data: bytes, behind: bytes) -> bytes:
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    return b"glTF" + struct.pack("<II", 2, 5) + chunks + behind


@pytest.mark.parametrize(("padding", "behind"), [(b"\0" * 8, b""), (b"", b"more bytes behind")])
def test_a_glb_that_is_padded_or_followed_otherwise_is_read(
    tmp_path: Path, padding: bytes, behind: bytes
) -> None:
    source = sample("plain", tmp_path)
    gltf = read_gltf(source.read_bytes(), tmp_path)
    text = json.dumps(gltf.doc).encode()
    source.write_bytes(packed(text + padding, gltf.buffers[0], behind))
    assert open_mesh(source).corners.triangles == 2


@pytest.mark.parametrize("normalized", [False, True])
def test_uvs_that_a_packer_made_whole_numbers_are_where_they_were(
    tmp_path: Path, normalized: bool
) -> None:
    """As meshoptimizer writes them: 12 bits, and a texture transform that widens them."""
    scale, draft = (65535 / 4095 if normalized else 1 / 4095), Draft()
    part = draft.primitive(None, material=0)
    rows = np.round(UV * 4095).astype(np.uint16)
    part["attributes"]["TEXCOORD_0"] = draft.numbers(rows, normalized=normalized)
    moved = {"KHR_texture_transform": {"scale": [scale, scale]}}
    base = {"index": draft.image(), "extensions": moved}
    draft.mesh(part)
    draft.doc["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": base}}]
    more = {k: draft.doc[k] for k in draft.doc}
    data = base64.b64encode(bytes(draft.binary)).decode()
    more["buffers"] = [{"byteLength": len(draft.binary), "uri": f"data:;base64,{data}"}]
    (tmp_path / "mesh.gltf").write_text(json.dumps(more))
    file = open_mesh(tmp_path / "mesh.gltf")
    seen = np.unique(file.corners.uv, axis=0)
    assert seen == pytest.approx(np.unique(UV * [1, -1] + [0, 1], axis=0), abs=1e-3)
    done = painted(file, tmp_path / "out", maps=True)
    assert done.kept.max_uv_delta == 0
    doc = read_gltf((tmp_path / "out" / "mesh.glb").read_bytes(), tmp_path).doc
    surface = doc["materials"][0]["pbrMetallicRoughness"]
    for name in ("baseColorTexture", "metallicRoughnessTexture"):
        assert surface[name]["extensions"] == moved


BROKEN = [
    {"images": 5}, {"images": [None]}, {"textures": {"a": 1}}, {"materials": [None]},
    {"materials": [{"pbrMetallicRoughness": []}]}, {"materials": [{"extensions": []}]},
    {"materials": [{"pbrMetallicRoughness": {"baseColorFactor": [1]}}]},
]  # fmt: skip


@pytest.mark.parametrize("more", BROKEN)
def test_materials_that_cannot_be_painted_are_refused_before_the_job(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    with pytest.raises(RequestError) as refused:
        open_mesh(written(tmp_path, more, make=materials))
    assert refused.value.code is ErrorCode.FILE


def test_triangles_that_name_vertices_by_other_numbers_are_refused(tmp_path: Path) -> None:
    draft = Draft()
    for rows in (np.array([0, 1, 2], np.float32), np.array([0, 1, -1], np.int16)):
        draft.mesh({**draft.primitive(), "indices": draft.numbers(rows)})
    draft.doc["nodes"] = [{"mesh": 0}, {"mesh": 1}]
    draft.doc["buffers"] = [{"byteLength": len(draft.binary)}]
    for which in (0, 1):
        draft.doc["scenes"] = [{"nodes": [which]}]
        (tmp_path / "a.glb").write_bytes(glb(draft.doc, bytes(draft.binary)))
        with pytest.raises(RequestError, match="not counts"):
            open_mesh(tmp_path / "a.glb")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cloud.ply", "element vertex 2\nproperty float x\nproperty float y\nproperty float z\n"),
        ("lines.obj", "v 0 0 0\nv 1 0 0\nl 1 2\n"),
    ],
)
def test_points_and_lines_are_told_as_what_they_are(tmp_path: Path, name: str, text: str) -> None:
    if name.endswith(".ply"):
        text = f"ply\nformat ascii 1.0\n{text}end_header\n0 0 0\n1 0 0\n"
    (tmp_path / name).write_text(text)
    with pytest.raises(RequestError, match="2 vertices and no faces") as refused:
        open_mesh(tmp_path / name)
    assert refused.value.code is ErrorCode.BAD_MESH


def test_nothing_to_paint_is_bad_input_and_not_done(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    words = [str(tmp_path), "--prompt", "clay", "--out", str(tmp_path / "out")]
    for path in (str(tmp_path), ""):
        with pytest.raises(RequestError) as refused:
            main([path, *words[1:]])
        assert exit_code(refused.value) is Exit.BAD_INPUT


def test_of_several_scenes_the_default_one_is_painted_and_said(tmp_path: Path) -> None:
    more = {"nodes": [{"mesh": 0, "name": "a"}, {"mesh": 0, "name": "b"}], "scene": 1}
    file = open_mesh(written(tmp_path, more | {"scenes": [{"nodes": [0]}, {"nodes": [1]}]}))
    assert list(file.names.values()) == ["b"]
    assert any("2 scenes" in said for said in file.corners.warnings)


TRIANGLE = "0 0 0\n1 0 0\n0 1 0\n"
HEAD = (
    "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
    "property float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
)
PLY = {
    "a mark before": "\ufeff" + HEAD,
    "a comment of the end": HEAD.replace("element face", "comment end_header comes\nelement face"),
    "large letters": HEAD.replace("float", "Float32"),
    "another name": HEAD.replace("vertex_indices", "vertex_indexes"),
    "wide numbers": HEAD.replace("uchar int", "int64 uint64"),
}


@pytest.mark.parametrize("written", PLY)
def test_a_ply_as_some_program_writes_it_is_read(tmp_path: Path, written: str) -> None:
    (tmp_path / "mesh.ply").write_text(PLY[written] + TRIANGLE + "3 0 1 2\n", "utf-8")
    assert open_mesh(tmp_path / "mesh.ply").corners.triangles == 1


@pytest.mark.parametrize(("face", "said"), [("3 0 1 -1", "vertex -1"), ("3 0 1.5 2", "half")])
def test_a_ply_face_that_names_no_vertex_is_quoted(tmp_path: Path, face: str, said: str) -> None:
    (tmp_path / "mesh.ply").write_text(HEAD + TRIANGLE + face + "\n")
    with pytest.raises(RequestError, match=said):
        open_mesh(tmp_path / "mesh.ply")
