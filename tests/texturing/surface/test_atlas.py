"""The artist's UV layout as texels, good maps and bad ones; mesh files, good and broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.tools.evals.meshes import load_mesh
from underpaint_daemon.tools.evals.shapes import chair, fragmented_uv, room
from underpaint_daemon.tools.meshes.files import open_mesh
from underpaint_daemon.worker.texturing.surface.atlas import build_tile, tiles
from underpaint_daemon.worker.texturing.surface.reception import mesh_from_arrays
from underpaint_daemon.worker.texturing.surface.uvcheck import check_uvs

torch.set_num_threads(1)

UP = np.array([0, 0, 1])
QUAD = np.array([[0, 0], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1]], np.float32)


def flat(uv: np.ndarray = QUAD) -> tuple[np.ndarray, np.ndarray]:
    """A 2 m square in the XY plane, x = 2u, y = 2v where uv is the unit square."""
    return np.column_stack([QUAD * 2, np.zeros(6)]), uv


def test_a_texel_lies_where_its_centre_is_on_the_surface() -> None:
    points, uv = flat()
    tile = build_tile(mesh_from_arrays(points, None, uv * 0.5), 1001, 64)
    row, column = tile.index // 64, tile.index % 64
    u, v = (column + 0.5) / 64, 1 - (row + 0.5) / 64
    assert torch.allclose(tile.points.position[:, 0], u * 4, atol=1e-5)
    assert torch.allclose(tile.points.position[:, 1], v * 4, atol=1e-5)
    assert int(tile.core.sum()) == 32 * 32
    assert torch.allclose(tile.pitch, torch.tensor(4 / 64))


def test_a_ring_of_one_texel_surrounds_each_island() -> None:
    points, uv = flat()
    tile = build_tile(mesh_from_arrays(points, None, uv * 0.5 + 0.25), 1001, 64)
    image = tile.image(torch.ones(len(tile.index)))
    assert int(image.sum()) == 34 * 34
    assert len(torch.unique(tile.index)) == len(tile.index)


def test_every_udim_tile_gets_its_own_texels() -> None:
    points, uv = flat()
    shifted = [points + np.array([3 * i, 0, 0]) for i in range(3)]
    layout = [uv * 0.9 + 0.05, uv * 0.9 + [1.05, 0.05], uv * 0.9 + [0.05, 1.05]]
    mesh = mesh_from_arrays(np.concatenate(shifted), None, np.concatenate(layout))
    assert tiles(mesh) == [1001, 1002, 1011]
    for number, low in zip(tiles(mesh), (0, 3, 6), strict=True):
        x = build_tile(mesh, number, 32).points.position[:, 0]
        assert low - 0.2 < float(x.min()) < float(x.max()) < low + 2.2


def test_overlapping_and_mirrored_islands_are_told() -> None:
    points, uv = flat()
    mirrored = uv * [-1, 1] + [1, 0]
    mesh = mesh_from_arrays(
        np.concatenate([points, points + UP]), None, np.concatenate([uv, mirrored])
    )
    report = check_uvs(mesh)
    assert report.overlap > 0.99
    assert report.mirrored == pytest.approx(0.5)
    assert "two places" in report.warnings[0]
    assert check_uvs(chair()).warnings == ()
    assert check_uvs(fragmented_uv()).overlap == 0


def test_faces_without_uv_area_are_told() -> None:
    points, uv = flat()
    mesh = mesh_from_arrays(
        np.concatenate([points, points + UP]), None, np.concatenate([uv, uv * 0])
    )
    assert check_uvs(mesh).empty == pytest.approx(0.5)


@pytest.mark.parametrize("shape", [chair, fragmented_uv])
def test_a_mesh_without_uvs_is_unwrapped_with_a_word(shape) -> None:
    mesh = shape()
    bare = mesh_from_arrays(mesh.position.numpy(), mesh.normal.numpy(), None)
    assert "no UV map" in bare.warnings[-1]
    report = check_uvs(bare)
    assert report.overlap < 1e-3
    assert report.empty == 0
    assert float(bare.uv.min()) >= 0
    assert float(bare.uv.max()) <= 1


@pytest.mark.parametrize(
    ("break_it", "word"),
    [
        (lambda p: p * 0, "degenerate"),
        (lambda p: p[:0], "no triangles"),
        (lambda p: np.where(p == p.max(), np.nan, p), "nowhere"),
        (lambda p: np.where(p == p.max(), np.inf, p), "nowhere"),
        (lambda p: p[:4], "whole number"),
        (lambda p: p * 1e30, "real size|across"),
        (lambda p: p * 1e-20, "across"),
    ],
)
def test_a_mesh_that_cannot_be_painted_says_why(break_it, word) -> None:
    points, uv = flat()
    broken = break_it(points)
    with pytest.raises(RequestError, match=word) as caught:
        mesh_from_arrays(broken, None, uv[: len(broken)])
    assert caught.value.code is ErrorCode.BAD_MESH


def test_a_uv_map_that_is_not_a_number_says_which_fix() -> None:
    points, uv = flat()
    with pytest.raises(RequestError, match="uv is NaN") as caught:
        mesh_from_arrays(points, None, np.where(uv > 0.5, np.nan, uv))
    assert "Unwrap" in (caught.value.hint or "")


def test_degenerate_triangles_are_left_out_with_a_word() -> None:
    points, uv = flat()
    line = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]])
    mesh = mesh_from_arrays(np.concatenate([points, line]), None, np.concatenate([uv, QUAD[:3]]))
    assert mesh.triangles == 2
    assert "1 degenerate" in mesh.warnings[0]


def test_faces_that_point_inward_are_told() -> None:
    assert "room" in room().warnings[0]
    assert chair().warnings == ()


OBJ = b"""o one
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
f 1/1 2/2 3/3 4/4
o two
usemtl red
f -4/-4 -3/-3 -2/-2
"""


def test_an_obj_file_gives_triangles_objects_and_materials(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_bytes(OBJ)
    mesh = load_mesh(tmp_path / "a.obj", "z")
    assert mesh.triangles == 3
    assert mesh.ids[::3].tolist() == [[1, 1], [1, 1], [2, 2]]
    assert mesh.position[6:].tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]
    turned = load_mesh(tmp_path / "a.obj")
    assert turned.position[2].tolist() == [1, 0, 1]


@pytest.mark.parametrize("text", [b"v 0 0\nf 1 1 1\n", b"v 0 0 0\nf 1 2 3\n", b"v a b c\n", b"\0"])
def test_a_broken_obj_file_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.obj").write_bytes(text)
    with pytest.raises(RequestError):
        load_mesh(tmp_path / "a.obj")


def test_a_ply_file_reads_the_same_in_text_and_binary(tmp_path: Path) -> None:
    head = (
        "ply\nformat {} 1.0\nelement vertex 4\nproperty float x\nproperty float y\n"
        "property float z\nproperty float s\nproperty float t\nelement face 1\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    vertices = np.array([[0, 0, 0, 0, 0], [1, 0, 0, 1, 0], [1, 1, 0, 1, 1], [0, 1, 0, 0, 1]], "<f4")
    text = "\n".join(" ".join(map(str, row)) for row in vertices) + "\n4 0 1 2 3\n"
    (tmp_path / "a.ply").write_text(head.format("ascii") + text)
    faces = bytes([4]) + np.arange(4, dtype="<i4").tobytes()
    (tmp_path / "b.ply").write_bytes(
        head.format("binary_little_endian").encode() + vertices.tobytes() + faces
    )
    a, b = load_mesh(tmp_path / "a.ply"), load_mesh(tmp_path / "b.ply")
    assert torch.equal(a.position, b.position)
    assert torch.equal(a.uv, b.uv)
    assert a.triangles == 2


def test_an_unknown_file_names_what_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.step").write_text("ISO-10303-21;")
    with pytest.raises(RequestError, match=r"no mesh file") as refused:
        open_mesh(tmp_path / "a.step")
    assert ".glb" in refused.value.hint


def test_moving_triangles_about_does_not_move_texels() -> None:
    mesh = chair()
    tile = build_tile(mesh, 1001, 128)
    order = mesh.faces.flip(0).reshape(-1)
    turned = replace(mesh, position=mesh.position[order], uv=mesh.uv[order])
    other = build_tile(turned, 1001, 128)
    assert torch.equal(tile.index, other.index)
    assert torch.allclose(tile.points.position, other.points.position, atol=1e-4)
