"""`python -m underpaint_starter.judging.materials_train`: train the material classifier.

It learns from pictures of `swatches.render` and states its figures: on Blender's pictures of
forms that it never saw, and on the starter's own renders.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from underpaint_starter.judging.materials import (
    WEIGHTS,
    WORDS,
    MaterialJudge,
    Readings,
    alike,
    patch_of,
    read,
    rows_of,
    save_materials,
)
from underpaint_starter.judging.subjects import subject_of
from underpaint_starter.judging.swatch_patches import (
    Swatches,
    blurred_patch,
    load_swatches,
    noisy_patch,
    plain_patch,
    varied_patch,
)
from underpaint_starter.judging.views import PATTERNED
from underpaint_starter.scenes.dataset import rendered_sample
from underpaint_starter.scenes.scenes import sample_scene

_VARIANTS = 3  # of a picture
_LEAST = 300  # px of the object that a variant must show
_SHRUNK = 0.2  # of the covariance: what remains says which numbers go together
_SURE = 2.0  # standard deviation of the logits
_NEVER = -30.0  # logit of a word that no picture showed
_BLURRED, _NOISY = len(WORDS), len(WORDS) + 1  # in the order of SPOILT
_RENDER_SEED = 8_500_000  # far from the scenes of training and of `eval starter`


def fitted(rows: Tensor, names: Tensor) -> MaterialJudge:
    """A classifier of rows (n, ROW) by their words (n,), those of SPOILT after the materials:
    linear discriminants (Fisher 1936) over the materials' shrunk covariance (Friedman 1989), in
    closed form. What is spoilt makes it less sure, and draws no line between materials."""
    judge = MaterialJudge()
    whole, present = names < len(WORDS), torch.unique(names)
    judge.get_buffer("mean").copy_(rows[whole].mean(0))
    judge.get_buffer("spread").copy_(rows[whole].std(0) + 1e-3)
    scaled = judge.scaled(rows).double()
    middles = torch.stack([scaled[names == name].mean(0) for name in present])
    apart = (scaled - middles[torch.searchsorted(present, names)])[whole]
    poles = _times_inverse_covariance(middles, apart)
    offsets = -0.5 * (poles * middles).sum(1)
    with torch.no_grad():
        scale = _SURE / (scaled @ poles.T + offsets)[whole][:, present < len(WORDS)].std()
        judge.words.weight.zero_()
        judge.words.bias.fill_(_NEVER)
        judge.words.weight[present] = (scale * poles).float()
        judge.words.bias[present] = (scale * offsets).float()
    return judge.eval()


def _times_inverse_covariance(vectors: Tensor, apart: Tensor) -> Tensor:
    """Vectors (k, d) times the inverse of the covariance of `apart` (n, d) shrunk towards its
    mean variance."""
    count, width = apart.shape
    even = _SHRUNK * (apart**2).sum() / count / width
    shrunk = (1 - _SHRUNK) / count * (apart.T @ apart) + even * torch.eye(width, dtype=apart.dtype)
    out: Tensor = torch.linalg.solve(shrunk, vectors.T).T
    return out


def shown(swatches: Swatches, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Rows (n, d) and words (n,) of every swatch: as it is, as others might have made it, and
    spoilt."""
    rng = np.random.default_rng(seed)
    patches, names = [], []
    for picture, name in zip(swatches.pictures, swatches.names, strict=True):
        word = WORDS[name]
        made = [(plain_patch(picture), name)]
        made += [(varied_patch(picture, word, rng), name) for _ in range(_VARIANTS)]
        made += [(blurred_patch(picture, word, rng), _BLURRED)] if word in PATTERNED else []
        made += [(noisy_patch(picture, word, rng), _NOISY)]
        enough = [(p, n) for p, n in made if (p[..., 3] > 127).sum() >= _LEAST]
        patches += [patch for patch, _ in enough]
        names += [number for _, number in enough]
    return rows_of(patches), torch.tensor(names)


def told(readings: Readings, names: list[int]) -> dict[str, object]:
    """How often the classifier is right, in all and by word, and what it takes words for."""
    seen = [WORDS.index(word) for word in readings.names()]
    confusion: dict[str, dict[str, int]] = {}
    for name, found in zip(names, seen, strict=True):
        row = confusion.setdefault(WORDS[name], {})
        row[WORDS[found]] = row.get(WORDS[found], 0) + 1
    right = [name == found for name, found in zip(names, seen, strict=True)]
    grouped = [alike(WORDS[a], WORDS[b]) for a, b in zip(names, seen, strict=True)]
    return {
        "accuracy": round(float(np.mean(right)), 4),
        "group_accuracy": round(float(np.mean(grouped)), 4),
        "pictures": len(names),
        "confusion": {word: confusion[word] for word in sorted(confusion)},
    }


def stated(judge: MaterialJudge, swatches: Swatches) -> dict[str, object]:
    """Figures on pictures of Blender's."""
    return told(read(judge, [plain_patch(p) for p in swatches.pictures]), swatches.names)


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    options = _parser().parse_args(argv)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    began = time.process_time()
    judge = fitted(*shown(load_swatches(options.swatches)))
    save_materials(judge, options.out)
    figures = {
        "trained_cpu_seconds": round(time.process_time() - began),
        "blender_unseen_forms": stated(judge, load_swatches(options.unseen)),
        "starter_renders": on_renders(judge, options.renders),
    }
    options.out.with_suffix(".json").write_text(json.dumps(figures, indent=1), "utf-8")
    for name, part in figures.items():
        print(name, part["accuracy"] if isinstance(part, dict) else part)


def on_renders(judge: MaterialJudge, count: int) -> dict[str, object]:
    """Figures on the starter's own renders: unseen scenes of one object in photo style."""
    specs = (sample_scene(_RENDER_SEED + k, held_out=True) for k in range(20 * count))
    alone = (spec for spec in specs if len(spec.objects) == 1 and spec.words.style == "photo")
    subjects = (subject_of(rendered_sample(spec)) for spec in alone)
    judged = list(islice((subject for subject in subjects if subject.material), count))
    patches = [patch_of(subject.rgb, subject.inside) for subject in judged]
    return told(read(judge, patches), [WORDS.index(subject.material) for subject in judged])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--swatches", type=Path, required=True, help="pictures to learn from")
    parser.add_argument("--unseen", type=Path, required=True, help="pictures of unseen forms")
    parser.add_argument("--renders", type=int, default=120, help="of the starter's to judge (120)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="weights; figures go beside them")
    return parser


if __name__ == "__main__":
    main()
