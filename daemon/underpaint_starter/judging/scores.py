"""Scores of a set of pictures against the scenes they should show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from underpaint_daemon.tools.evals.edges import edge_recall
from underpaint_starter.judging.judge import Judge
from underpaint_starter.judging.materials import MaterialJudge, Readings, alike, patch_of, read
from underpaint_starter.judging.metrics import Floats, band_powers, sharpness_inside
from underpaint_starter.judging.subjects import NATIVE_SIZE, Subject
from underpaint_starter.scenes.colours import dominant_colour
from underpaint_starter.scenes.shards import Image8, resize_area, to_unit
from underpaint_starter.training.judge_train import depth_order, iou


@dataclass(frozen=True, slots=True)
class Judges:
    """Who looks at the pictures: for silhouettes and depth, and for materials."""

    form: Judge
    materials: MaterialJudge


@dataclass(frozen=True, slots=True)
class Scores:
    """What the judges saw: an entry a picture (nan: does not apply), but `names` and `readings`,
    which have one for each subject with a material."""

    silhouette: list[float]
    edges: list[float]
    order: list[float]
    colour: list[float]
    sharpness: list[float]
    bands: list[Floats]
    names: list[str]
    readings: Readings | None

    def measures(self, suffix: str) -> dict[str, float]:
        """Means by the names of the report; nan where no picture applied."""
        return {
            f"silhouette_iou{suffix}": _mean(self.silhouette),
            f"depth_edge_recall{suffix}": _mean(self.edges),
            f"depth_order{suffix}": _mean(self.order),
            f"colour_accuracy{suffix}": _mean(self.colour),
            f"material_accuracy{suffix}": self.material_accuracy,
            f"material_group_accuracy{suffix}": self.material_group_accuracy,
        }

    @property
    def material_accuracy(self) -> float:
        """How often the classifier names the material."""
        return _mean([float(seen == asked) for seen, asked in self._named()])

    @property
    def material_group_accuracy(self) -> float:
        """How often it names the material or one of its group (see `materials.GROUPS`)."""
        return _mean([float(alike(seen, asked)) for seen, asked in self._named()])

    def _named(self) -> list[tuple[str, str]]:
        seen = self.readings.names() if self.readings is not None else []
        return list(zip(seen, self.names, strict=True))

    def confusion(self) -> dict[str, dict[str, int]]:
        """Asked word to seen words and how often."""
        out: dict[str, Counter[str]] = {}
        for found, asked in self._named():
            out.setdefault(asked, Counter())[found] += 1
        return {asked: dict(out[asked].most_common()) for asked in sorted(out)}


def joined(parts: Sequence[Scores]) -> Scores:
    """The scores of all pictures, in the order of the parts."""
    read_ones = [part.readings.logits for part in parts if part.readings is not None]
    return Scores(
        silhouette=[x for part in parts for x in part.silhouette],
        edges=[x for part in parts for x in part.edges],
        order=[x for part in parts for x in part.order],
        colour=[x for part in parts for x in part.colour],
        sharpness=[x for part in parts for x in part.sharpness],
        bands=[x for part in parts for x in part.bands],
        names=[x for part in parts for x in part.names],
        readings=Readings(torch.cat(read_ones)) if read_ones else None,
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


@torch.no_grad()
def score(judges: Judges, images: Sequence[Image8], subjects: Sequence[Subject]) -> Scores:
    """Score each picture (h, w, 3) uint8 by the scene of the same index."""
    sized = [np.asarray(resize_area(image, NATIVE_SIZE)) for image in images]
    pairs = list(zip(sized, subjects, strict=True))
    forms = [_form(judges.form, image, subject) for image, subject in pairs]
    told = [(image, subject) for image, subject in pairs if subject.material]
    patches = [patch_of(image, subject.inside) for image, subject in told]
    return Scores(
        [form[0] for form in forms],
        [edge_recall(image, subject.edges) for image, subject in pairs],
        [form[1] for form in forms],
        [_colour(image, subject) for image, subject in pairs],
        [sharpness_inside(i, s.inside) if s.inside.any() else np.nan for i, s in pairs],
        [band_powers(image, subject.inside) for image, subject in pairs],
        [subject.material for _, subject in told],
        read(judges.materials, patches) if patches else None,
    )


def _form(judge: Judge, image: Image8, subject: Subject) -> tuple[float, float]:
    """Overlap of the silhouettes, and whether two objects stand in their order (nan: no two)."""
    verdict = judge.look(to_unit(image[None]))
    ids = torch.from_numpy(subject.object_id)
    order = depth_order(verdict.near[0], ids, torch.from_numpy(subject.depth))
    return iou(verdict.mask[0] > 0.5, ids >= 2), np.nan if order is None else float(order)


def _colour(image: Image8, subject: Subject) -> float:
    if not subject.colour:
        return float("nan")
    return float(dominant_colour(torch.from_numpy(image[subject.inside])) == subject.colour)
