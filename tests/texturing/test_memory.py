"""Who has the memory to paint one view has it for all: they are denoised one after another."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")


@pytest.mark.slow
def test_a_texture_of_many_views_fits_where_one_view_fits() -> None:
    """A model of SDXL's layout, in a process of its own whose peaks are its alone."""
    command = [sys.executable, "-m", "underpaint_daemon", "bench", "memory", "--json"]
    done = subprocess.run(
        [*command, "--side", "224", "--views", "3"], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 3), done.stderr
    report = json.loads(done.stdout)
    one, many = (report["measures"][f"{views}_mib"] for views in ("one_view", "many_views"))
    assert one > 50, "a view's activations, beside the loaded model"
    # At most one view's activations more than a single image takes; three at once take three.
    assert many <= 2 * one
    assert report["holds"] == (done.returncode == 0) == (many - one <= one)
