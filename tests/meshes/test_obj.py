"""OBJ files as programs and people write them are read for what they mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.meshes.normals import winding
from underpaint_daemon.tools.meshes.files import MeshFile, open_mesh

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"
UVS = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
FACE = "f 1/1 2/2 3/3 4/4\n"


def read(folder: Path, text: str | bytes, up: str | None = "z") -> MeshFile:
    path = folder / "mesh.obj"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_mesh(path, up)


def area(file: MeshFile) -> float:
    return float(np.linalg.norm(winding(file.corners.position), axis=1).sum() / 2)


def polygon(points: list[tuple[float, float]]) -> str:
    lines = [f"v {x} {y} 0" for x, y in points]
    return "\n".join([*lines, "f " + " ".join(str(i + 1) for i in range(len(points)))])


SHAPES = {
    "an L": ([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)], 3.0),
    "a dart": ([(0, 0), (2, 1), (0, 2), (1, 1)], 1.0),
    "a dart that begins elsewhere": ([(1, 1), (0, 0), (2, 1), (0, 2)], 1.0),
    "a comb": (
        [(0, 0), (5, 0), (5, 3), (4, 3), (4, 1), (3, 1), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3),
         (0, 3)], 11.0,
    ),
    "clockwise": ([(0, 2), (1, 2), (1, 1), (2, 1), (2, 0), (0, 0)], 3.0),
    "corners in a row": ([(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)], 4.0),
    "a spiral": (
        [(0, 0), (7, 0), (7, 7), (1, 7), (1, 2), (5, 2), (5, 5), (3, 5), (3, 4), (4, 4), (4, 3),
         (2, 3), (2, 6), (6, 6), (6, 1), (0, 1)], 28.0,
    ),
    "a star of 200 corners": (
        [((2 - i % 2) * np.cos(i * np.pi / 100), (2 - i % 2) * np.sin(i * np.pi / 100))
         for i in range(200)], 100 * 2 * np.sin(np.pi / 100),
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_polygon_of_any_shape_is_covered_once(tmp_path: Path, shape: str) -> None:
    points, true = SHAPES[shape]
    x, y = np.array(points, float).T
    assert abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2) == pytest.approx(true)
    file = read(tmp_path, polygon(points))
    assert len(file.polygons.triangles[1]) == len(points) - 2
    assert area(file) == pytest.approx(true, rel=1e-5)
    up = winding(file.corners.position)[:, 2]
    assert (up > 0).all() or (up < 0).all()


SAME = {
    "carriage returns": (SQUARE + UVS + "f 1/1 2/2 3/3 4/4\n").replace("\n", "\r"),
    "Windows": (SQUARE + UVS + "f 1/1 2/2 3/3 4/4\n").replace("\n", "\r\n"),
    "UTF-16": (SQUARE + UVS + "f 1/1 2/2 3/3 4/4\n").encode("utf-16"),
    "UTF-8 with a mark": (SQUARE + UVS + "f 1/1 2/2 3/3 4/4\n").encode("utf-8-sig"),
    "tabs and blanks": (SQUARE + UVS).replace(" ", "\t  ") + "  f\t1/1  2/2 3/3 4/4  \n\n",
    "comments behind": SQUARE.replace("0\n", "0 # a corner\n") + UVS + "f 1/1 2/2 3/3 4/4 # all\n",
    "a line goes on": SQUARE + UVS + "f 1/1 2/2 \\\n3/3 4/4\n",
    "counting back": SQUARE + UVS + "f -4/-4 -3/-3 -2/-2 -1/-1\n",
    "both ways of counting": SQUARE + UVS + "f 1/1 -3/-3 3/3 -1/4\n",
    "colours": SQUARE.replace("0\n", "0 0.5 0.25 nan\n") + UVS + "f 1/1 2/2 3/3 4/4\n",
    "homogeneous": SQUARE.replace("0\n", "0 1.0\n") + UVS.replace("\n", " 0\n") + FACE,
    "number forms": "v 0. 0 -0\nv +1 .0 0e0\nv 1.0E+0 1 0\nv 0 10e-1 0\n" + UVS + FACE,
    "groups, lines and points": "g a b\ns off\n" + SQUARE + UVS + "l 1 2\np 1\nf 1/1 2/2 3/3 4/4",
    "UVs after the face": SQUARE + "f 1/1 2/2 3/3 4/4\n" + UVS,
    "a normal that is missing": SQUARE + UVS + "f 1/1/1 2/2/2 3/3/3 4/4/4\n",
}  # fmt: skip


@pytest.mark.parametrize("written", SAME)
def test_however_it_is_written_it_is_the_same_square(tmp_path: Path, written: str) -> None:
    file = read(tmp_path, SAME[written])
    corners = file.corners
    assert corners.triangles == 2
    assert not corners.bare.any()
    assert corners.position.tolist() == [
        [0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0],
    ]  # fmt: skip
    assert np.array_equal(corners.uv, corners.position[:, :2])


WRONG = {
    "a decimal comma": ("v 1,0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "comma"),
    "a word": ("v a b c\nf 1 1 1\n", "'a'"),
    "a blank of another script": ("v 0 0 0\u00a0\nf 1 1 1\n", "'0\\xa0'"),
    "two numbers": ("v 0 0\nf 1 1 1\n", "2 numbers"),
    "vertex 0": (SQUARE + "f 0 1 2\n", "vertex 0"),
    "a vertex too far": (SQUARE + "f 1 2 9\n", "vertex 9"),
    "counting back too far": (SQUARE + "f 1 2 -9\n", "counts back"),
    "a half number": (SQUARE + "f 1.5 2 3\n", "'1.5'"),
    "four parts": (SQUARE + "f 1/1/1/1 2 3\n", "1/1/1/1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_number_is_quoted(tmp_path: Path, what: str) -> None:
    text, said = WRONG[what]
    with pytest.raises(RequestError) as refused:
        read(tmp_path, text)
    assert refused.value.code is ErrorCode.FILE
    assert said in refused.value.message
    assert refused.value.hint


def test_faces_without_uvs_are_known_among_those_with(tmp_path: Path) -> None:
    file = read(tmp_path, SQUARE + UVS + "f 1/1 2/2 3/3\nf 1 3 4\n")
    assert file.corners.bare.tolist() == [False, True]


def test_materials_that_use_the_same_uvs_get_images_of_their_own(tmp_path: Path) -> None:
    text = (
        SQUARE + UVS + "usemtl a\nf 1/1 2/2 3/3\nusemtl b\nf 1/1 3/3 4/4\nusemtl a\nf 1/1 2/2 4/4\n"
    )
    file = read(tmp_path, text)
    assert file.own == {1001: 1001, 1002: 1001}
    tiles = np.floor(file.corners.uv.reshape(-1, 3, 2).mean(axis=1))[:, 0]
    assert tiles.tolist() == [0, 1, 0]


def test_objects_go_by_their_names_and_groups_where_there_are_none(tmp_path: Path) -> None:
    text = SQUARE + "f 1 2 3\ng Kopf\nf 1 3 4\n" + "g Fu\u00df\nf 1 2 4\n"
    assert set(read(tmp_path, text).names.values()) == {"Kopf", "Fu\u00df"}
    assert read(tmp_path, text.encode("cp1252")).names == read(tmp_path, text).names
    named = "o Body\n" + SQUARE + "g skin\nf 1 2 3\no Head\nf 1 3 4\n"
    assert read(tmp_path, named).names == {1: "Body", 2: "Head"}


@pytest.mark.parametrize(
    ("up", "comment", "there"),
    [("x", "", 0), ("y", "", 1), ("z", "", 2), (None, "", 1), (None, "# up_axis: Z\n", 2)],
)
def test_what_is_up_is_up(tmp_path: Path, up: str | None, comment: str, there: int) -> None:
    text = comment + "v 0 0 0\nv 2 0 0\nv 0 3 0\nv 0 0 5\nf 1 2 3\nf 1 3 4\nf 1 4 2\nf 2 4 3\n"
    file = read(tmp_path, text, up)
    assert file.corners.position[:, 2].max() == (2, 3, 5)[there]
    turned = file.corners.position.reshape(-1, 3, 3)[3].astype(float)
    assert np.linalg.det(turned) == pytest.approx(-30), "turned and not mirrored"
