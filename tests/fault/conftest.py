"""The fixtures of `tests/daemon/real_daemon.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "daemon"))
sys.path.insert(0, str(Path(__file__).parent))
from real_daemon import Daemon


@pytest.fixture
def idle_daemon(tmp_path) -> Iterator[Daemon]:
    """Not started yet."""
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.close()


@pytest.fixture
def daemon(idle_daemon) -> Daemon:
    return idle_daemon.start()
