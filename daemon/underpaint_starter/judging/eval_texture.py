"""`underpaint eval texture`: the daemon's own measures, and whether the material can be named.

The classifier looks at the textured mesh from eight cameras that painted nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

import cv2
import numpy as np

from underpaint.measures import Bar, at_least
from underpaint_daemon.tools.evals.texture import Seen
from underpaint_daemon.tools.evals.texture import main as measure
from underpaint_starter.judging.materials import load_materials, patch_of, read, word_in

_NAMED = 0.7
_EDGE = np.ones((5, 5), np.uint8)


def main(argv: list[str] | None = None) -> int:
    """Command line; see `underpaint eval texture --help`. Without the classifier's packages the
    daemon's own measures are taken alone, and stderr says so."""
    if find_spec("efficientnet_lite_pytorch") is None:
        sys.stderr.write(
            "texture_material_accuracy is not measured; for it: "
            "pip install 'underpaint-starter[judging]'\n"
        )
        return measure(argv)
    return measure(argv, named)


def named(prompt: str, seen: Sequence[Seen]) -> tuple[dict[str, float], list[Bar]]:
    """How often the classifier names the prompt's material; nothing when the prompt names none."""
    asked = word_in(prompt)
    if not asked:
        return {}, []
    insides = [cv2.erode(mask.astype(np.uint8), _EDGE) > 0 for _, mask in seen]
    pairs = zip(seen, insides, strict=True)
    patches = [patch_of(image, inside) for (image, _), inside in pairs if inside.any()]
    names = read(load_materials(), patches).names()
    share = float(np.mean([name == asked for name in names]))
    return {"texture_material_accuracy": share}, [
        at_least("texture_material_accuracy", share, _NAMED)
    ]
