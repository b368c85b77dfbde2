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
    command += ["--side", "224", "--views", "12"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode in (0, 3), done.stderr
    report = json.loads(done.stdout)
    one, many = (report["measures"][f"{views}_mib"] for views in ("one_view", "many_views"))
    assert one > 50, "a view's activations, beside the loaded model"
    # At most one view's activations more than a single image takes.
    assert many <= 2 * one
    (bar,) = report["bars"]
    assert (bar["value"], bar["limit"]) == (pytest.approx((many - one) / one), 1.0)
    assert done.returncode == (0 if many - one <= one else 3)
