"""Files whose objects come from other files, and share names with local ones; several scenes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from underpaint.blenders import find_blenders
from underpaint.buffers import Buffers
from underpaint.cli.scene import capture
from underpaint.errors import ErrorCode, RequestError
from underpaint.files.viewfile import load_view
from underpaint_daemon.tools.assets.assets import open_asset
from underpaint_daemon.tools.meshes.gltf.file import read_gltf

from helpers.blender.asset_script import blender_says
from helpers.meshes.wearing import painted

pytestmark = [pytest.mark.blender, pytest.mark.slow, pytest.mark.timeout(600)]
SCRIPT = Path(__file__).parent / "inside" / "shared" / "asset_files.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("linked")
    blender_says(SCRIPT, "linked", str(made))
    return made


def test_a_linked_and_a_local_object_of_one_name_wear_their_own_paint(folder) -> None:
    file = open_asset(folder / "linked.blend")
    assert sorted(file.names.values()) == ["Box", "Box", "Box.001", "Lid"]
    done = painted(file, folder / "out")
    assert done.problems == []
    blender_says(SCRIPT, "look", str(folder / "look.json"), str(folder / "out" / "linked.glb"))
    found = json.loads((folder / "look.json").read_text("utf-8"))["linked.glb"]
    lid = found.pop("Lid")
    middle = {np.mean(item["bounds"], 0)[0].round(3): item for item in found.values()}
    assert set(middle) == {-3.0, 0.0, 3.0}
    assert found[lid["parent"]] == middle[-3.0]
    ids, (x, _, z) = file.corners.ids[:, 0], file.corners.position.T
    for place, item in middle.items():
        (number,) = np.unique(ids[(np.abs(x - place) < 1) & (z < 1)])
        tile = 1001 + int(file.corners.uv[ids == number][0, 0])
        worn = np.array(item["inputs"]["Base Color"]) * 255
        assert abs(worn[0] - tile % 256) <= 1, (place, item)


def test_of_several_scenes_the_active_one_is_painted_and_written(folder) -> None:
    file = open_asset(folder / "linked.blend")
    (said,) = [text for text in file.corners.warnings if "scene" in text]
    assert "'Other'" in said
    painted(file, folder / "one")
    data = (folder / "one" / "linked.glb").read_bytes()
    doc = read_gltf(data, folder).doc
    assert len(doc["scenes"]) == 1
    drawn = [node["name"] for node in doc["nodes"] if "mesh" in node]
    assert len(drawn) == len(file.names), "nothing of the other scene"


def depths(folder: Path, camera: str) -> np.ndarray:
    out, buffers = folder / f"{camera}.npz", Buffers()
    blend = folder / "linked.blend"
    capture(find_blenders()[-1], blend, out, camera=camera, size="64x64", frame=None)
    return buffers[load_view(out, buffers).depth.sha256]


def test_a_camera_of_another_scene_shows_that_scene(folder) -> None:
    there = depths(folder, "Far eye")
    rows, columns = np.nonzero(np.isfinite(there))
    assert abs(there[rows, columns].min() - 39.5) < 1e-3
    assert columns.mean() > 32, "the scene's own box, to the right, and not the linked one"
    linked = depths(folder, "Eye")
    assert abs(linked[32, 32] - 8) < 1e-3, "the lid of the linked box"


def test_a_camera_that_is_not_there_is_named_with_those_that_are(folder) -> None:
    with pytest.raises(RequestError, match=r"Nose.*Far eye, Eye \[library.blend\]") as refused:
        depths(folder, "Nose")
    assert refused.value.code is ErrorCode.CAPTURE_FAILED
