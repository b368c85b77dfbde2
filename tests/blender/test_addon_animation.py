"""An animation from the panel: the built zip in real Blender, painted by the starter model.

The behaviours are in `addon_animation.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpers.blender.behaviour_lists import behaviours
from helpers.blender.running import run
from helpers.processes import ROOT

pytestmark = [pytest.mark.blender, pytest.mark.slow, pytest.mark.timeout(1000)]
SCRIPT = Path(__file__).parent / "inside" / "panel" / "addon_animation.py"


def python_of_the_checkout(folder: Path) -> Path:
    """A daemon's Python that has this checkout, whatever Blender's own has."""
    python = folder / "python"
    paths = f"{ROOT}/protocol:{ROOT}/daemon"
    python.write_text(f'#!/bin/sh\nexport PYTHONPATH="{paths}"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


@pytest.fixture(scope="module")
def outcomes(blender, extension, tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("animation")
    return run(blender, SCRIPT, folder, extension, python_of_the_checkout(folder))


# Minutes: in one series; what captures and what paints is tested in all.
@pytest.mark.parametrize("blender", ["4.5"], indirect=True, scope="session")
@pytest.mark.parametrize("behaviour", behaviours(SCRIPT))
def test_in_blender(outcomes, behaviour):
    assert outcomes[behaviour] == "", outcomes[behaviour]
