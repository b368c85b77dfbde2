"""A small daemon that the client is tested against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from underpaint.paths import Paths

from helpers.daemon.small_daemon import SmallDaemon


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(runtime=tmp_path / "run", data=tmp_path, cache=tmp_path / "cache")


@pytest.fixture
def daemon(paths: Paths) -> Iterator[SmallDaemon]:
    small = SmallDaemon(paths)
    small.start()
    yield small
    small.stop()
