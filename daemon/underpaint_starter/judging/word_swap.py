"""One picture's controls, ten material words: does the word choose the material?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from underpaint_starter.judging.columns import conditions_of
from underpaint_starter.judging.materials import MaterialJudge, patch_of, read
from underpaint_starter.judging.subjects import NATIVE_SIZE, Subject
from underpaint_starter.networks.painter import Painter
from underpaint_starter.scenes.captions import MATERIAL_WORDS, SHAPE_WORDS
from underpaint_starter.scenes.colours import TWO_TONE
from underpaint_starter.scenes.shards import Image8, resize_area

WORDS = ("brick", "planks", "tiles", "mossy", "marble", "striped", "checkered", "woven", "scales",
         "lava")  # fmt: skip
FORMS = 4


@dataclass(frozen=True, slots=True)
class Swap:
    """How often, of so many tries, the classifier names the word; what it named instead; a row of
    pictures a form."""

    accuracy: float
    tries: int
    confusion: dict[str, dict[str, int]]
    rows: list[list[Image8]]


def prompt_of(word: str, shape: str) -> str:
    """ "a brick ball", as an artist would ask for it; a pattern of two colours says them."""
    colours = "red and white " if word in TWO_TONE else ""
    return f"a {colours}{MATERIAL_WORDS[word][0][0]} {SHAPE_WORDS[shape][0]}"


def swapped(painter: Painter, judge: MaterialJudge, subjects: Sequence[Subject], seed: int) -> Swap:
    """Paint the first forms that stand alone in every word."""
    chosen = [subject for subject in subjects if subject.material][:FORMS]
    rows, confusion = [], {word: Counter[str]() for word in WORDS}
    for number, subject in enumerate(chosen):
        things = subject.sample.labels["objects"]
        assert isinstance(things, list)
        prompts = [prompt_of(word, things[0]["shape"]) for word in WORDS]
        condition = conditions_of(subject.sample)
        row = painter.paint(prompts, [condition] * len(WORDS), seed + 100 * number)
        sized = [np.asarray(resize_area(image, NATIVE_SIZE)) for image in row]
        readings = read(judge, [patch_of(image, subject.inside) for image in sized])
        for word, seen in zip(WORDS, readings.names(), strict=True):
            confusion[word][seen] += 1
        rows.append(row)
    named = sum(confusion[word][word] for word in WORDS)
    shown = {word: dict(found.most_common()) for word, found in confusion.items()}
    tries = len(WORDS) * len(chosen)
    return Swap(named / max(1, tries), tries, shown, rows)
