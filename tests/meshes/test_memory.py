"""Reading a mesh takes at most four times its file."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from underpaint_daemon.tools.meshes.files import open_mesh
from underpaint_daemon.tools.meshes.gltf.file import read_gltf
from underpaint_daemon.tools.meshes.gltf.scene import read_scene
from underpaint_daemon.tools.meshes.obj import read_obj
from underpaint_daemon.tools.meshes.ply import read_ply

MOST = 4.0
_SIDE = 240


def _grid() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, UVs and quads of a bent sheet."""
    u, v = np.meshgrid(np.linspace(0, 1, _SIDE), np.linspace(0, 1, _SIDE))
    points = np.stack([u, v, np.sin(3 * u) * v], axis=-1).reshape(-1, 3).astype(np.float32)
    at = np.arange(_SIDE * _SIDE).reshape(_SIDE, _SIDE)
    quads = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], axis=-1)
    return points, np.stack([u, v], axis=-1).reshape(-1, 2).astype(np.float32), quads.reshape(-1, 4)


def _lines(rows: np.ndarray, form: str) -> str:
    return "".join(form % tuple(row) for row in rows.tolist())


def obj() -> bytes:
    points, uv, quads = _grid()
    text = _lines(points, "v %.6f %.6f %.6f\n") + _lines(uv, "vt %.6f %.6f\n")
    return (text + _lines(np.repeat(quads + 1, 2, axis=1), "f %d/%d %d/%d %d/%d %d/%d\n")).encode()


def plain_obj() -> bytes:
    points, _, quads = _grid()
    return (_lines(points, "v %.6f %.6f %.6f\n") + _lines(quads + 1, "f %d %d %d %d\n")).encode()


def _triangles(quads: np.ndarray) -> np.ndarray:
    return np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])


def scan_obj() -> bytes:
    """As scanners write them: triangles, and places in seven digits."""
    points, uv, quads = _grid()
    text = _lines(points * 100, "v %.7f %.7f %.7f\n") + _lines(uv, "vt %.7f %.7f\n")
    corners = np.repeat(_triangles(quads) + 1, 2, axis=1)
    return (text + _lines(corners, "f %d/%d %d/%d %d/%d\n")).encode()


def _ply(kind: str, body: bytes, faces: int = (_SIDE - 1) ** 2) -> bytes:
    points = _grid()[0]
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    return (
        f"ply\nformat {kind} 1.0\nelement vertex {len(points)}\n{axes}"
        f"element face {faces}\nproperty list uchar int vertex_indices\nend_header\n"
    ).encode() + body


def text_ply() -> bytes:
    points, _, quads = _grid()
    text = _lines(points, "%.6f %.6f %.6f\n") + _lines(quads, "4 %d %d %d %d\n")
    return _ply("ascii", text.encode())


def ply() -> bytes:
    points, _, quads = _grid()
    faces = np.zeros(len(quads), [("n", "u1"), ("v", "<i4", 4)])
    faces["n"], faces["v"] = 4, quads
    return _ply("binary_little_endian", points.tobytes() + faces.tobytes())


def scan_ply() -> bytes:
    points, _, quads = _grid()
    rows = _triangles(quads)
    faces = np.zeros(len(rows), [("n", "u1"), ("v", "<i4", 3)])
    faces["n"], faces["v"] = 3, rows
    body = points.tobytes() + faces.tobytes()
    return _ply("binary_little_endian", body, len(rows))


def glb() -> bytes:
    points, uv, quads = _grid()
    rows = _triangles(quads).astype("<u4")
    parts = [points.tobytes(), points.tobytes(), uv.tobytes(), rows.tobytes()]
    kinds = [("VEC3", 5126), ("VEC3", 5126), ("VEC2", 5126), ("SCALAR", 5125)]
    counts, views, at = [len(points)] * 3 + [rows.size], [], 0
    for part in parts:
        views.append({"buffer": 0, "byteOffset": at, "byteLength": len(part)})
        at += len(part)
    attributes = {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2}
    doc = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": attributes, "indices": 3}]}],
        "buffers": [{"byteLength": at}],
        "bufferViews": views,
        "accessors": [
            {"bufferView": i, "type": kind, "componentType": code, "count": count}
            for i, ((kind, code), count) in enumerate(zip(kinds, counts, strict=True))
        ],
    }
    text = json.dumps(doc).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I", len(text)) + b"JSON" + text + struct.pack("<I", at) + b"BIN\0"
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks) + at) + chunks + b"".join(parts)


READERS: dict[str, tuple[Callable[[], bytes], Callable[[bytes], object]]] = {
    "obj": (obj, read_obj),
    "obj without UVs": (plain_obj, read_obj),
    "obj of a scan": (scan_obj, read_obj),
    "ply as text": (text_ply, read_ply),
    "ply": (ply, read_ply),
    "ply of a scan": (scan_ply, read_ply),
    "glb": (glb, lambda data: read_scene(read_gltf(data, Path()))),
}


@pytest.mark.parametrize("kind", READERS)
def test_reading_takes_at_most_four_times_the_file(kind: str) -> None:
    make, read = READERS[kind]
    data = make()
    read(data)  # what Python compiles and keeps is not the file's
    tracemalloc.start()
    read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST * len(data), f"{peak / len(data):.1f} times"


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("obj of a scan", MOST),
        ("obj", 5.5),
        ("obj without UVs", 8),
        ("glb", 9),
        ("ply of a scan", 8),
        ("ply", 12.5),
    ],
)
def test_a_mesh_made_ready_takes_a_bounded_multiple_of_its_file(
    tmp_path: Path, kind: str, most: float
) -> None:
    """Read, cut into triangles, checked, with normals: what the command holds at its worst. What a
    job is sent holds each corner by itself, 72 bytes a triangle and 96 with UVs; a file that lists
    corners by their numbers has 15 (PLY, quads), 19 (PLY, triangles) or 28 (glb)."""
    path = tmp_path / f"mesh.{kind[:3]}"
    path.write_bytes(READERS[kind][0]())
    open_mesh(path)
    tracemalloc.start()
    open_mesh(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{kind}: {peak / path.stat().st_size:.1f} times")
    assert peak < most * path.stat().st_size, f"{peak / path.stat().st_size:.1f} times"
