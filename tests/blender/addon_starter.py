"""Runs inside Blender: the installed extension paints the demo scene with the starter model.

BLENDER_PYTHON addon_starter.py -- RESULTS.json EXTENSION.zip
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import bpy
from addon_behaviours import MODULE, addon, install, live, stop_daemon

# isort: split
import addon_utils
import numpy as np


def paint_demo(out: Path) -> dict[str, float]:
    """Build the demo scene, press Generate, measure the picture."""
    scene = addon("demo_scene").build()
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        settings = scene.underpaint
        settings.prompt, settings.seed = "a red clay head on sand", 3
        began = time.monotonic()
        assert bpy.ops.underpaint.generate(timeout=800) == {"FINISHED"}
        seconds = time.monotonic() - began
    image = bpy.data.images[live().last_image]
    width, height = image.size
    pixels = np.array(image.pixels, np.float32).reshape(height, width, 4)[..., :3]
    image.save(filepath=str(out))
    middle = pixels[height * 2 // 5 : height * 3 // 5, width * 2 // 5 : width * 3 // 5]
    top = pixels[-height // 12 :]
    return {
        "seconds": seconds,
        "colours": len(np.unique((pixels.reshape(-1, 3) * 255).astype(np.uint8), axis=0)),
        "inside_outside_difference": float(np.abs(middle.mean((0, 1)) - top.mean((0, 1))).max()),
    }


if __name__ == "__main__":
    report, extension = sys.argv[sys.argv.index("--") + 1 :]
    install(Path(extension))
    try:
        measures = paint_demo(Path(report).with_suffix(".png"))
        Path(report).write_text(json.dumps(measures))
    finally:
        stop_daemon()
        addon_utils.disable(MODULE)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)
