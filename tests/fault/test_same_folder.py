"""Several runs with one folder for their results, one after another or at once: none of them writes
over what another wrote. Real processes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from underpaint.errors import RequestError
from underpaint.files.claims import own_folder, write_new

from helpers.daemon.real_daemon import Daemon

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 {} 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf 1/1 2/2 3/3 4/4\n"


def begun(daemon: Daemon, *words: str) -> subprocess.Popen[str]:
    module = "underpaint_daemon" if words[0] == "texture" else "underpaint.cli.main"
    return subprocess.Popen(
        [sys.executable, "-m", module, *words, "--json"], env=daemon.env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip


def told(process: subprocess.Popen[str]) -> dict:
    out, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    return json.loads(out)


def test_two_pictures_at_once_are_two_pictures(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out"
    processes = [
        begun(daemon, "generate", "--prompt", "steps=2", "--seed", str(seed), "--out", str(out))
        for seed in (1, 2)
    ]
    files = [[Path(file) for file in told(process)["files"]] for process in processes]
    assert {len(names) for names in files} == {1}
    assert {names[0].name for names in files} == {"image_0.bin", "image_0-2.bin"}
    assert {names[0].read_bytes()[0] for names in files} == {1, 2}


def test_two_textures_at_once_have_a_folder_each(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "painted"
    processes = []
    for high in (1, 2):
        mesh = tmp_path / str(high) / "chair.obj"
        mesh.parent.mkdir()
        mesh.write_text(SQUARE.format(high))
        words = ("--prompt", "steps=20 seconds=0.05", "--out", str(out))
        processes.append(begun(daemon, "texture", str(mesh), *words))
    homes, notes = set(), list[str]()
    for high, process in zip((1, 2), processes, strict=True):
        said = told(process)
        notes += said["notes"]
        files = [Path(file) for file in said["assets"][0]["files"]]
        homes |= {file.parent for file in files}
        painted = next(file for file in files if file.suffix == ".obj")
        assert f"v 0 {high} 0" in painted.read_text()
    assert homes == {out, tmp_path / "painted-2"}
    assert len(notes) == 1
    assert notes[0].endswith("painted-2")


_WRITER = """
import sys
from pathlib import Path
from underpaint.files.claims import write_new
folder, mark = Path(sys.argv[1]), sys.argv[2]
for n in range(40):
    data = f"{mark} {n}".encode() * 50
    names = [p.name for p in write_new(folder, {"image_0.png": data, "image_0.json": data + b"!"})]
    print(*names)
"""


def test_what_belongs_together_is_numbered_together(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), mark], stdout=subprocess.PIPE, text=True
        )
        for mark in "abc"
    ]
    written = [line.split() for w in writers for line in w.communicate(timeout=120)[0].splitlines()]
    assert len(written) == 120
    assert len({name for names in written for name in names}) == 240, "none was written over"
    for picture, sidecar in written:
        assert Path(picture).stem == Path(sidecar).stem
        assert (tmp_path / sidecar).read_bytes() == (tmp_path / picture).read_bytes() + b"!"


def test_the_same_again_is_there_already(tmp_path: Path) -> None:
    files = {"image_0.png": b"one", "image_0.json": b"two"}
    assert write_new(tmp_path, files) == write_new(tmp_path, files)
    assert [p.name for p in write_new(tmp_path, {**files, "image_0.png": b"other"})] == [
        "image_0-2.png",
        "image_0-2.json",
    ]
    assert (tmp_path / "image_0.png").read_bytes() == b"one"


def test_a_disk_that_fills_up_leaves_neither(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="json"):
        write_new(tmp_path, {"image_0.png": b"one", "no folder/image_0.json": b"two"})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_free_again_after_a_run(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path / "data"))
    with (
        own_folder(tmp_path / "out") as first,
        own_folder(tmp_path / "sub" / ".." / "out") as next_,
    ):
        assert [first.name, next_.name] == ["out", "out-2"]
    with own_folder(tmp_path / "out") as again:
        assert again == first


def test_a_hundred_runs_into_one_folder_are_enough(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path / "data"))
    with contextlib.ExitStack() as runs:
        for _ in range(100):
            last = runs.enter_context(own_folder(tmp_path / "out"))
        assert last.name == "out-100"
        with pytest.raises(RequestError, match="100 runs write into"):
            runs.enter_context(own_folder(tmp_path / "out"))
