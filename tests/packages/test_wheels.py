"""The wheels as users get them: built, installed into an empty environment, used elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from window_blender import user_cache

from underpaint.wire.locks import FileLock

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


@contextmanager
def kept_environment(wheels: list[Path], *more: str) -> Iterator[Path]:
    """The same, kept in the user's cache for the next run: what the wheels ask for is installed,
    and compiled by whoever imports it first, once for each list of it. The wheels are this run's.
    """
    digest = asked_digest(wheels, *more)
    folder = user_cache() / "wheel-environments" / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name("lock")) as lock:
        while not lock.try_acquire():
            time.sleep(0.05)
        python = folder / "bin" / "python"
        if not (folder / "whole").exists():
            for old in filter(Path.is_dir, folder.parent.iterdir()):
                shutil.rmtree(old)
            environment(folder, wheels, *more)
            (folder / "whole").touch()
        again = ("--reinstall", "--no-deps", "--no-index")
        run(UV, "pip", "install", "-q", "--python", python, *again, *wheels, env=outside())
        for compiled in folder.glob("lib/*/site-packages/underpaint*/**/__pycache__"):
            shutil.rmtree(compiled)  # of the wheels that lay here before
        yield python


def asked_digest(wheels: list[Path], *more: str) -> str:
    """What the wheels ask for, the versions that are allowed, and the Python that gets them."""
    told = [*more, sys.version, (ROOT / "installers" / "constraints.txt").read_text()]
    for wheel in sorted(wheels):
        with zipfile.ZipFile(wheel) as packed:
            (metadata,) = (name for name in packed.namelist() if name.endswith("/METADATA"))
            told += packed.read(metadata).decode().partition("\n\n")[0].splitlines()
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


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
    with kept_environment([*wheels.values()], "torch==2.13.0") as python:
        it_works(python, tmp_path)


def it_works(python: Path, tmp_path: Path) -> None:
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
        small = ("--steps", "1", "--views", "2", "--size", "64", "--view-size", "64")
        underpaint("texture", SPOT, "--prompt", "moss", *small, "--out", "cow")
        assert (tmp_path / "cow" / "spot.glb").exists()
        small = ("--views", "2", "--size", "64", "--view-size", "64")
        report = underpaint("eval", "projection", SPOT, *small, "--json", codes=MEASURED)
        assert json.loads(report)["command"] == "eval projection"
    finally:
        subprocess.run([python.with_name("underpaint"), "daemon", "stop"], env=env, check=False)
