"""An evaluation of the starter model in parts, each of which any process can do by itself.

The parts are the same however many processes share them, and so are the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers.utils.logging import disable_progress_bar

from underpaint_starter.judging import columns as c
from underpaint_starter.judging.judge import load_judge
from underpaint_starter.judging.materials import load_materials
from underpaint_starter.judging.metrics import Floats
from underpaint_starter.judging.scores import Judges, Scores, score
from underpaint_starter.judging.subjects import Subject, subject_of
from underpaint_starter.judging.views import pairs_of
from underpaint_starter.judging.word_swap import FORMS, Swap, swapped
from underpaint_starter.networks.painter import Painter
from underpaint_starter.scenes.dataset import render_scene
from underpaint_starter.scenes.shapes import Mesh
from underpaint_starter.scenes.shards import Image8

SCENES = 8  # of a part; how many scenes a column is tried on is a multiple of it
_SEEN_THROUGH = 64  # renders that go through the autoencoder
_PAIRS = 24  # objects that are seen from two sides


class Part(StrEnum):
    """Scenes that are painted in every way; one in other words; things from two sides."""

    SCENES = "scenes"
    WORDS = "words"
    SIDES = "sides"


@dataclass(frozen=True, slots=True)
class Given:
    """Which model is evaluated on what: `count` scenes from the seed `first` on."""

    model: Path
    first: int
    count: int
    size: int
    mesh: Mesh | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A part of an evaluation; of scenes: those from the `start`-th on."""

    given: Given
    part: Part
    start: int = 0


@dataclass(frozen=True, slots=True)
class Scenes:
    """What is known of a part's scenes. `painted`: outcomes by their column's suffix; `through`,
    `decibels`: of the autoencoder alone; `soft`: the renders' band powers through a blur;
    `rows`: pictures to be shown, of the first part alone."""

    columns: tuple[c.Column, ...]
    true: Scores
    painted: Mapping[str, c.Outcome]
    decibels: list[float]
    through: Scores | None
    soft: list[Floats]
    rows: list[list[Image8]]


def tasks_of(given: Given) -> list[Task]:
    """The longest first."""
    starts = range(0, given.count, SCENES)
    return [
        Task(given, Part.SIDES),
        Task(given, Part.WORDS),
        *(Task(given, Part.SCENES, start) for start in starts),
    ]


def work(task: Task) -> Scenes | Swap | dict[str, float]:
    """Do one part; the model is loaded once in each process."""
    if task.part is Part.SIDES:
        return _sides(task.given)
    if task.part is Part.WORDS:
        return _words(task.given)
    return _scenes(task)


@cache
def _tools(model: Path) -> tuple[Painter, Judges]:
    disable_progress_bar()  # of loading: it would be drawn over the evaluation's own
    cv2.setNumThreads(1)  # as torch's: more would only wait for one another
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Painter.load(model, device, "depth"), Judges(load_judge(), load_materials())


def _subject(given: Given, index: int) -> Subject:
    sample = render_scene(
        given.first + index, size=given.size, held_out=given.mesh is None, mesh=given.mesh
    )
    return subject_of(sample)


def _shipped(painter: Painter) -> c.Column:
    return c.columns_of(tuple(painter.nets))[0]


def _scenes(task: Task) -> Scenes:
    given, start = task.given, task.start
    painter, judges = _tools(given.model)
    stop = min(start + SCENES, given.count)
    subjects = [_subject(given, index) for index in range(start, stop)]
    columns = tuple(c.columns_of(tuple(painter.nets)))
    painted = {
        column.suffix: c.tried(painter, judges, subjects, column, given.first + start)
        for column in columns
        if start < column.most
    }
    seen_through = start < _SEEN_THROUGH
    decibels, through = c.through_vae(painter, judges, subjects) if seen_through else ([], None)
    return Scenes(
        columns,
        score(judges, [subject.rgb for subject in subjects], subjects),
        {name: c.Outcome([], one.scores, one.seconds) for name, one in painted.items()},
        decibels,
        through,
        c.blurred_bands(subjects),
        [] if start else _rows(subjects, [one.images for one in painted.values()]),
    )


def _rows(subjects: Sequence[Subject], painted: Sequence[list[Image8]]) -> list[list[Image8]]:
    renders = [subject.sample.rgb for subject in subjects]
    return [renders, [c.conditions_of(s.sample)["depth"] for s in subjects], *painted]


def _words(given: Given) -> Swap:
    painter, judges = _tools(given.model)
    every = (_subject(given, index) for index in range(given.count))
    alone = list(islice((subject for subject in every if subject.material), FORMS))
    shipped = painter.following(*_shipped(painter).controls)
    return swapped(shipped, judges.materials, alone, given.first)


def _sides(given: Given) -> dict[str, float]:
    """Textures of two sides at the same spots: painted, each from a noise of its own, and true."""
    painter, _ = _tools(given.model)
    pairs = pairs_of(given.first + 50_000, min(_PAIRS, given.count), given.size, given.mesh)
    column = _shipped(painter)
    first, _ = c.paint(painter, [pair.first for pair in pairs], column, given.first)
    second, _ = c.paint(painter, [pair.second for pair in pairs], column, given.first + 5_000)
    found = zip(pairs, first, second, strict=True)
    suffix = "" if "guide" in column.controls else "_unguided"
    return {
        f"view_agreement{suffix}": float(np.mean([p.agreement(a, b) for p, a, b in found])),
        "view_agreement_render": float(
            np.mean([pair.agreement(pair.first.rgb, pair.second.rgb) for pair in pairs])
        ),
    }
