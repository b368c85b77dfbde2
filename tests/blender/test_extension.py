"""The extension as a user gets it: the built zip, installed into real Blender, painting.

Each Blender runs in a process of its own; the behaviours are in `addon_behaviours.py`.
"""

from __future__ import annotations

import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import underpaint
from underpaint.events import Done
from underpaint.paths import user_paths

from helpers.blender.behaviour_lists import behaviours
from helpers.blender.running import end_daemon, painter, run, run_once, user_environment

pytestmark = [pytest.mark.blender, pytest.mark.timeout(1000)]
ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent / "inside"
SCRIPT = HERE / "panel" / "addon_behaviours.py"
TEXTURE_SCRIPT = HERE / "texture" / "texture_behaviours.py"
STARTER_SCRIPT = HERE / "panel" / "addon_starter.py"
RANDOM_SCRIPT = HERE / "deeds" / "addon_random.py"
RESTART_SCRIPT = HERE / "panel" / "addon_restart.py"


@pytest.fixture(scope="session")
def outcomes(blender, extension, tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("addon")
    return run(blender, SCRIPT, folder, extension, painter(folder))


@pytest.fixture(scope="session")
def texture_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("textures")


@pytest.fixture(scope="session")
def texture_outcomes(blender, extension, texture_folder) -> dict[str, str]:
    folder = texture_folder / blender.series
    folder.mkdir()
    return run(blender, TEXTURE_SCRIPT, folder, extension, painter(folder))


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", behaviours(SCRIPT))
def test_in_blender(outcomes, behaviour):
    assert outcomes[behaviour] == "", outcomes[behaviour]


@pytest.mark.slow
def test_nothing_breaks_whatever_is_done_while_it_paints(blender, extension, tmp_path):
    """200 random actions by seed; `underpaint-dev random` takes more seeds."""
    assert run(blender, RANDOM_SCRIPT, tmp_path, extension, painter(tmp_path), ["13"]) == {"13": ""}


@pytest.mark.slow
def test_what_ended_while_blender_was_closed_is_offered_at_its_next_start(
    blender, extension, tmp_path
):
    env = user_environment(tmp_path, painter(tmp_path))
    try:
        first = run_once(blender, RESTART_SCRIPT, tmp_path, env, [str(extension), "close"])
        with underpaint.connect(user_paths(env), start=False) as up:
            assert isinstance(list(up.job(first["job"]))[-1], Done)
        second = run_once(blender, RESTART_SCRIPT, tmp_path, env, [str(extension), "open"])
    finally:
        end_daemon(env)
    offered = {**first, "offered": True, "size": [256, 256], "still_left": 0}
    assert second == offered


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", behaviours(TEXTURE_SCRIPT))
def test_texturing_in_blender(texture_outcomes, behaviour):
    assert texture_outcomes[behaviour] == "", texture_outcomes[behaviour]


@pytest.mark.slow
def test_the_command_line_asks_for_the_same_texture_as_the_panel(
    blender, texture_outcomes, texture_folder
):
    """The panel's request and the scene it was made of, left by the behaviours."""
    from underpaint.requests import Prompt
    from underpaint.tree import to_json
    from underpaint_daemon.tools.assets.assets import open_asset
    from underpaint_daemon.tools.assets.cli_options import parsed
    from underpaint_daemon.tools.assets.folder import Asset
    from underpaint_daemon.tools.assets.request import build_request

    folder = texture_folder / blender.series
    blend = folder / "asked.blend"
    words = [str(blend), "--out", str(folder), "--method", "sequential", "--views", "4"]
    words += ["--view-size", "128", "--size", "64", "--sampler", "ddim", "--steps", "7"]
    words += ["--pattern-size", "0.4", "--own-uv"]
    args = parsed([*words, "--guidance", "3.3", "--seed", "5"])
    asset = Asset(blend, Prompt("steps=2 seconds=0.01", "blur"), folder, 5)
    _file, request, _buffers = build_request(open_asset(blend, blender), asset, args)
    assert to_json(request) == (folder / "panel.json").read_text()


@pytest.mark.slow  # minutes: in one series; the others differ only in what the rest tests
@pytest.mark.parametrize("blender", ["4.5"], indirect=True)
def test_the_starter_model_paints_pictures_and_textures_from_the_panel(
    blender, extension, tmp_path
):
    report = run(blender, STARTER_SCRIPT, tmp_path, extension, Path(sys.executable))
    assert report["colours"] > 1000, "a painting, not a flat field"
    assert report["inside_outside_difference"] > 0.05, "the head stands out from its background"
    assert report["redness"] > 0.05, "red clay is red"
    assert 0.02 < report["marked_by_a_click"] < 0.6, "one of four views"
    assert 0.02 < report["repainted_fraction"] < 0.5
    assert report["kept_difference"] < 1.5 / 255, "what was not selected stays"
    assert report["repainted_blueness"] > -report["redness"], "and what was, is bluer"
    assert report["layers_after_flatten"] == 1


def test_the_zip_carries_daemon_and_pip_for_install_and_gives_blender_none_of_them(extension):
    with zipfile.ZipFile(extension) as archive:
        names = archive.namelist()
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        (ours,) = [name for name in names if name.startswith("wheels/underpaint-")]
        with archive.open(ours) as file, zipfile.ZipFile(file) as wheel:
            packed = wheel.namelist()
            assert wheel.testzip() is None
    carried = {name for name in names if name.startswith("install/packages/")}
    kinds = sorted(Path(name).name.partition("-")[0] for name in carried)
    assert kinds == ["pip", "underpaint_daemon"], "what Install uses, and Blender never imports"
    wheels = {name for name in names if name.endswith(".whl")} - carried
    assert {word.removeprefix("./") for word in manifest["wheels"]} == wheels
    for tag in ("pyzmq-27.3.0-cp311", "pyzmq-27.3.0-cp312-abi3", "msgpack-1.2.4-cp313"):
        assert any(tag in name for name in wheels), tag
    assert not any("torch" in name for name in packed + names)
    assert not any("underpaint_daemon" in name for name in packed)
    assert not any("__pycache__" in name for name in names)
    assert "underpaint/client.py" in packed
