"""Finding Blenders: the environment's wish comes first, others are found by what they are."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from underpaint.blenders import (
    Blender,
    addon_folder,
    checkout_root,
    find_blenders,
    probe,
    require_blenders,
    script_arguments,
    usual_places,
)
from underpaint.errors import ErrorCode, RequestError


def program(path: Path, prints: str) -> Path:
    """An executable that answers `--version` as Blender does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def environment(home: Path, version: str) -> Path:
    """A Python environment in which bpy is installed, as far as its metadata tells."""
    (home / f"lib/python3.11/site-packages/bpy-{version}.dist-info").mkdir(parents=True)
    return program(home / "bin" / "python", "")


pytestmark = pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")


def test_a_blender_on_path_is_found(tmp_path):
    blender = program(tmp_path / "blender", "Blender 4.9.1 LTS")
    found = {item.series: item for item in find_blenders({"PATH": str(tmp_path)})}
    assert found["4.9"] == Blender("4.9.1", blender, is_python=False)


def test_blenders_that_lie_where_people_put_them_are_found(tmp_path):
    for version in ("4.8", "4.9"):
        program(tmp_path / f"Downloads/blender-{version}/blender", f"Blender {version}.0")
    found = {item.series for item in find_blenders({"HOME": str(tmp_path), "PATH": ""})}
    assert {"4.8", "4.9"} <= found


@pytest.mark.parametrize(
    ("platform", "env", "place"),
    [
        ("linux", {}, "/home/me/.local/share/Steam/steamapps/common/Blender/blender"),
        ("darwin", {}, "/home/me/Applications/Blender*.app/Contents/MacOS/Blender"),
        ("win32", {}, "C:/Program Files/Blender Foundation/Blender*/blender.exe"),
        ("win32", {"ProgramW6432": "D:/P"}, "D:/P/Steam/steamapps/common/Blender/blender.exe"),
    ],
)
def test_each_system_has_its_usual_places(platform, env, place):
    assert place in usual_places({"HOME": "/home/me", **env}, platform)


def test_a_blender_that_is_too_old_is_not(tmp_path):
    program(tmp_path / "blender", "Blender 3.6.12")
    assert "3.6" not in {item.series for item in find_blenders({"PATH": str(tmp_path)})}


def test_named_pythons_with_bpy_are_found_in_order_of_version(tmp_path):
    new, old = environment(tmp_path / "new", "9.10.0"), environment(tmp_path / "old", "9.2.5")
    env = {"UNDERPAINT_BLENDER_PYTHONS": os.pathsep.join(map(str, (new, old)))}
    ours = [item for item in find_blenders(env) if item.series.startswith("9.")]
    assert [item.version for item in ours] == ["9.2.5", "9.10.0"]
    assert all(item.is_python for item in ours)


def test_the_blender_of_the_users_wish_wins(tmp_path):
    wish = program(tmp_path / "mine" / "blender", "Blender 4.9.0")
    program(tmp_path / "blender", "Blender 4.9.1")
    env = {"UNDERPAINT_BLENDER": str(wish), "PATH": str(tmp_path)}
    assert {item.series: item for item in find_blenders(env)}["4.9"].executable == wish


@pytest.mark.parametrize("prints", ["", "something else 4.2.0"])
def test_other_programs_are_not_blenders(tmp_path, prints):
    assert probe(program(tmp_path / "blender", prints)) is None
    assert probe(tmp_path / "gone") is None


def test_a_missing_version_is_said_with_what_there_is():
    with pytest.raises(RequestError, match=r"no Blender 1\.0 was found") as caught:
        require_blenders("1.0")
    assert caught.value.code is ErrorCode.BLENDER_MISSING
    assert caught.value.hint


def test_scripts_get_their_own_arguments_from_both_kinds(tmp_path):
    script, arguments = tmp_path / "script.py", ["--out", "a b"]
    for is_python in (True, False):
        command = Blender("4.2.0", Path(sys.executable), is_python).command(script, arguments)
        assert script_arguments(command) == arguments
    assert script_arguments(["script.py", "--out"]) == ["--out"]


def test_tests_run_in_a_checkout():
    root = checkout_root()
    assert root is not None
    assert addon_folder() == root / "blender_addon"
