"""Twelve views need hardly more memory than one: they are denoised one after another."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twelve_views_need_less_than_twice_the_memory_of_one() -> None:
    command = [sys.executable, "-m", "underpaint_daemon", "bench", "memory", "--json"]
    command += ["--side", "256", "--views", "12"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr
    measures = json.loads(done.stdout)["measures"]
    # At most one view's activations more than a single image takes.
    assert measures["one_view_mib"] > 50
    assert measures["many_views_mib"] <= 2 * measures["one_view_mib"]
