"""A release: its notes, its repository for Blender, and what may not slip into the tree."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RELEASED_WEIGHTS = ("daemon/underpaint_daemon/starter_model/", "daemon/underpaint_starter/judging/")
MEGABYTE = 1_000_000


def run(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "installers" / script), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_release_has_notes_and_another_tag_has_none():
    assert "First light" in run("release_notes.py", "--tag", "v0.1.0").stdout
    refused = run("release_notes.py", "--tag", "v9.9.9")
    assert refused.returncode == 2
    assert "make them equal" in refused.stderr


def test_no_large_file_is_committed_but_the_released_weights():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    large = [path.relative_to(ROOT).as_posix() for path in files if path.stat().st_size > MEGABYTE]
    assert [name for name in large if not name.startswith(RELEASED_WEIGHTS)] == []


def test_what_the_workflows_start_is_there():
    """Scripts, and commands of the one that all begin with."""
    commands = run("bootstrap.py", "--help").stdout
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        text = file.read_text(encoding="utf-8")
        scripts = re.findall(r"installers/\w+\.py|\.ci/\w+", text)
        assert scripts, file.name
        assert [name for name in scripts if not (ROOT / name).exists()] == [], file.name
        for command in re.findall(r"bootstrap\.py (\S+)", text):
            assert f"bootstrap.py {command} " in commands, file.name


@pytest.mark.slow
@pytest.mark.blender
def test_blender_installs_from_the_repository_over_a_file_url(tmp_path):
    built = run("build_repository.py", "--platforms", "here", "--out", tmp_path / "repository")
    assert built.returncode == 0, built.stdout + built.stderr
    index = json.loads((tmp_path / "repository" / "index.json").read_text())
    (entry,) = index["data"]
    assert entry["id"] == "underpaint"
    assert (tmp_path / "repository" / entry["archive_url"].removeprefix("./")).exists()
