"""The folder for the results goes bad while they are made: they are kept elsewhere, where is said,
and the rest goes on. A file where a folder should be stands for one that is read-only, since root
may write everywhere; /dev/full for a full disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from underpaint.animation.series import room
from underpaint.cli.guard import Exit, exit_code
from underpaint.errors import ErrorCode, RequestError
from underpaint.files.saving import saved

from helpers.daemon.real_daemon import Daemon, wait_for

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
FACE = "f 1/1 2/2 3/3 4/4\n"
SLOW, QUICK = "steps=20 seconds=0.02", "steps=1"


def begun(daemon: Daemon, *words: str) -> subprocess.Popen[str]:
    """A command in a process of its own."""
    module = "underpaint_daemon" if words[0] == "texture" else "underpaint.cli.main"
    return subprocess.Popen(
        [sys.executable, "-m", module, *words, "--json"], env=daemon.env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip


def spoilt(daemon: Daemon, out: Path, *words: str) -> subprocess.Popen[str]:
    """A command whose folder for results is gone, and cannot be made again, once its first job
    runs."""
    process = begun(daemon, *words, "--out", str(out))
    wait_for(daemon.runs, 120)
    shutil.rmtree(out)
    out.write_text("no folder")
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, dict, str]:
    told, said = process.communicate(timeout=240)
    assert "Traceback" not in said, said
    return process.returncode, json.loads(told), said


def meshes(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / f"{name}.obj").write_text(SQUARE + FACE)
    return folder


def test_a_picture_whose_folder_is_gone_is_kept_elsewhere(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, told, said = ended(spoilt(daemon, out, "generate", "--prompt", f"{SLOW} picture=32x32"))
    assert code == Exit.FAILED
    assert told["error"]["code"] == "not_saved"
    assert {Path(file).name for file in told["files"]} == {"image-0.png", "image_0.bin"}
    for file in map(Path, told["files"]):
        assert file.is_file()
        assert str(file.parent) in said
        assert daemon.paths.data / "unsaved" in file.parents


def test_a_batch_goes_on_and_says_where_each_is(daemon: Daemon, tmp_path: Path) -> None:
    folder, out = meshes(tmp_path / "in", "a", "b", "c"), tmp_path / "out"
    code, told, said = ended(spoilt(daemon, out, "texture", str(folder), "--prompt", SLOW))
    assert code == Exit.FAILED
    assert len(told["assets"]) == len(daemon.runs()) == 3
    for asset in told["assets"]:
        assert [problem["code"] for problem in asset["problems"]] == ["not_saved"]
        files = {Path(file) for file in asset["files"]}
        assert all(file.is_file() for file in files)
        assert {file.suffix for file in files} == {".png", ".json", ".obj", ".mtl", ".glb"}
        assert len({file.parent for file in files}) == 1
    assert "summary" in said
    # With the folder mended, nothing of it counts as done.
    out.unlink()
    code, told, _ = ended(
        begun(daemon, "texture", str(folder), "--prompt", QUICK, "--out", str(out))
    )
    assert code == Exit.DONE
    assert all((out / name / f"{name}.glb").is_file() for name in "abc")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("name", ["texture.1001.png", "a.obj", "a.glb", "quality.json"])
def test_a_disk_that_fills_up_leaves_no_half_file(
    daemon: Daemon, tmp_path: Path, name: str
) -> None:
    folder, out = meshes(tmp_path / "in", "a"), tmp_path / "out"
    (out / "a").mkdir(parents=True)
    os.symlink("/dev/full", out / "a" / name)
    process = begun(daemon, "texture", str(folder), "--prompt", QUICK, "--out", str(out))
    code, told, _ = ended(process)
    assert code == Exit.FAILED
    (asset,) = told["assets"]
    assert "No space left" in asset["problems"][0]["message"]
    assert all(Path(file).stat().st_size for file in asset["files"])
    assert not (out / "a" / name).exists()


def test_results_that_can_go_nowhere_stay_with_the_daemon(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    for name in ("UNDERPAINT_DATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file" / name))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file" / "tmp"))
    with pytest.raises(RequestError, match="neither can any other") as refused:
        saved(
            tmp_path / "file" / "out", lambda folder: (folder / "a.png").write_bytes(b""), "It is"
        )
    assert refused.value.code is ErrorCode.NOT_SAVED
    assert refused.value.hint == "It is"


def test_an_animation_that_finds_no_room_says_that_it_goes_on_later(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(RequestError) as refused, room(tmp_path / "out"):
        (tmp_path / "out" / "0001.png").write_bytes(b"")
    assert exit_code(refused.value) is Exit.FAILED
    assert "goes on" in refused.value.hint


def test_a_folder_that_cannot_be_written_from_the_start_is_bad_input(
    daemon: Daemon, tmp_path: Path
) -> None:
    out, mesh = tmp_path / "out", meshes(tmp_path / "in", "a") / "a.obj"
    out.write_text("no folder")
    for words in (("generate",), ("texture", str(mesh)), ("texture", str(mesh.parent))):
        process = begun(daemon, *words, "--prompt", QUICK, "--out", str(out))
        code, told, said = ended(process)
        assert code == Exit.BAD_INPUT, said
        assert str(out) in json.dumps(told)
    assert daemon.runs() == []
