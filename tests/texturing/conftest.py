"""What tests of the command line share: a user's own folders with a tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import underpaint
from underpaint.errors import ConnectionLost
from underpaint.paths import user_paths

from helpers.painting.tiny_model import build


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A user's folders of their own, with a tiny model; their daemon serves all that asks, and is
    stopped afterwards."""
    folder = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDERPAINT_DATA", str(folder / "data"))
        patch.setenv("UNDERPAINT_CACHE", str(folder / "cache"))
        build(user_paths().models / "tiny")
        yield
        with suppress(ConnectionLost), underpaint.connect(start=False) as up:
            up.shutdown(now=True)


@pytest.fixture
def home(user: None, tmp_path: Path) -> Path:
    """Where a user keeps a test's files."""
    return tmp_path
