"""Twelve views need hardly more memory than one: they are denoised one after another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
def test_twelve_views_need_less_than_twice_the_memory_of_one(tmp_path: Path) -> None:
    script = Path(__file__).with_name("memory_probe.py")
    command = [sys.executable, str(script), str(tmp_path), "12"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr
    peaks = json.loads(done.stdout.splitlines()[-1])
    # At most one view's activations more than a single image takes.
    assert peaks["one_mib"] > 50
    assert peaks["many_mib"] - peaks["one_mib"] <= peaks["one_mib"]
