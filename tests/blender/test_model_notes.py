"""The panel notes where a transformer's other parts are, as `models add --base` does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blender_addon.plain.model_notes import note_base
from underpaint.errors import RequestError
from underpaint_daemon.common.defaults.own_file import own_wants


def test_a_base_that_the_panel_notes_is_the_daemons(tmp_path: Path) -> None:
    file, base = tmp_path / "flux1-dev-Q4_K_S.gguf", tmp_path / "FLUX.1 dev"
    file.write_bytes(b"GGUF")
    base.mkdir()
    with pytest.raises(RequestError, match="is no model's folder") as told:
        note_base(file, base)
    assert "model_index.json" in told.value.hint
    (base / "model_index.json").write_text("{}")
    file.with_suffix(".underpaint.json").write_text('{"steps": 8}')
    note = note_base(file, base)
    assert own_wants(file).base == str(base)
    assert json.loads(note.read_text())["steps"] == 8, "what else is noted stays"
    checkpoint = tmp_path / "sd_xl_base_1.0.safetensors"
    checkpoint.write_bytes(b"")
    note_base(file, checkpoint)
    assert own_wants(file).base == str(checkpoint), "a UNet's rest may be in a checkpoint"


def test_what_is_no_file_of_its_own_has_no_base(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no file of its own"):
        note_base(tmp_path, tmp_path)
