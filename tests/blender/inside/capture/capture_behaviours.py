"""Runs inside Blender: what artists rely on in a capture. One function a behaviour.

    BLENDER_PYTHON capture_behaviours.py -- RESULTS.json

Writes {behaviour: "" or the traceback}. `test_capture.py` starts it and reports each.
"""
# ruff: noqa: E402 (imports need the checkout on the path, and some need bpy first)

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
sys.path[:0] = [str(ROOT), str(ROOT / "protocol"), *map(str, Path(__file__).parents[1].iterdir())]

import bpy

# isort: split
import capture_cameras
import capture_kept
import capture_motion
import capture_sameness
import capture_surfaces
from outcomes import outcome

from underpaint.blenders import script_arguments

BEHAVIOURS = (
    *capture_cameras.BEHAVIOURS,
    *capture_kept.BEHAVIOURS,
    *capture_motion.BEHAVIOURS,
    *capture_sameness.BEHAVIOURS,
    *capture_surfaces.BEHAVIOURS,
)


def empty_scene() -> None:
    bpy.ops.wm.read_factory_settings()
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)


if __name__ == "__main__":
    results = {behaviour.__name__: outcome(behaviour, empty_scene) for behaviour in BEHAVIOURS}
    Path(script_arguments(sys.argv)[0]).write_text(json.dumps(results))
    # Blender 4.5 can hang while it is torn down.
    shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
    sys.stdout.flush()
    os._exit(0)
