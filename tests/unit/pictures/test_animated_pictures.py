"""Of a picture that moves the first frame is taken, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from underpaint.buffers import Buffers
from underpaint.cli.options import picture_of


@pytest.mark.parametrize("kind", ["gif", "png", "webp"])
def test_the_first_frame_is_taken_and_told(tmp_path: Path, kind: str, capsys) -> None:
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(tmp_path / f"a.{kind}", save_all=True, append_images=[second])
    buffers = Buffers()
    ref = picture_of(tmp_path / f"a.{kind}", buffers)
    assert ref is not None
    assert tuple(ref.shape) == (8, 8, 3)
    assert "an animation of 2 frames: its first one is taken" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["gif", "png", "webp", "tif"])
def test_a_still_picture_is_not_remarked_on(tmp_path: Path, kind: str, capsys) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / f"a.{kind}")
    picture_of(tmp_path / f"a.{kind}", Buffers())
    assert capsys.readouterr().err == ""
