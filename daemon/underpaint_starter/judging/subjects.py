"""What judges need of a scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from underpaint_daemon.tools.evals.edges import depth_edges
from underpaint_starter.judging.metrics import Mask, interior
from underpaint_starter.scenes.colours import TWO_TONE
from underpaint_starter.scenes.dataset import SceneSample
from underpaint_starter.scenes.shards import Image8, resize_area

NATIVE_SIZE = 256  # px, the size that the judges know
_SMALLEST = 400  # px of an object whose colour and material are judged
_UNJUDGED = frozenset({"glass", "lava"}) | TWO_TONE  # have no one colour, whatever the prompt says


@dataclass(frozen=True, slots=True)
class Subject:
    """A scene, and its render and buffers at NATIVE_SIZE.

    `inside`: pixels well within its objects; `material`, `colour`: of views of one object in photo
    style that is large enough, else "".
    """

    sample: SceneSample
    rgb: Image8
    depth: npt.NDArray[np.float32]
    object_id: npt.NDArray[np.uint8]
    inside: Mask
    edges: Mask
    material: str
    colour: str


def subject_of(sample: SceneSample) -> Subject:
    """What is judged in a scene."""
    side = sample.depth.shape[0]
    at = ((np.arange(NATIVE_SIZE) + 0.5) * side / NATIVE_SIZE).astype(int)
    depth, ids = sample.depth[np.ix_(at, at)], sample.object_id[np.ix_(at, at)]
    inside = interior(ids)
    material, colour = _words(sample, inside)
    rgb = np.asarray(resize_area(sample.rgb, NATIVE_SIZE))
    return Subject(sample, rgb, depth, ids, inside, depth_edges(depth), material, colour)


def _words(sample: SceneSample, inside: Mask) -> tuple[str, str]:
    things = sample.labels["objects"]
    alone = isinstance(things, list) and len(things) == 1
    if not alone or sample.labels["style"] != "photo" or inside.sum() < _SMALLEST:
        return "", ""
    assert isinstance(things, list)
    material, colour = str(things[0]["material"]), str(things[0]["colour"])
    return material, "" if material in _UNJUDGED else colour
