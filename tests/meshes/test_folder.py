"""A folder of assets: each has its own place, and each is read while another is painted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from underpaint.buffers import Buffers
from underpaint.cli.guard import Exit
from underpaint.errors import RequestError
from underpaint.requests import Prompt
from underpaint_daemon.tools.assets.assets import open_asset
from underpaint_daemon.tools.assets.cli import main
from underpaint_daemon.tools.assets.cli_edit import continued
from underpaint_daemon.tools.assets.cli_options import parsed
from underpaint_daemon.tools.assets.folder import Asset, assets_of
from underpaint_daemon.tools.assets.jobs import pipelined
from underpaint_daemon.tools.meshes.files import mesh_ref


def outs(folder: Path, names: list[str], *words: str) -> dict[str, str]:
    """The results' folders of files, by the files' names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    args = parsed([str(folder), "--out", "out", *(words or ("--prompt", "gold"))])
    return {a.mesh.relative_to(folder).as_posix(): a.out.name for a in assets_of(args)}


def test_files_of_one_stem_do_not_share_a_folder(tmp_path: Path) -> None:
    found = outs(
        tmp_path, ["a.obj", "a.glb", "A.ply", "b.obj", "c .obj", "\u00e9.obj", "e\u0301.glb"]
    )
    assert found["b.obj"] == "b"
    alike = {name.casefold() for name in found.values()}
    assert len(alike) == len(found) == 7
    assert found["a.obj"] == "a_obj"
    assert not any(name.endswith(" ") for name in found.values())


def test_rows_of_one_file_do_not_share_a_folder(tmp_path: Path) -> None:
    table = tmp_path / "prompts.csv"
    table.write_text("file,prompt\na.obj,gold\na.obj,wood\nx/a.obj,tin\n,clay\n", encoding="utf-8")
    args = parsed([str(tmp_path), "--csv", str(table), "--out", "out"])
    found = assets_of(args)
    assert len({asset.out for asset in found}) == 4
    assert [asset.wrong is None for asset in found] == [True, True, True, False]
    assert "line 5" in found[3].wrong.message


def test_a_table_whose_columns_are_swapped_fails_row_by_row(tmp_path: Path) -> None:
    table, long = tmp_path / "prompts.csv", "weathered wood, " * 40
    table.write_text(f'file,prompt\n"{long}",a.obj\na\x00b.obj,gold\n', encoding="utf-8")
    found = assets_of(parsed([str(tmp_path), "--csv", str(table), "--out", "out"]))
    for asset in found:
        with pytest.raises(RequestError, match="there is no file"):
            open_asset(asset.mesh)
        assert len(asset.out.name.encode()) <= 255


@pytest.mark.parametrize("earlier", ["nowhere", "file.csv", "."])
def test_from_a_folder_without_results_is_told_as_that(tmp_path: Path, earlier: str) -> None:
    (tmp_path / "file.csv").write_text("file,prompt\n")
    words = ["m.obj", "--out", "out", "--from", str(tmp_path / earlier)]
    (tmp_path / "m.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    buffers = Buffers()
    mesh = mesh_ref(open_asset(tmp_path / "m.obj").corners, buffers)
    asset = Asset(tmp_path / "m.obj", Prompt("x"), tmp_path / "out", 0)
    with pytest.raises(RequestError, match=r"holds no results .* no texture\.json in it"):
        continued(parsed(words), mesh, asset, buffers)


def test_what_is_no_mesh_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "folder.obj").mkdir()
    assert list(outs(tmp_path, ["a.obj", "._a.obj", "notes.txt"])) == ["a.obj"]


def test_the_next_is_begun_before_the_last_has_ended() -> None:
    told = list[str]()

    def begin(n: int) -> int:
        told.append(f"begin {n}")
        return n

    def end(n: int) -> int:
        told.append(f"end {n}")
        return n

    assert list(pipelined(range(3), begin, end)) == [0, 1, 2]
    assert told == ["begin 0", "begin 1", "end 0", "begin 2", "end 1", "end 2"]


def test_given_options_are_told_from_defaults() -> None:
    args = parsed(["a.obj", "--out", "out", "--prompt", "gold", "--views", "10", "--pbr"])
    assert args.given == {"mesh", "out", "prompt", "views", "pbr"}


def test_a_folder_needs_words(tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        outs(tmp_path, ["a.obj"], "--negative", "blur")


def _painted(folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    out = str(folder.with_name("out"))
    code = main([str(folder), "--prompt", "gold", "--out", out, "--json"])
    assets = json.loads(capsys.readouterr().out)["assets"]
    assert all("error" in asset for asset in assets)
    return code


def test_where_only_the_input_was_wrong_the_end_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.obj").write_text("v 0 0 0\n")
    (tmp_path / "no.glb").write_bytes(b"glTF")
    assert _painted(tmp_path, capsys) == Exit.BAD_INPUT
    assert _painted(tmp_path / "empty.obj", capsys) == Exit.BAD_INPUT


_HEAVY = {"torch", "PIL", "zmq", "msgpack", "trimesh", "scipy", "diffusers"}
_NOT_YET = {"gltf", "obj_write", "ply"}


def test_a_bad_mesh_is_told_before_anything_that_it_does_not_need_is_loaded(tmp_path: Path) -> None:
    """A process of its own: what it has loaded when it ends."""
    mesh = tmp_path / "bad.obj"
    mesh.write_text("v 0 0 0\nf 1 2 9\n")
    words = [str(mesh), "--prompt", "clay", "--out", str(tmp_path / "out")]
    code = (
        "import sys\nfrom underpaint_daemon.__main__ import main\n"
        f"print(main(['texture', *{words!r}]))\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ended, modules = done.stdout.splitlines()
    assert ended == "2", "bad input"
    assert "bad.obj" in done.stderr
    loaded = {name.split(".")[0] for name in modules.split()}
    loaded |= {name.split(".")[3] for name in modules.split() if "tools.meshes." in name}
    assert "obj" in loaded
    assert loaded & (_HEAVY | _NOT_YET) == set()
