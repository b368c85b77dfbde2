"""What a material's alpha cuts out stays cut out under the paint; what hides the paint is told."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from underpaint_daemon.tools.meshes.files import open_mesh
from underpaint_daemon.tools.meshes.gltf.file import read_gltf

from helpers.meshes.gltf_samples import Draft
from helpers.meshes.wearing import glb, painted

MOVED = {"KHR_texture_transform": {"scale": [2, 2]}}


def leaf(folder: Path, material: dict[str, Any], **info: Any) -> Path:
    """A sheet whose picture is clear on its left half."""
    picture, stream = Image.new("RGBA", (16, 16), (0, 200, 0, 255)), io.BytesIO()
    picture.paste((0, 0, 0, 0), (0, 0, 8, 16))
    picture.save(stream, "PNG")
    draft = Draft()
    texture = {"index": draft.image(stream.getvalue()), **info}
    surface = {"baseColorTexture": texture, **material.pop("pbrMetallicRoughness", {})}
    draft.mesh(draft.primitive(material=0))
    draft.doc["materials"] = [{"name": "Leaf", "pbrMetallicRoughness": surface, **material}]
    draft.doc["buffers"] = [{"byteLength": len(draft.binary)}]
    path = folder / "leaf.glb"
    path.write_bytes(glb(draft.doc, bytes(draft.binary)))
    return path


def alpha_of(path: Path) -> np.ndarray:
    """The alpha of the picture that a file's only material shows."""
    gltf = read_gltf(path.read_bytes(), path.parent)
    number = gltf.doc["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["index"]
    view = gltf.doc["bufferViews"][
        gltf.doc["images"][gltf.doc["textures"][number]["source"]]["bufferView"]
    ]
    data = gltf.buffers[0][view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[..., 3]


@pytest.mark.parametrize("mode", ["MASK", "BLEND"])
def test_a_leaf_keeps_its_outline(tmp_path: Path, mode: str) -> None:
    file = open_mesh(leaf(tmp_path, {"alphaMode": mode}))
    assert painted(file, tmp_path / "out").problems == []
    alpha = alpha_of(tmp_path / "out" / "leaf.glb")
    assert alpha.shape == (8, 8)
    assert (alpha[:, :3] == 0).all()
    assert (alpha[:, 5:] == 255).all()


def test_alpha_that_is_not_shown_cuts_nothing(tmp_path: Path) -> None:
    painted(open_mesh(leaf(tmp_path, {})), tmp_path / "out")
    assert (alpha_of(tmp_path / "out" / "leaf.glb") == 255).all()


@pytest.mark.parametrize(
    ("material", "info", "said"),
    [
        ({"alphaMode": "MASK"}, {"extensions": MOVED}, "covers all of its faces"),
        (
            {"alphaMode": "BLEND", "pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1, 0]}},
            {},
            "see-through",
        ),
    ],
)
def test_paint_that_will_not_look_as_before_is_told(
    tmp_path: Path, material: dict[str, Any], info: dict[str, Any], said: str
) -> None:
    (warning,) = open_mesh(leaf(tmp_path, material, **info)).corners.warnings
    assert "'Leaf'" in warning
    assert said in warning


def test_an_outline_in_a_picture_for_graphics_cards_is_told(tmp_path: Path) -> None:
    draft = Draft()
    texture = {"index": draft.image(b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(68))}
    draft.mesh(draft.primitive(material=0))
    surface = {"baseColorTexture": texture}
    draft.doc["materials"] = [{"alphaMode": "MASK", "pbrMetallicRoughness": surface}]
    draft.doc["buffers"] = [{"byteLength": len(draft.binary)}]
    (tmp_path / "a.glb").write_bytes(glb(draft.doc, bytes(draft.binary)))
    (warning,) = open_mesh(tmp_path / "a.glb").corners.warnings
    assert "KTX2" in warning


def test_levels_of_detail_are_told(tmp_path: Path) -> None:
    draft = Draft()
    draft.mesh(draft.primitive())
    draft.doc["nodes"] = [{"mesh": 0, "extensions": {"MSFT_lod": {"ids": [1]}}}, {"mesh": 0}]
    draft.doc["buffers"] = [{"byteLength": len(draft.binary)}]
    (tmp_path / "a.glb").write_bytes(glb(draft.doc, bytes(draft.binary)))
    (warning,) = open_mesh(tmp_path / "a.glb").corners.warnings
    assert "levels of detail" in warning
