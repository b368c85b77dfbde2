"""What goes in comes out: the mesh that wears its paint is the mesh that was given."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from underpaint.errors import RequestError
from underpaint_daemon.tools.meshes.files import open_mesh
from underpaint_daemon.tools.meshes.gltf.file import Gltf, raw_accessor, read_gltf

from helpers.meshes.gltf_draft import POINTS, ROWS
from helpers.meshes.gltf_samples import SAMPLES, sample
from helpers.meshes.wearing import painted

PUBLIC = Path(__file__).parents[3] / "shared" / "meshes"
FACES = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0.1 0.3 0.7\n"
UVS = "vt 0.1 0.2\nvt 0.7 0.2\nvt 0.7 0.7\nvt 0.3 0.9\n"
SHEET = "f 1/1 2/2 3/3\nf 1/1 3/3 4/4\n"
LATER = "vt 0.5 0.5\nf 1/5 2/2 5/-1\n"
OBJ = {
    "a sheet of two sides": FACES + UVS + SHEET + "f 3/3 2/2 1/1\nf 4/4 3/3 1/1\n",
    "a sheet without UVs": FACES + "f 1 2 3\nf 1 3 4\nf 3 2 1\nf 4 3 1\n",
    "vertices in one place": FACES + FACES + "f 1 2 3\nf 6 7 8\nf 1 3 4 5\n",
    "some faces without UVs": FACES + UVS + "f 1/1 2/2 3/3\nf 1 3 4\nf 3 4 5\n" + LATER,
    "an L": "v 0 0 0\nv 2 0 0\nv 2 1 0\nv 1 1 0\nv 1 2 0\nv 0 2 0\nf 1 2 3 4 5 6\n",
    "two materials": FACES + UVS + "usemtl a b\nf 1/1 2/2 3/3\nusemtl c\nf 1/1 3/3 4/4\n",
    "tiles": FACES + UVS + "vt 1.2 0\nvt 1.8 0\nvt 1.5 1\nusemtl m\nf 1/1 2/2 3/3\nf 1/5 3/6 4/7\n",
    "counting back": "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\nv 1 1 0\nf -3 -1 -2\n",
    "normals": FACES + UVS + "vn 0 0 1\nvn 0 1 0\nf 1/1/1 2/2/1 3/3/2\nf 1//1 3//2 4//1\n",
    "objects of one name": "o a\n" + FACES + "f 1 2 3\no b\nf 1 3 4\no a\nf 3 4 5\n",
    "a face without area": FACES + UVS + "f 1/1 2/2 3/3\nf 1/1 1/1 3/3\nf 1/1 3/3 4/4\n",
}  # fmt: skip


@pytest.mark.parametrize("shape", OBJ)
@pytest.mark.parametrize("up", ["y", "z"])
def test_an_obj_keeps_its_faces_places_and_uvs(tmp_path: Path, shape: str, up: str) -> None:
    source = tmp_path / "mesh.obj"
    source.write_text(OBJ[shape])
    file = open_mesh(source, up)
    done = painted(file, tmp_path / "out")
    assert done.problems == []
    assert done.kept.faces_in == done.kept.faces_out == len(file.polygons.triangles[1])
    assert done.kept.max_position_delta == 0
    assert done.kept.max_uv_delta <= 6e-8, "glTF counts V from the top"
    again = open_mesh(tmp_path / "out" / "mesh.obj", up)
    assert np.array_equal(again.polygons.position, file.polygons.position)
    assert sorted(again.names.values()) == sorted(file.names.values())


def test_an_objs_other_lines_stay_as_they_are(tmp_path: Path) -> None:
    text = "# mine\nmtllib old.mtl\no Box\nv 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 1 1 0 0 0 1\nv 0 1 0\n"
    text += "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\ns 1\nusemtl Stone\nf 1/1 2/2 3/3 4/4\nl 1 3\n"
    (tmp_path / "mesh.obj").write_text(text)
    painted(open_mesh(tmp_path / "mesh.obj"), tmp_path / "out")
    lines = (tmp_path / "out" / "mesh.obj").read_text().splitlines()
    kept = [line for line in text.splitlines() if not line.startswith(("mtllib", "usemtl"))]
    assert [line for line in lines if line in kept] == kept
    assert "usemtl Stone" in lines
    assert "map_Kd texture_1001.png" in (tmp_path / "out" / "mesh.mtl").read_text()


def parts(path: Path) -> Gltf:
    return read_gltf(path.read_bytes(), path.parent)


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("maps", [False, True])
def test_of_a_glb_only_the_images_change(tmp_path: Path, kind: str, maps: bool) -> None:
    source = sample(kind, tmp_path)
    done = painted(open_mesh(source), tmp_path / "out", maps=maps)
    assert done.problems == []
    assert (done.kept.faces_in, done.kept.max_position_delta) == (done.kept.faces_out, 0)
    assert done.kept.max_uv_delta == 0 or kind.endswith("without UVs")
    before, after = parts(source), parts(tmp_path / "out" / f"{source.stem}.glb")
    for number in range(len(before.doc["accessors"])):
        assert np.array_equal(raw_accessor(before, number), raw_accessor(after, number)), number
        old, new = before.doc["accessors"][number], after.doc["accessors"][number]
        assert {k: v for k, v in old.items()} == new
    kept = ("nodes", "skins", "scenes", "animations", "cameras", "extensions", "extras")
    for name in (*kept, "extensionsUsed", "extensionsRequired"):
        assert after.doc.get(name) == before.doc.get(name), name
    assert len(after.doc["meshes"]) == len(before.doc["meshes"])
    for old, new in zip(before.doc["meshes"], after.doc["meshes"], strict=True):
        for a, b in zip(old["primitives"], new["primitives"], strict=False):
            attributes = {k: v for k, v in b["attributes"].items() if k in a["attributes"]}
            assert attributes == a["attributes"] or kind.endswith("without UVs")


def test_what_was_on_a_material_besides_stays(tmp_path: Path) -> None:
    source = sample("materials", tmp_path)
    painted(open_mesh(source), tmp_path / "out")
    before, after = parts(source), parts(tmp_path / "out" / "materials.glb")
    (old,), (new,) = before.doc["materials"], after.doc["materials"]
    for name in ("name", "normalTexture", "extensions", "alphaMode", "extras"):
        assert new[name] == old[name]
    assert new["pbrMetallicRoughness"]["baseColorTexture"]["texCoord"] == 1
    assert "extensions" not in new["pbrMetallicRoughness"]["baseColorTexture"]
    assert new["pbrMetallicRoughness"]["baseColorFactor"] == [1, 1, 1, 0.5]


def test_an_image_that_nothing_shows_any_more_leaves_the_file(tmp_path: Path) -> None:
    source = sample("a large image", tmp_path)
    painted(open_mesh(source), tmp_path / "out")
    after = tmp_path / "out" / f"{source.stem}.glb"
    assert source.stat().st_size > 100_000 > after.stat().st_size
    assert b"LARGE" not in after.read_bytes()


def test_five_wheels_stay_one_mesh(tmp_path: Path) -> None:
    source = sample("instances", tmp_path)
    file = open_mesh(source)
    painted(file, tmp_path / "out")
    after = parts(tmp_path / "out" / f"{source.stem}.glb")
    assert len(file.names) == 5
    assert len(after.doc["meshes"]) == 1
    assert [node["mesh"] for node in after.doc["nodes"]] == [0] * 5


def test_five_wheels_without_uvs_are_unwrapped_once_and_wear_the_same(tmp_path: Path) -> None:
    source = sample("instances without UVs", tmp_path)
    file = open_mesh(source)
    assert file.corners.triangles == 2, "one of them is painted"
    assert list(file.names.values()) == ["1"], "the largest: the first has no size"
    assert painted(file, tmp_path / "out").kept.max_uv_delta < 1e-6
    after = parts(tmp_path / "out" / f"{source.stem}.glb")
    assert len(after.doc["meshes"]) == 1
    assert [node["mesh"] for node in after.doc["nodes"]] == [0] * 5
    for end in ("obj", "glb"):
        again = open_mesh(tmp_path / "out" / f"{source.stem}.{end}").polygons
        place = again.corner_positions.reshape(5, 6, 3)
        uv = again.corner_uvs.reshape(5, 6, 2)
        wheels = [
            {
                (*np.abs(place[n, k, :2] - (3 * n, 0)) / (1 + (n == 1), 1), *uv[n, k].round(5))
                for k in range(6)
            }
            for n in range(1, 5)
        ]
        assert len(wheels[0]) == 6, "every corner has a place in the image"
        assert all(wheel == wheels[0] for wheel in wheels), end


def test_what_a_node_instances_stands_where_each_instance_does(tmp_path: Path) -> None:
    source = sample("gpu instances", tmp_path)
    file = open_mesh(source)
    assert list(file.names.values()) == ["Thing"], "an object"
    assert file.corners.triangles == 6
    place = file.polygons.corner_positions.reshape(3, 6, 3)
    assert np.allclose(place[0], POINTS[ROWS] + (0, 10, 0))
    x, y, z = 2 * POINTS[ROWS].T
    assert np.allclose(place[1], np.stack([3 - y, 10 + x, z], axis=1), atol=1e-6)
    mirrored = POINTS[ROWS].reshape(-1, 3, 3)[:, [0, 2, 1]].reshape(-1, 3)
    assert np.allclose(place[2], mirrored * (-1, 1, 1) + (0, 10, 5))
    painted(file, tmp_path / "out")
    before, after = parts(source), parts(tmp_path / "out" / f"{source.stem}.glb")
    assert (after.doc["nodes"], len(after.doc["meshes"])) == (before.doc["nodes"], 1)


def test_instances_without_uvs_are_unwrapped_once(tmp_path: Path) -> None:
    assert open_mesh(sample("gpu instances without UVs", tmp_path)).corners.triangles == 2


@pytest.mark.parametrize("wrong", [{"TRANSLATION": 1}, {"SCALE": 0, "ROTATION": 1}, {}, 5, None])
def test_instances_that_are_none_are_refused(tmp_path: Path, wrong: object) -> None:
    extension = {"EXT_mesh_gpu_instancing": {"attributes": wrong}}
    nodes = [{"mesh": 0, "extensions": extension}]
    with pytest.raises(RequestError, match="well-formed"):
        open_mesh(sample("plain", tmp_path, {"nodes": nodes}))


def test_other_looks_and_what_shines_stay_and_the_look_that_is_shown_is_painted(
    tmp_path: Path,
) -> None:
    source = sample("looks", tmp_path)
    painted(open_mesh(source), tmp_path / "out")
    before, after = parts(source), parts(tmp_path / "out" / "looks.glb")
    old, new = before.doc["materials"], after.doc["materials"]
    assert new[1] == old[1], "the look that is not shown"
    for name in ("extensions", "emissiveTexture"):
        assert new[0][name] == old[0][name]
    primitive = after.doc["meshes"][0]["primitives"][0]
    assert primitive["extensions"] == before.doc["meshes"][0]["primitives"][0]["extensions"]
    assert after.doc["meshes"][0]["extras"] == {"from": "a shop"}
    texture = after.doc["textures"][new[0]["pbrMetallicRoughness"]["baseColorTexture"]["index"]]
    assert after.doc["images"][texture["source"]]["mimeType"] == "image/png"


def test_plain_data_beside_compressed_data_is_read_and_written(tmp_path: Path) -> None:
    source = sample("compressed as well", tmp_path)
    file = open_mesh(source)
    assert np.array_equal(file.polygons.corner_positions, POINTS[ROWS])
    assert painted(file, tmp_path / "out").kept.max_position_delta == 0
    after = parts(tmp_path / "out" / f"{source.stem}.glb")
    assert "compression" not in json.dumps(after.doc)
    assert "extensionsUsed" not in after.doc


@pytest.mark.parametrize("name", ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "X_y"])
def test_an_extension_that_is_not_understood_is_named(tmp_path: Path, name: str) -> None:
    source = sample("plain", tmp_path, {"extensionsRequired": [name], "extensionsUsed": [name]})
    with pytest.raises(RequestError, match=name):
        open_mesh(source)


def public() -> list[Path]:
    found = [p for p in PUBLIC.rglob("*") if p.suffix in (".obj", ".ply", ".glb")]
    return sorted(p for p in found if p.stat().st_size < 120_000)


@pytest.mark.skipif(not public(), reason="needs the shared folder of public meshes")
def test_public_meshes_come_out_as_they_went_in(tmp_path: Path) -> None:
    """Prints faces and differences of each (`-s`)."""
    told, refused = {}, {}
    for number, path in enumerate(public()):
        try:
            file = open_mesh(path)
        except RequestError as error:
            refused[path.name] = error.message
            continue
        done = painted(file, tmp_path / str(number))
        assert done.problems == [], path.name
        told[path.name] = done.kept.measures
        assert done.kept.faces_in == done.kept.faces_out, path.name
        assert done.kept.max_position_delta == 0, path.name
        assert done.kept.max_uv_delta <= 6e-8, path.name
    print(json.dumps(told, indent=1))
    assert all("no faces" in said or "no triangles" in said for said in refused.values())
    assert len(told) >= 20
