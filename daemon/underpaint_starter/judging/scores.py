"""Scores of a set of pictures against the scenes they should show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt
import torch

from underpaint_daemon.tools.evals.edges import depth_edges, edge_recall
from underpaint_starter.judging.judge import Judge
from underpaint_starter.judging.metrics import sharpness
from underpaint_starter.judging.texture import TextureJudge
from underpaint_starter.networks.models import NATIVE_SIZE
from underpaint_starter.scenes.colours import TWO_TONE, dominant_colour
from underpaint_starter.scenes.dataset import SceneSample
from underpaint_starter.scenes.shards import Image8, resize_area, to_unit
from underpaint_starter.training.judge_train import depth_order, iou

_SMALLEST = 400  # px of an object whose colour and material are judged
_UNJUDGED = frozenset({"glass", "lava"}) | TWO_TONE  # have no one colour, whatever the prompt says


@dataclass(frozen=True, slots=True)
class Judges:
    """Who looks at the pictures: for silhouettes and depth, and for materials."""

    form: Judge
    texture: TextureJudge


@dataclass(slots=True)
class Scores:
    """One entry a picture that the measure applies to."""

    silhouette: list[float] = field(default_factory=list)
    edges: list[float] = field(default_factory=list)
    order: list[bool] = field(default_factory=list)
    colour: list[bool] = field(default_factory=list)
    material: list[bool] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    features: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def measures(self, suffix: str) -> dict[str, float]:
        """Means by the names of the report; nan where no picture applied."""
        return {
            f"silhouette_iou{suffix}": _mean(self.silhouette),
            f"depth_edge_recall{suffix}_fraction": _mean(self.edges),
            f"depth_order{suffix}_fraction": _mean(self.order),
            f"colour_accuracy{suffix}": _mean(self.colour),
            f"material_accuracy{suffix}": _mean(self.material),
        }


def _mean(values: list[float] | list[bool]) -> float:
    return float(np.nanmean(values)) if values else float("nan")


@torch.no_grad()
def score(judges: Judges, images: list[Image8], samples: list[SceneSample]) -> Scores:
    """Score each picture (h, w, 3) uint8 by the scene of the same index."""
    scores = Scores()
    for image, sample in zip(images, samples, strict=True):
        _score_one(scores, judges, image, sample)
    return scores


def _score_one(scores: Scores, judges: Judges, image: Image8, sample: SceneSample) -> None:
    scores.sharpness.append(sharpness(image))
    image, sample = resize_area(image, NATIVE_SIZE), _native(sample)
    verdict = judges.form.look(to_unit(image[None]))
    ids = torch.from_numpy(sample.object_id)
    truth = ids >= 2
    scores.silhouette.append(iou(verdict.mask[0] > 0.5, truth))
    scores.edges.append(edge_recall(image, depth_edges(sample.depth)))
    scores.features.append(verdict.features[0].double().numpy())
    order = depth_order(verdict.near[0], ids, torch.from_numpy(sample.depth))
    if order is not None:
        scores.order.append(order)
    _score_words(scores, judges.texture, image, sample)


def _native(sample: SceneSample) -> SceneSample:
    """The scene at the size that the judges know."""
    side = sample.depth.shape[0]
    if side == NATIVE_SIZE:
        return sample
    at = ((np.arange(NATIVE_SIZE) + 0.5) * side / NATIVE_SIZE).astype(int)
    spots = np.ix_(at, at)
    return replace(sample, depth=sample.depth[spots], object_id=sample.object_id[spots])


def _score_words(scores: Scores, judge: TextureJudge, image: Image8, sample: SceneSample) -> None:
    """Colour and material of views of one object; painterly styles are left out."""
    things = sample.labels["objects"]
    if not isinstance(things, list) or len(things) != 1:
        return
    if sample.labels["style"] not in ("photo", "toon"):
        return
    inside = cv2.erode((sample.object_id >= 2).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if inside.sum() < _SMALLEST:
        return
    thing = things[0]
    scores.material.append(judge.name(image, inside) == thing["material"])
    if thing["colour"] and thing["material"] not in _UNJUDGED:
        scores.colour.append(dominant_colour(torch.from_numpy(image[inside])) == thing["colour"])
