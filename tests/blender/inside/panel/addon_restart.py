"""Two Blenders, one after the other: the first closes while something is painted.

BLENDER addon_restart.py -- REPORT EXTENSION close|open
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.extend(map(str, Path(__file__).parents[1].iterdir()))
from addon_tools import MODULE, addon, begin, draw, install, live, pump_until, settings

# isort: split
import addon_utils
import bpy


def closes_while_it_paints(extension: str) -> dict[str, object]:
    install(Path(extension))
    task = begin("steps=20 seconds=0.1")
    pump_until(lambda: task.step > 1)
    return {"job": task.id, "pid": os.getpid()}


def is_offered_what_ended_meanwhile() -> dict[str, object]:
    assert addon_utils.enable(MODULE) is not None
    (note,) = live().session.left
    offered = any(note.title in text for text in draw("UNDERPAINT_PT_main").texts)
    assert bpy.ops.underpaint.fetch_left(job=note.job) == {"FINISHED"}
    pump_until(lambda: settings().results)
    width, height = settings().results[0].image.size
    still_left = len(addon("link.left").left_over(live().session._paths(), set()))
    return {"job": note.job, "pid": note.pid, "offered": offered, "size": [width, height]} | {
        "still_left": still_left
    }


report, extension, stage = sys.argv[sys.argv.index("--") + 1 :]
facts = closes_while_it_paints(extension) if stage == "close" else is_offered_what_ended_meanwhile()
Path(report).write_text(json.dumps(facts))
# The script ends here, and Blender closes as it does when its window is closed.
