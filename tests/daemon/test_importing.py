"""A worker imports large libraries without looking for garbage, and looks for it afterwards."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from underpaint_daemon.importing import imported


def test_garbage_is_looked_for_again_after_an_import_that_went_well_and_one_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large_one.py").write_text("import gc\nlooked = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert not imported("large_one").looked
    assert gc.isenabled()
    assert imported("large_one") is sys.modules.pop("large_one")
    with pytest.raises(ModuleNotFoundError):
        imported("nowhere_at_all")
    assert gc.isenabled()
