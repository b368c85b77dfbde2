"""What tests of the command line share: a user's own folders with a tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import underpaint
from underpaint.errors import ConnectionLost
from underpaint.paths import user_paths

from helpers.painting.tiny_model import build


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
