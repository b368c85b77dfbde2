"""The wheels as users get them: built, installed into an empty environment, used elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from helpers.built_once import wheels as wheels

ROOT = Path(__file__).resolve().parents[2]
SPOT = ROOT / "tests" / "data" / "spot.obj"
UV = Path(sys.executable).with_name("uv")

pytestmark = pytest.mark.skipif(not UV.exists(), reason="uv is not beside this Python")


MEASURED = (0, 3)
"""Exit codes of a measurement that ran; 3: a bar does not hold, as in these small ones it may."""


def run(
    *command: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    codes: tuple[int, ...] = (0,),
) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


def environment(folder: Path, wheels: list[Path], *more: str) -> Path:
    """An environment of its own with these wheels and what they ask for; its Python."""
    run(UV, "venv", "-q", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    constraints = ROOT / "installers" / "constraints.txt"
    words = [*wheels, *more, "-c", constraints, *find_links()]
    run(UV, "pip", "install", "-q", "--python", python, *words, env=outside())
    return python


def find_links() -> list[str]:
    """Where the user's pip looks for wheels; uv does not read pip's settings."""
    told = run(sys.executable, "-m", "pip", "config", "list")
    lines = [line.partition("=") for line in told.splitlines()]
    folders = [text.strip("'\"") for name, _, text in lines if name.endswith("find-links")]
    return [word for folder in folders for word in ("--find-links", folder)]


def outside(tmp_path: Path | None = None) -> dict[str, str]:
    """This process's variables without those that lead back to the checkout."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if tmp_path is not None:
        env |= {"UNDERPAINT_DATA": f"{tmp_path}/data", "UNDERPAINT_CACHE": f"{tmp_path}/cache"}
    return env


def test_the_same_sources_give_the_same_wheel(wheels, tmp_path):
    script = ROOT / "installers" / "build_wheels.py"
    run(sys.executable, script, "--out", tmp_path, "underpaint")
    (again,) = tmp_path.glob("*.whl")
    assert again.read_bytes() == wheels["underpaint"].read_bytes()


def test_the_client_wheel_is_light_and_runs_alone(wheels, tmp_path):
    python = environment(tmp_path / "env", [wheels["underpaint"]])
    listed = json.loads(run(UV, "pip", "list", "--format", "json", "--python", python))
    assert {entry["name"] for entry in listed} == {"underpaint", "numpy", "msgpack", "pyzmq"}
    command = python.with_name("underpaint")
    assert "generate" in run(command, "--help", env=outside(tmp_path), cwd=tmp_path)


@pytest.mark.slow
def test_the_daemons_wheel_carries_the_scripts_that_a_blender_runs(wheels, tmp_path):
    for name in ("underpaint", "underpaint-daemon"):
        shutil.unpack_archive(wheels[name], tmp_path / "site", "zip")
    ask = "from underpaint.blenders import addon_folder; print(addon_folder())"
    env = {**outside(tmp_path), "PYTHONPATH": str(tmp_path / "site")}
    addon = Path(run(sys.executable, "-c", ask, env=env, cwd=tmp_path).strip())
    assert addon.is_relative_to(tmp_path / "site" / "underpaint_daemon")
    assert (addon / "LICENSE").is_file()
    # Without Blender a script gets as far as asking for it: all else was found.
    script = addon / "scripts" / "mesh_export_cli.py"
    done = subprocess.run([sys.executable, script, "--help"], env=env, capture_output=True)
    assert done.returncode == 0 or b"No module named 'bpy'" in done.stderr, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_installed_daemon_paints_textures_and_measures_outside_the_checkout(wheels, tmp_path):
    assert set(wheels) == {"underpaint", "underpaint-daemon", "underpaint-starter"}
    python = environment(tmp_path / "env", [*wheels.values()], "torch==2.13.0")
    env = outside(tmp_path)
    run(UV, "pip", "check", "--python", python, env=env)

    def underpaint(*words: object, codes: tuple[int, ...] = (0,)) -> str:
        return run(python.with_name("underpaint"), *words, env=env, cwd=tmp_path, codes=codes)

    try:
        # Doctor says 1 where this machine has no Blender; all else must be well.
        checks = json.loads(underpaint("doctor", "--json", codes=(0, 1)))["checks"]
        assert [check["name"] for check in checks if not check["ok"]] in ([], ["blender"])
        underpaint("generate", "--prompt", "a red ball", "--steps", "1", "--out", "picture")
        assert list((tmp_path / "picture").glob("*.png"))
        small = ("--steps", "1", "--views", "4")
        underpaint("texture", SPOT, "--prompt", "moss", *small, "--out", "cow")
        assert (tmp_path / "cow" / "spot.glb").exists()
        small = ("--views", "4", "--size", "256")
        report = underpaint("eval", "projection", SPOT, *small, "--json", codes=MEASURED)
        assert json.loads(report)["command"] == "eval projection"
    finally:
        subprocess.run([python.with_name("underpaint"), "daemon", "stop"], env=env, check=False)
