"""A daemon of each test's own, or one of a whole file's."""

import pytest

from underpaint.requests import ImageRequest, Prompt

from helpers.daemon.real_daemon import Daemon
from helpers.daemon.real_daemon import daemon as daemon
from helpers.daemon.real_daemon import idle_daemon as idle_daemon


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A daemon that still works after everything that a file's tests have thrown at it."""
    daemon = Daemon(tmp_path_factory.mktemp("served")).start()
    yield daemon
    up = daemon.client()
    assert up.submit(ImageRequest(Prompt("steps=1"))).result(120)
    assert "did not foresee" not in "\n".join(up.log(200))
    daemon.close()
