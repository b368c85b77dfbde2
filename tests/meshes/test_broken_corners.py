"""Corners and UVs that are nowhere or far out: what is sound is painted, and the rest is named."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from underpaint.errors import RequestError
from underpaint_daemon.tools.meshes.files import MeshFile, open_mesh

from helpers.meshes.gltf_draft import POINTS, UV, Draft
from helpers.meshes.wearing import glb, painted

SIDE = 12
HOUSE = (500_000.25, 5_400_000.5, 120.0)


def grid(moved: tuple[float, float, float] = (0, 0, 0), **broken: str) -> str:
    """A sheet of SIDE² quads, as OBJ. broken: lines instead of others, as `v_8="v nan 0 0"`."""
    steps = [(x, y) for y in range(SIDE + 1) for x in range(SIDE + 1)]
    at = np.array([[x / 7, y / 7, (x * y % 5) / 9] for x, y in steps]) + moved
    lines = {f"v_{i}": f"v {x:.17g} {y:.17g} {z:.17g}" for i, (x, y, z) in enumerate(at, 1)}
    lines |= {f"vt_{i}": f"vt {x / SIDE:.9g} {y / SIDE:.9g}" for i, (x, y) in enumerate(steps, 1)}
    for i, (x, y) in enumerate(steps):
        if x < SIDE and y < SIDE:
            corners = (n + 1 for n in (i, i + 1, i + SIDE + 2, i + SIDE + 1))
            lines[f"f_{i}"] = "f " + " ".join(f"{n}/{n}" for n in corners)
    return "\n".join((lines | broken).values()) + "\n"


def opened(folder: Path, text: str) -> MeshFile:
    path = folder / "sheet.obj"
    path.write_text(text)
    return open_mesh(path)


@pytest.mark.parametrize("place", ["nan 0 0", "inf 0 0", "0 1e39 0", "0 0 -1e13"])
def test_one_vertex_that_is_nowhere_is_named_and_the_rest_is_painted(
    tmp_path: Path, place: str
) -> None:
    file = opened(tmp_path, grid(v_30=f"v {place}"))
    whole = 2 * SIDE**2
    assert whole - 8 < file.corners.triangles < whole
    assert np.isfinite(file.corners.normal).all()
    said = " ".join(file.corners.warnings)
    assert "vertex 30 " in said
    assert f"of {whole} triangles" in said
    done = painted(file, tmp_path / "out")
    assert not done.problems
    assert done.kept is not None
    assert done.kept.faces_out == whole
    assert done.kept.max_uv_delta == pytest.approx(0, abs=1e-6)
    assert "v " + place in (tmp_path / "out" / "sheet.obj").read_text()
    assert b"NaN" not in (tmp_path / "out" / "sheet.glb").read_bytes()


def test_a_broken_vertex_that_no_face_uses_is_nobodys_business(tmp_path: Path) -> None:
    file = opened(tmp_path, grid() + "v nan nan nan\n")
    assert file.corners.triangles == 2 * SIDE**2
    assert file.corners.warnings == ()


def test_a_mesh_that_is_broken_all_over_is_refused_by_its_first_vertex(tmp_path: Path) -> None:
    broken = {f"v_{i}": "v nan 0 0" for i in range(5, 170, 5)}
    with pytest.raises(RequestError, match=r"190 of 288 .* vertex 15 .*nan"):
        opened(tmp_path, grid(**broken))


def test_uvs_that_are_nowhere_are_made_and_the_others_stay(tmp_path: Path) -> None:
    file = opened(tmp_path, grid(vt_30="vt nan 0.5", vt_80="vt inf 0"))
    assert file.corners.bare.sum() in range(8, 13)
    done = painted(file, tmp_path / "out")
    assert done.kept is not None
    assert done.kept.max_uv_delta == pytest.approx(0, abs=1e-6)


def test_uvs_that_are_nowhere_in_a_glb_leave_the_others_as_they_are(tmp_path: Path) -> None:
    draft, uv = Draft(), UV.copy()
    uv[3] = np.inf
    draft.mesh(draft.primitive(uv))
    draft.doc["buffers"] = [{"byteLength": len(draft.binary)}]
    path = tmp_path / "a.glb"
    path.write_bytes(glb(draft.doc, bytes(draft.binary)))
    file = open_mesh(path)
    assert file.corners.bare.tolist() == [False, True]
    done = painted(file, tmp_path / "out")
    assert done.kept is not None
    assert done.kept.max_uv_delta == pytest.approx(0, abs=1e-6)


def test_what_lies_far_off_is_named_and_makes_nothing_else_too_small(tmp_path: Path) -> None:
    file = opened(tmp_path, grid(v_30="v 1000000 0 0"))
    assert file.corners.triangles >= 2 * SIDE**2 - 6
    said = " ".join(file.corners.warnings)
    assert "vertex 30 " in said
    assert "far off" in said


@pytest.mark.parametrize("kind", [".obj", ".ply", ".glb"])
def test_a_house_far_from_the_origin_keeps_its_form(tmp_path: Path, kind: str) -> None:
    near = opened(tmp_path, grid()).corners.position
    far = opened(tmp_path, grid(HOUSE))
    if kind == ".ply":
        path = tmp_path / "a.ply"
        rows = np.array([line.split()[1:] for line in grid(HOUSE).splitlines() if line[:2] == "v "])
        faces = (far.polygons.corner[0].reshape(-1, 4)).astype(str)
        head = f"ply\nformat ascii 1.0\nelement vertex {len(rows)}\n"
        head += "".join(f"property double {axis}\n" for axis in "xyz")
        head += f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
        body = [*(" ".join(row) for row in rows), *("4 " + " ".join(f) for f in faces)]
        path.write_text(head + "\n".join(body) + "\n")
        far = open_mesh(path)
    elif kind == ".glb":
        draft = Draft()
        draft.mesh(draft.primitive())
        draft.doc["nodes"][0]["translation"] = list(HOUSE)
        draft.doc["buffers"] = [{"byteLength": len(draft.binary)}]
        path = tmp_path / "a.glb"
        path.write_bytes(glb(draft.doc, bytes(draft.binary)))
        far, near = open_mesh(path), POINTS[[0, 1, 2, 0, 2, 3]][:, [0, 2, 1]] * [1, -1, 1]
    edges = np.diff(far.corners.position.reshape(-1, 3, 3), axis=1)
    assert np.abs(edges - np.diff(near.reshape(-1, 3, 3), axis=1)).max() < 1e-5
    done = painted(far, tmp_path / "out")
    assert done.kept is not None
    assert done.kept.max_position_delta is not None
    assert done.kept.max_position_delta < 1e-6


def test_places_in_single_precision_lose_no_bit_far_out(tmp_path: Path) -> None:
    from underpaint_daemon.tools.meshes.origin import near_origin, whole

    rng = np.random.default_rng(3)
    places = (rng.random((1000, 3), np.float32) * 90 + [1e5, -3e6, 0]).astype(np.float32)
    local, origin = near_origin(places.astype(np.float64))
    assert all(origin[:2])
    assert origin[2] == 0
    assert np.array_equal(whole(local, origin).astype(np.float32), places)


def test_meshes_that_no_scene_shows_are_told(tmp_path: Path) -> None:
    draft = Draft()
    draft.mesh(draft.primitive())
    draft.doc["nodes"] = [{"name": "nothing"}]
    draft.doc["buffers"] = [{"byteLength": len(draft.binary)}]
    path = tmp_path / "a.glb"
    path.write_bytes(glb(draft.doc, bytes(draft.binary)))
    with pytest.raises(RequestError, match="shows none of its 1 meshes"):
        open_mesh(path)


def test_small_parts_far_apart_are_told(tmp_path: Path) -> None:
    near, far = grid(), grid((100_000, 0, 0))
    count = (SIDE + 1) ** 2
    moved = re.sub(r"(\d+)/(\d+)", lambda m: f"{int(m[1]) + count}/{int(m[2]) + count}", far)
    (said,) = opened(tmp_path, near + moved).corners.warnings
    assert "far apart" in said
    assert opened(tmp_path, near).corners.warnings == ()
