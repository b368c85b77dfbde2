"""A pytest plugin: the suite's processes have a data folder of their own. Tests that name no other
leave this user's alone, and none may leave a daemon in it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from underpaint.launcher import running_connection
from underpaint.paths import user_paths

_VARIABLE = "UNDERPAINT_DATA"
_OWN = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Also in each process of xdist: their parent's would be shared."""
    config.stash[_OWN] = Path(tempfile.mkdtemp(prefix="underpaint-tests-"))
    os.environ[_VARIABLE] = str(config.stash[_OWN])


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_OWN], ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_daemon_is_left(pytestconfig: pytest.Config) -> Iterator[None]:
    yield
    paths = user_paths({_VARIABLE: str(pytestconfig.stash[_OWN])})
    if paths.connection_file.exists() and (left := running_connection(paths)) is not None:
        os.kill(left.pid, signal.SIGTERM)
        pytest.fail("this test starts a daemon, and has no data folder of its own for it")
