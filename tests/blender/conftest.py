"""What the tests around Blender share: the Blenders, and the add-on's modules without any."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from underpaint.blenders import Blender, find_blenders

from helpers.built_once import extension as extension

SERIES = os.environ.get("UNDERPAINT_TEST_BLENDERS", "4.2 4.5 5.2").split()
"""Those that must hold; `bootstrap.py next-blender` names the coming one instead."""

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
