"""`underpaint texture` on a folder, through a real daemon and a tiny model."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "worker"))

from sync_scene import torus
from tiny_model import build

import underpaint
from underpaint.errors import ConnectionLost, RequestError
from underpaint.paths import user_paths
from underpaint_daemon.worker.texturing.cli import main
from underpaint_daemon.worker.texturing.export import write_obj
from underpaint_daemon.worker.texturing.meshio import load_mesh

torch.set_num_threads(1)
SMALL = ["--model", "tiny", "--views", "2", "--view-size", "64", "--size", "64", "--steps", "2"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folders of their own, with a tiny model; the daemon is stopped afterwards."""
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("UNDERPAINT_CACHE", str(tmp_path / "cache"))
    build(user_paths().models / "tiny")
    yield tmp_path
    try:
        with underpaint.connect(start=False) as up:
            up.shutdown(now=True)
    except ConnectionLost:
        pass


@pytest.mark.slow
@pytest.mark.timeout(900)  # a daemon starts, and its worker steps back behind everything else
def test_a_folder_is_painted_failures_are_noted_and_a_second_run_skips(home: Path, capsys) -> None:
    assets, out = home / "assets", home / "out"
    assets.mkdir()
    write_obj(torus(16, 8), assets / "ring.obj", {1001: "none.png"})
    (assets / "broken.obj").write_text("v 1 2\nf 1 2 3\n")
    (assets / "prompts.csv").write_text("file,prompt\nbroken.obj,gold\nring.obj,red stone\n")
    command = [str(assets), "--csv", str(assets / "prompts.csv"), "--out", str(out), *SMALL]
    assert main([*command, "--no-glb", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["assets"]
    assert told[0]["error"]["hint"]
    assert (out / "broken" / "failed.json").is_file()
    files = {Path(file).name for file in told[1]["files"]}
    assert {"texture.png", "ring.obj", "ring.mtl", "turntable.png", "quality.json"} <= files
    assert load_mesh(out / "ring" / "ring.obj").triangles == 16 * 8 * 2
    assert "map_Kd texture.png" in (out / "ring" / "ring.mtl").read_text()
    before = (out / "ring" / "texture.png").stat().st_mtime_ns
    assert main([*command, "--no-glb", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["assets"][1]["skipped"]
    assert (out / "ring" / "texture.png").stat().st_mtime_ns == before


def test_a_copy_as_obj_is_the_same_mesh(tmp_path: Path) -> None:
    mesh = torus(12, 6)
    write_obj(mesh, tmp_path / "copy.obj", {1001: "texture.png"})
    copy = load_mesh(tmp_path / "copy.obj")
    torch.testing.assert_close(copy.position, mesh.position)
    torch.testing.assert_close(copy.uv, mesh.uv)


@pytest.mark.parametrize(
    "words",
    [
        ["missing.obj", "--prompt", "gold"],
        ["{mesh}"],
        ["{mesh}", "--prompt", "gold", "--method", "magic"],
        ["{mesh}", "--prompt", "gold", "--sampler", "magic"],
    ],
)
def test_bad_words_are_refused_with_the_fix(words: list[str], tmp_path: Path) -> None:
    mesh = tmp_path / "ring.obj"
    write_obj(torus(8, 6), mesh, {1001: "none.png"})
    arguments = [word.format(mesh=mesh) for word in words]
    with pytest.raises(RequestError) as refused:
        main([*arguments, "--out", str(tmp_path / "out")])
    assert refused.value.hint
