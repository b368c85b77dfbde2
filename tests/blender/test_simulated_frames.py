"""An animation's frames are painted from far apart to near; a simulation is what it is all the
same."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from underpaint.animation.captures import SceneCaptures

pytestmark = [pytest.mark.blender]
SCRIPT = Path(__file__).parent / "inside" / "shared" / "simulated_scene.py"


def heights(blender, file, frames):
    with closing(SceneCaptures(blender, file)) as captures:
        taken = {frame: captures.take(frame, 32, 32).track for frame in frames}
    return {frame: float(track.placings[0].to_world[2, 3]) for frame, track in taken.items()}


@pytest.mark.parametrize("blender", ["4.5"], indirect=True, scope="session")
def test_a_simulation_is_the_same_in_whatever_order_frames_are_captured(blender, tmp_path):
    file = tmp_path / "falling.blend"
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = blender.command(SCRIPT, [str(file)])
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=own)
    in_order = heights(blender, file, range(1, 21))
    assert in_order[1] > in_order[10] + 0.5 > in_order[20]
    ahead = heights(blender, file, (1, 20, 10, 5))
    assert ahead == {frame: in_order[frame] for frame in ahead}
