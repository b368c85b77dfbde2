"""The table of a folder of meshes, as people and their programs write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from underpaint.errors import RequestError
from underpaint_daemon.tools.assets.cli_options import parsed
from underpaint_daemon.tools.assets.folder import Asset, assets_of

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf 1/1 2/2 3/3 4/4\n"


def rows(folder: Path, table: str) -> list[Asset]:
    (folder / "t.csv").write_text(table, "utf-8")
    words = [str(folder), "--csv", str(folder / "t.csv"), "--out", str(folder / "out")]
    return assets_of(parsed(words))


def test_a_tables_files_and_seeds_are_found_as_people_write_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("\u00fc.obj", "sub/a.obj"):
        (tmp_path / name).write_text(SQUARE)
    table = "file,prompt,seed\nU\u0308.OBJ,x,3.0\nsub\\a.obj,x,1E+05\nsub/a.obj,x,2.5\n"
    first, second, third = rows(tmp_path, table)
    assert (first.mesh.name, first.seed) == ("\u00fc.obj", 3)
    assert (second.mesh, second.seed) == (tmp_path / "sub" / "a.obj", 100_000)
    assert third.wrong is not None


def test_a_workbook_in_a_tables_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(SQUARE)
    with pytest.raises(RequestError, match="spreadsheet") as refused:
        rows(tmp_path, "PK\x03\x04 and the rest")
    assert "CSV" in refused.value.hint
