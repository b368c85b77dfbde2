"""`underpaint texture` on a folder, through a real daemon and a tiny model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

import underpaint
from underpaint.cli.guard import Exit
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Lora, ObjectPrompt, Prompt
from underpaint_daemon.tools.assets.cli import main
from underpaint_daemon.tools.assets.cli_objects import object_prompts
from underpaint_daemon.tools.evals.meshes import load_mesh
from underpaint_daemon.tools.meshes.files import open_mesh

from helpers.meshes.mesh_files import write_obj
from helpers.meshes.sync_scene import torus

torch.set_num_threads(1)
SMALL = ["--model", "tiny", "--views", "2", "--view-size", "64", "--size", "64", "--steps", "2"]


@pytest.mark.slow
@pytest.mark.timeout(900)  # a daemon starts, and its worker steps back behind everything else
def test_a_folder_is_painted_failures_are_noted_and_a_second_run_skips(home: Path, capsys) -> None:
    assets, out = home / "assets", home / "out"
    assets.mkdir()
    for name in ("ring", "band", "r\u00f6hre"):
        write_obj(torus(16, 8), assets / f"{name}.obj")
    (assets / "broken.obj").write_text("v 1 2\nf 1 2 3\n")
    table = "file,prompt,seed,object_prompts\nring.obj,red stone,,\nbroken.obj,gold,,\n"
    table += "band.obj,stone,,band=blue ball\nr\u00f6hre.obj,stone,4,\n"
    (assets / "prompts.csv").write_text(table, encoding="utf-8")
    command = [str(assets), "--csv", str(assets / "prompts.csv"), "--out", str(out), *SMALL]
    command += ["--export", "none", "--json"]
    assert main(command) == Exit.BAD_INPUT  # all that failed
    told = {Path(a["mesh"]).stem: a for a in json.loads(capsys.readouterr().out)["assets"]}
    assert told["broken"]["error"]["hint"]
    assert (out / "broken" / "failed.json").is_file()
    for name in ("ring", "band", "r\u00f6hre"):
        files = {Path(file).name for file in told[name]["files"]}
        assert {"texture.png", f"{name}.obj", "turntable.png", "quality.json"} <= files
    assert load_mesh(out / "ring" / "ring.obj").triangles == 16 * 8 * 2
    assert "map_Kd texture.png" in (out / "ring" / "ring.mtl").read_text()
    recipe = json.loads((out / "band" / "texture.json").read_text())["request"]
    own = {"object_id": 1, "prompt": {"text": "blue ball"}, "name": "band"}
    assert recipe["object_prompts"] == [own]
    before = (out / "ring" / "texture.png").stat().st_mtime_ns
    # Mended, the broken one is all that is left to do.
    write_obj(torus(16, 8), assets / "broken.obj")
    assert main(command) == 0
    again = {Path(a["mesh"]).stem: a for a in json.loads(capsys.readouterr().out)["assets"]}
    assert {name for name, asset in again.items() if asset.get("skipped")} == set(told) - {"broken"}
    assert (out / "ring" / "texture.png").stat().st_mtime_ns == before
    with (out / "summary.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["file"]: row["state"] for row in csv.DictReader(stream)}
    assert rows.pop("broken.obj") == "painted"
    assert set(rows.values()) == {"finished before"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_python_paints_a_file_with_one_call(home: Path) -> None:
    write_obj(torus(16, 8), home / "ring.obj")
    options = {"model": "tiny", "views": 2, "view_size": 64, "size": 64, "steps": 2}
    made = underpaint.texture_file(
        home / "ring.obj", "red stone", home / "out", pbr=True, export=(), **options
    )
    names = {file.name for file in made.files}
    assert {"texture.png", "base_color.png", "normal.png", "orm.png", "ring.obj"} <= names
    assert all(file.is_file() for file in made.files)
    assert made.quality["views"] == 2
    with pytest.raises(RequestError) as refused:
        underpaint.texture_file(home / "none.obj", "gold", home / "out", export=())
    assert refused.value.code is ErrorCode.FILE
    assert refused.value.hint


def test_objects_have_their_names_and_prompts(tmp_path: Path) -> None:
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\no Body\nf 1 2 3\no \u76ee left\nf 1 3 2\n"
    (tmp_path / "two.obj").write_text(text, encoding="utf-8")
    names = open_mesh(tmp_path / "two.obj").names
    assert names == {1: "Body", 2: "\u76ee left"}
    asked = object_prompts(["\u76ee left = red glass", "Body=steel=blue"], names)
    assert [(item.object_id, item.prompt.text, item.name) for item in asked] == [
        (1, "steel=blue", "Body"),
        (2, "red glass", "\u76ee left"),
    ]
    (worn,) = object_prompts(["Body=:lora=ink:0.5"], names)
    assert worn == ObjectPrompt(1, Prompt(), "Body", (Lora("ink", 0.5),))
    for wrong in ("Head=gold", "Body", "Body="):
        with pytest.raises(RequestError):
            object_prompts([wrong], names)


@pytest.mark.parametrize(
    "words",
    [
        ["missing.obj", "--prompt", "gold"],
        ["{mesh}"],
        ["{mesh}", "--prompt", "gold", "--method", "magic"],
        ["{mesh}", "--prompt", "gold", "--sampler", "magic"],
        ["{mesh}", "--prompt", "gold", "--export", "glb,stl"],
        ["{mesh}", "--prompt", "gold", "--object-prompt", "nobody=gold"],
        ["{mesh}", "--prompt", "gold", "--mask", "{mesh}"],
        ["{mesh}", "--from", "nowhere"],
    ],
)
def test_bad_words_are_refused_with_the_fix(words: list[str], tmp_path: Path) -> None:
    mesh = tmp_path / "ring.obj"
    write_obj(torus(8, 6), mesh)
    arguments = [word.format(mesh=mesh) for word in words]
    with pytest.raises(RequestError) as refused:
        main([*arguments, "--out", str(tmp_path / "out")])
    assert refused.value.hint
