"""Runs inside Blender: what artists rely on when they texture. One function a behaviour.

    BLENDER_PYTHON texture_behaviours.py -- RESULTS.json EXTENSION.zip [BEHAVIOUR …]

Like `addon_behaviours`, on the installed extension; the painter of `depth_painter` gives every
texel a colour that can be said beforehand.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.extend(map(str, Path(__file__).parents[1].iterdir()))
import addon_tools

# isort: split
import texture_asking
import texture_coverage
import texture_editing
import texture_layers
import texture_materials
import texture_places
import texture_trouble
from texture_checks import SIDE, settings

BEHAVIOURS = (
    *texture_asking.BEHAVIOURS,
    *texture_coverage.BEHAVIOURS,
    *texture_layers.BEHAVIOURS,
    *texture_materials.BEHAVIOURS,
    *texture_places.BEHAVIOURS,
    *texture_editing.BEHAVIOURS,
    *texture_trouble.BEHAVIOURS,
)


if __name__ == "__main__":
    addon_tools.main(BEHAVIOURS, before=lambda: setattr(settings(), "size", SIDE))
