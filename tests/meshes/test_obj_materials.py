"""What an artist's MTL says beside the colour is said of the painted material, too."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from underpaint_daemon.tools.meshes.files import open_mesh
from underpaint_daemon.tools.meshes.gltf.file import read_gltf

from helpers.meshes.wearing import painted

SHEET = (
    "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
    "usemtl Green Leaf\nf 1/1 2/2 3/3\nusemtl plain\nf 1/1 3/3 4/4\n"
)
LEAF = (
    "# by hand\nnewmtl Green Leaf\nKa 0.1 0.1 0.1\nKd 0 1 0\nKs 0.5 0.5 0.5\nNs 96.0\nillum 2\n"
    "map_Kd old.png\nmap_Bump -bm 0.3 my bumps.png\nmap_d gone.png\nd 0.75\n"
)


def materials(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("newmtl "):
            lines = found.setdefault(line[7:], [])
        elif line:
            lines.append(line)
    return found


def written(folder: Path, head: str, ends: str = "\n") -> dict[str, list[str]]:
    source = folder / "in"
    source.mkdir()
    (source / "leaf.obj").write_bytes((head + SHEET).replace("\n", ends).encode())
    (source / "my leaf.mtl").write_bytes(LEAF.replace("\n", ends).encode())
    (source / "my bumps.png").write_bytes(b"a picture")
    assert painted(open_mesh(source / "leaf.obj"), folder / "out").problems == []
    return materials(folder / "out" / "leaf.mtl")


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_gloss_relief_and_opacity_stay(tmp_path: Path, ends: str) -> None:
    found = written(tmp_path, "mtllib my leaf.mtl\n", ends)
    (leaf,) = [lines for name, lines in found.items() if "Leaf" in name]
    assert leaf == [
        "Kd 1 1 1",
        "Ka 0.1 0.1 0.1",
        "Ks 0.5 0.5 0.5",
        "Ns 96.0",
        "illum 2",
        "map_Bump -bm 0.3 ../in/my bumps.png",
        "map_d gone.png",
        "d 0.75",
        "map_Kd texture_1001.png",
    ]
    (plain,) = [lines for name, lines in found.items() if "plain" in name]
    assert "Ks 0 0 0" in plain, "a material that no library has is written as before"


@pytest.mark.parametrize("head", ["", "mtllib nowhere.mtl\n", "mtllib .\n", "mtllib \n"])
def test_a_library_that_is_not_there_is_done_without(tmp_path: Path, head: str) -> None:
    found = written(tmp_path, head)
    assert all(lines[-1].startswith("map_Kd texture_100") for lines in found.values())
    assert all("illum 1" in lines for lines in found.values())


@pytest.mark.parametrize("mode", ["RGBA", "L"])
def test_what_opacity_cuts_out_of_an_obj_is_cut_out_of_its_glb(tmp_path: Path, mode: str) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "leaf.obj").write_text("mtllib leaf.mtl\n" + SHEET)
    (source / "leaf.mtl").write_text("newmtl Green Leaf\nmap_d my leaf.png\nnewmtl plain\n")
    picture = Image.new(mode, (8, 8), (9, 9, 9, 255) if mode == "RGBA" else 255)
    picture.paste((9, 9, 9, 0) if mode == "RGBA" else 0, (0, 0, 4, 8))
    picture.save(source / "my leaf.png")
    assert painted(open_mesh(source / "leaf.obj"), tmp_path / "out").problems == []
    gltf = read_gltf((tmp_path / "out" / "leaf.glb").read_bytes(), tmp_path)
    made = {m["name"]: m for m in gltf.doc["materials"]}
    assert made["Green_Leaf"]["alphaMode"] == "MASK"
    assert "alphaMode" not in made["plain"]
    for name, seen in (("Green_Leaf", 0), ("plain", 255)):
        number = made[name]["pbrMetallicRoughness"]["baseColorTexture"]["index"]
        image = gltf.doc["images"][gltf.doc["textures"][number]["source"]]
        view = gltf.doc["bufferViews"][image["bufferView"]]
        data = bytes(gltf.buffers[0])[view["byteOffset"] :][: view["byteLength"]]
        alpha = Image.open(io.BytesIO(data)).convert("RGBA").getchannel("A")
        assert (alpha.getpixel((1, 4)), alpha.getpixel((6, 4))) == (seen, 255)
