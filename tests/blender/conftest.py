"""What the tests around Blender share: the Blenders, and the add-on's modules without any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from underpaint.blenders import Blender, find_blenders

from helpers.processes import ROOT

SERIES = ("4.2", "4.5", "5.2")

# The add-on's own `__init__` needs Blender; its modules that say "No bpy" do not.
_package = ModuleType("blender_addon")
_package.__path__ = [str(Path(__file__).resolve().parents[2] / "blender_addon")]
sys.modules.setdefault("blender_addon", _package)


@pytest.fixture(scope="session", params=SERIES)
def blender(request) -> Blender:
    """Each series in turn."""
    found = {item.series: item for item in find_blenders()}
    if request.param not in found:
        pytest.skip(f"Blender {request.param} is not on this machine")
    return found[request.param]


@pytest.fixture(scope="session")
def extension(tmp_path_factory) -> Path:
    """The zip for this machine, built by the command that users and releases run."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, str(ROOT / "installers" / "build_extension.py"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.zip")
    return built
