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

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from underpaint_starter.judging.materials import (
    WEIGHTS,
    WORDS,
    MaterialJudge,
    Readings,
    patch_of,
    read,
    row_of,
    save_materials,
)
from underpaint_starter.judging.subjects import subject_of
from underpaint_starter.judging.swatch_patches import (
    Swatches,
    load_swatches,
    plain_patch,
    varied_patch,
)
from underpaint_starter.scenes.dataset import render_scene

_BATCH = 128
_VARIANTS = 15  # of a picture
_LEAST = 150  # px of the object that a variant must show
_NOISE = 0.25  # of a row's spread, so that no single number decides
_RENDER_SEED = 8_500_000  # far from the scenes of training and of `eval starter`


def fitted(rows: Tensor, names: Tensor, epochs: int, seed: int = 0) -> MaterialJudge:
    """A classifier of rows (n, d) by their words (n,)."""
    torch.manual_seed(seed)
    judge = MaterialJudge(rows.shape[1])
    judge.get_buffer("mean").copy_(rows.mean(0))
    judge.get_buffer("spread").copy_(rows.std(0) + 1e-3)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for part in torch.split(torch.randperm(len(rows)), _BATCH):
            noise = _NOISE * judge.get_buffer("spread") * torch.randn_like(rows[part])
            logits = judge(rows[part] + noise)[0]
            loss = F.cross_entropy(logits, names[part], label_smoothing=0.1)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        schedule.step()
    return judge.eval()


def rows_of(swatches: Swatches, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Rows (n, d) and words (n,) of every swatch, as it is and as others might have made it."""
    rng = np.random.default_rng(seed)
    rows, names = [], []
    for picture, name in zip(swatches.pictures, swatches.names, strict=True):
        variants = [varied_patch(picture, WORDS[name], rng) for _ in range(_VARIANTS)]
        for patch in (plain_patch(picture), *variants):
            if (patch[..., 3] > 127).sum() >= _LEAST:
                rows.append(row_of(patch))
                names.append(name)
    return torch.from_numpy(np.stack(rows)), torch.tensor(names)


def told(readings: Readings, names: list[int]) -> dict[str, object]:
    """How often the classifier is right, in all and by word, and what it takes words for."""
    seen = readings.logits.argmax(1).tolist()
    confusion: dict[str, dict[str, int]] = {}
    for name, found in zip(names, seen, strict=True):
        row = confusion.setdefault(WORDS[name], {})
        row[WORDS[found]] = row.get(WORDS[found], 0) + 1
    right = [name == found for name, found in zip(names, seen, strict=True)]
    return {
        "accuracy": round(float(np.mean(right)), 4),
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
    began = time.process_time()
    judge = fitted(*rows_of(load_swatches(options.swatches)), options.epochs)
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
    subjects = (subject_of(render_scene(_RENDER_SEED + k, held_out=True)) for k in range(4 * count))
    judged = list(islice((subject for subject in subjects if subject.material), count))
    patches = [patch_of(subject.rgb, subject.inside) for subject in judged]
    return told(read(judge, patches), [WORDS.index(subject.material) for subject in judged])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--swatches", type=Path, required=True, help="pictures to learn from")
    parser.add_argument("--unseen", type=Path, required=True, help="pictures of unseen forms")
    parser.add_argument("--epochs", type=int, default=40, help="times each is looked at (40)")
    parser.add_argument("--renders", type=int, default=120, help="of the starter's to judge (120)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="weights; figures go beside them")
    return parser


if __name__ == "__main__":
    main()
