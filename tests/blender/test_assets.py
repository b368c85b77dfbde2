"""Files of other programs through real Blender: read, painted, and written again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.tools.assets.assets import open_asset
from underpaint_daemon.tools.assets.cli_objects import object_prompts
from underpaint_daemon.tools.assets.export import export
from underpaint_daemon.tools.meshes.files import MeshFile
from underpaint_daemon.tools.meshes.layout import tile_numbers
from underpaint_daemon.tools.meshes.wear import wear

from helpers.blender.asset_script import blender_says

pytestmark = [pytest.mark.blender, pytest.mark.slow, pytest.mark.timeout(1000)]
SCRIPT = Path(__file__).parent / "inside" / "shared" / "asset_files.py"
NAMES = {"W\u00fcrfel", "\u041a\u0443\u0433\u0435\u043b\u044c", "Plate", "Mirrored plate"}
BOX, BALL, PLATE = "W\u00fcrfel", "\u041a\u0443\u0433\u0435\u043b\u044c", "Plate"
KINDS = ("blend", "glb", "fbx")
COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("Pr\u00fcfung \u4e2d\u6587")
    blender_says(SCRIPT, "make", str(made))
    return made


@pytest.fixture(scope="module")
def files(folder):
    return {kind: open_asset(folder / f"asset.{kind}") for kind in KINDS}


@pytest.fixture(scope="module")
def painted(folder, files):
    """Each file's objects in plain colours by tile, as .glb and .fbx, with maps and without."""
    looks = {}
    for kind, file in files.items():
        for maps in (False, True):
            textures = {}
            for tile in tiles(file).values():
                textures[tile] = {"base_color": plain(folder, f"c{tile}", COLOURS[tile - 1001])}
                if maps:
                    textures[tile] |= {
                        "orm": plain(folder, "orm", (255, 128, 64)),
                        "roughness": plain(folder, "roughness", (128,) * 3),
                        "metallic": plain(folder, "metallic", (64,) * 3),
                        "normal": plain(folder, "normal", (128, 128, 255)),
                    }
            out = folder / f"{kind}_{'maps' if maps else 'plain'}"
            out.mkdir()
            corners = file.corners
            bare = corners.bare if file.uvs_made is None else file.uvs_made
            worn = wear(file.polygons, corners.source, corners.uv, bare, textures, file.own)
            done = export(file, worn, out, ("glb", "fbx"))
            assert done.problems == []
            for end in ("glb", "fbx"):
                name = f"{out.name}.{end}"
                looks[name] = (out / f"asset.{end}").rename(folder / name)
    looks |= {"asset.glb": folder / "asset.glb"}
    blender_says(SCRIPT, "look", str(folder / "look.json"), *map(str, looks.values()))
    return json.loads((folder / "look.json").read_text("utf-8"))


def tiles(file: MeshFile) -> dict[str, int]:
    """The tile of each object."""
    numbers = tile_numbers(file.corners.uv)
    ids = file.corners.ids[::3, 0]
    return {name: int(numbers[ids == number][0]) for number, name in file.names.items()}


def plain(folder: Path, name: str, color: tuple[int, ...]) -> Path:
    file = folder / f"{name}.png"
    Image.fromarray(np.full((16, 16, 3), color, np.uint8)).save(file)
    return file


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_read_with_its_objects_modifiers_and_places(files, kind) -> None:
    file = files[kind]
    assert set(file.names.values()) == NAMES, "the hidden one is not painted"
    assert file.corners.triangles > 6 * 4**2 + 200, "the modifier is applied"
    number = next(n for n, name in file.names.items() if name == PLATE)
    rows = file.corners.ids[:, 0] == number
    low, high = (getattr(file.corners.position[rows], pick)(0) for pick in ("min", "max"))
    assert np.allclose(low, (-3, -1, 0), atol=1e-3)
    assert np.allclose(high, (-1, 1, 0), atol=1e-3)
    # A glb says that the two plates are one mesh: they stay one, and wear one paint.
    assert len(set(tiles(file).values())) == (3 if kind == "glb" else 4)


def test_an_object_is_found_by_its_name_in_any_script(files) -> None:
    for file in files.values():
        (asked,) = object_prompts([f"{BALL}=polished gold"], file.names)
        assert file.names[asked.object_id] == BALL
        with pytest.raises(RequestError) as refused:
            object_prompts(["Kugel=gold"], file.names)
        assert refused.value.code is ErrorCode.BAD_REQUEST
        assert BALL in refused.value.hint


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("out", ["glb", "fbx"])
def test_the_paint_is_on_the_artists_own_objects(files, painted, kind, out) -> None:
    look = painted[f"{kind}_plain.{out}"]
    assert set(look) == NAMES
    for name, tile in tiles(files[kind]).items():
        wanted = np.array(COLOURS[tile - 1001]) / 255
        assert np.allclose(look[name]["inputs"]["Base Color"], wanted, atol=0.01), name
        bounds = painted["asset.glb"][name]["bounds"]
        assert np.allclose(look[name]["bounds"], bounds, atol=2e-3), name
    assert look[BALL]["parent"] == BOX
    assert look[BOX]["faces"] >= 96
    # What was not painted stays.
    assert np.allclose(look[BOX]["inputs"]["Normal"], (0.4, 0.6, 1.0), atol=0.01)
    assert look[BALL]["inputs"]["Normal"] is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("out", ["glb", "fbx"])
def test_maps_are_wired_as_each_format_has_them(painted, kind, out) -> None:
    look = painted[f"{kind}_maps.{out}"]
    inputs = look[BOX]["inputs"]
    assert np.allclose(inputs["Normal"], (0.502, 0.502, 1.0), atol=0.01)
    orm = (1.0, 0.502, 0.251)
    roughness = orm if out == "glb" else (0.502,) * 3
    metallic = orm if out == "glb" else (0.251,) * 3
    assert np.allclose(inputs["Roughness"], roughness, atol=0.01)
    assert np.allclose(inputs["Metallic"], metallic, atol=0.01)


def test_a_file_that_blender_cannot_read_is_named(folder) -> None:
    broken = folder / "broken.glb"
    broken.write_bytes(b"glTF nonsense")
    with pytest.raises(RequestError) as refused:
        open_asset(broken)
    assert refused.value.code is ErrorCode.FILE
    assert refused.value.hint
