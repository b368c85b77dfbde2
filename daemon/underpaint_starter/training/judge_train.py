"""Training of the judge on renders with their masks and depths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from underpaint_starter.judging.judge import SIZE, Judge, judge_loss
from underpaint_starter.scenes.shards import (
    Image8,
    Shard,
    read_shard,
    shard_paths,
    to_unit,
    view_arrays,
)
from underpaint_starter.training.checkpoint import Average, load_state, save_state
from underpaint_starter.training.config import Precision, autocast
from underpaint_starter.training.muon import Optimisers
from underpaint_starter.training.progress import Progress

CHECKPOINT = "judge.pt"
BATCH = 16
_RATE = 2e-3
_SOFTNESS = (0.3, 1.6)  # px, standard deviation of the blur of half the samples


@dataclass(frozen=True, slots=True)
class JudgeRun:
    """Where and how long."""

    data: Path
    held: Path
    work: Path
    device: torch.device
    precision: Precision
    minutes: float
    steps: int = 0


def train_judge(run: JudgeRun) -> Judge:
    """Train or resume; the figures in the log are on held-out renders."""
    judge = Judge().to(run.device)
    optimiser = Optimisers([judge], _RATE)
    average = Average({"judge": judge}, 0.995)
    state = load_state(run.work / CHECKPOINT, {"judge": judge}, optimiser, average.values)
    progress = Progress("judge", run.work, run.minutes, run.steps, state)
    held = read_shard(shard_paths(run.held)[0])
    source = _batches(run.data, progress.step)
    while not progress.done:
        warm = min(1.0, (progress.step + 1) / 100)
        optimiser.set_rate(_RATE * warm * (1 - 0.97 * progress.fraction))
        images, mask, near = (part.to(run.device) for part in next(source))
        with autocast(run.device, run.precision):
            verdict = judge(images)
        loss = judge_loss(verdict, mask, near)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        optimiser.step()
        average.update({"judge": judge}, progress.step)
        if progress.advance(loss=float(loss.detach())):
            progress.report(**judge_figures(averaged_judge(average), held, 64))
            save_state(
                run.work / CHECKPOINT, {"judge": judge}, optimiser, progress.state(), average.values
            )
    return averaged_judge(average)


def averaged_judge(average: Average) -> Judge:
    """The judge of the averaged weights."""
    judge = Judge()
    judge.load_state_dict(average.values["judge"])
    return judge.eval()


def _batches(folder: Path, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    rng = np.random.default_rng(seed)
    while True:
        for path in rng.permutation(np.array(shard_paths(folder), dtype=object)):
            shard = read_shard(path)
            order = rng.permutation(len(shard))
            # Whole batches; of a few scenes, all of them.
            for start in range(0, max(1, len(order) - BATCH + 1), BATCH):
                samples = [_sample(shard, int(i), rng) for i in order[start : start + BATCH]]
                images, mask, near = (np.stack(x) for x in zip(*samples, strict=True))
                yield (
                    to_unit(images),
                    torch.from_numpy(mask).float() / 255,
                    torch.from_numpy(near).float() / 255,
                )


def _sample(shard: Shard, index: int, rng: np.random.Generator) -> tuple[Image8, Image8, Image8]:
    """One whole view, perhaps mirrored, perhaps out of focus (a soft painting has a form too):
    rgb, mask, relative depth."""
    rgb, near, _, mask = view_arrays(shard, index, None, SIZE)
    if rng.random() < 0.5:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(*_SOFTNESS))
    if rng.random() < 0.5:
        return rgb[:, ::-1], mask[:, ::-1], near[:, ::-1]
    return rgb, mask, near


@torch.no_grad()
def judge_figures(judge: Judge, shard: Shard, count: int) -> dict[str, float]:
    """How well the judge does on real renders: mean silhouette IoU and the share of object
    pairs put in the right order of depth."""
    ious, orders = [], []
    for index in range(min(count, len(shard))):
        verdict = judge.look(to_unit(shard.rgb[index : index + 1]))
        ids = torch.from_numpy(shard.object_id[index])
        ious.append(iou(verdict.mask[0] > 0.5, ids >= 2))
        order = depth_order(verdict.near[0], ids, torch.from_numpy(shard.depth[index]).float())
        orders += [order] if order is not None else []
    return {
        "iou": float(np.mean(ious)),
        "order": float(np.mean(orders)) if orders else float("nan"),
    }


def iou(one: Tensor, other: Tensor) -> float:
    """Intersection over union of two bool masks; 1 when both are empty."""
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


def depth_order(near: Tensor, ids: Tensor, depth: Tensor) -> bool | None:
    """Whether the two largest objects are seen in their order of depth; None when there are not
    two, or when they are about as far (medians within 8 %). near, ids, depth: (h, w)."""
    sizes = sorted(((int((ids == k).sum()), k) for k in range(2, int(ids.max()) + 1)), reverse=True)
    if len(sizes) < 2 or sizes[1][0] < 150:
        return None
    first, second = ids == sizes[0][1], ids == sizes[1][1]
    far = depth[first].median(), depth[second].median()
    if abs(float(far[0] / far[1]) - 1) < 0.08:
        return None
    return bool((near[first].median() > near[second].median()) == (far[0] < far[1]))
