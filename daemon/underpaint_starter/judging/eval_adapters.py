"""`underpaint eval adapters`: do the starter's own LoRA and IP-Adapter do what they are there for?

Unseen forms are painted by the very runner that the daemon has: in words alone, with the LoRA, and
with another scene's render as reference.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from underpaint.buffers import BufferRef, Buffers, Kind
from underpaint.cli.options import add_json
from underpaint.cli.terminal.parser import Parser
from underpaint.errors import ErrorCode, RequestError
from underpaint.measures import Report, at_least
from underpaint.paths import user_paths
from underpaint.requests import (
    STARTER_MODEL,
    Control,
    ControlKind,
    ImageRequest,
    Lora,
    Prompt,
    Reference,
    Sampling,
)
from underpaint_daemon.common.models import inspect, starter_folder
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.quiet import Quiet
from underpaint_starter.judging.columns import conditions_of
from underpaint_starter.judging.materials import load_materials, patch_of, rows_of
from underpaint_starter.judging.subjects import NATIVE_SIZE, Subject, subject_of
from underpaint_starter.scenes.captions import SHAPE_WORDS
from underpaint_starter.scenes.dataset import held_out_scenes
from underpaint_starter.scenes.shards import Image8
from underpaint_starter.training.sheets import save_grid

_FIRST_SEED = 9_400_000  # far from the training scenes' seeds
_TRIED = 4  # scenes looked through for one that is judged
_TOLD, _TOWARDS = 0.9, 0.8
Rows = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Studio:
    """Paints subjects of the same size, all with the same seeds."""

    runner: PipelineRunner
    seed: int

    def paint(
        self, subject: Subject, loras: tuple[Lora, ...] = (), reference: Image8 | None = None
    ) -> Image8:
        """One picture of the subject's form; its words name no material and no colour."""
        buffers = Buffers()
        referred = () if reference is None else (Reference(image=_kept(buffers, reference)),)
        request = ImageRequest(
            Prompt(_words(subject)),
            model=STARTER_MODEL,
            width=NATIVE_SIZE,
            height=NATIVE_SIZE,
            controls=_controls(buffers, subject),
            loras=loras,
            references=referred,
            sampling=Sampling(seed=self.seed),
        )
        artifacts = self.runner(request, buffers, Quiet())
        picture = next(a for a in artifacts if a.media == "image/png")
        return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"))


def _kept(buffers: Buffers, image: Image8) -> BufferRef:
    return buffers.add(Kind.COLOR, np.ascontiguousarray(image))


def _controls(buffers: Buffers, subject: Subject) -> tuple[Control, ...]:
    shown = conditions_of(subject.sample)
    kinds = (ControlKind.DEPTH, ControlKind.GUIDE)
    return tuple(Control(kind, image=_kept(buffers, shown[kind.value])) for kind in kinds)


def _words(subject: Subject) -> str:
    things = subject.sample.labels["objects"]
    assert isinstance(things, list)
    return f"a {SHAPE_WORDS[things[0]['shape']][0]}"


def told_apart(one: Rows, other: Rows) -> float:
    """How often the nearer mean of the other half's rows is the own one: (n, k) each, of the same
    scenes; half of them say what is looked for in the other half, and the reverse."""
    right = []
    for half in (0, 1):
        first, second = one[1 - half :: 2].mean(0), other[1 - half :: 2].mean(0)
        for rows, sign in ((one[half::2], 1.0), (other[half::2], -1.0)):
            nearer = np.linalg.norm(rows - second, axis=1) - np.linalg.norm(rows - first, axis=1)
            right += list(sign * nearer > 0)
    return float(np.mean(right))


def towards(before: Rows, after: Rows, goal: Rows) -> npt.NDArray[np.bool_]:
    """(n,) whether rows (n, k) came nearer to their goal."""
    return np.asarray(
        np.linalg.norm(after - goal, axis=1) < np.linalg.norm(before - goal, axis=1), np.bool_
    )


def colours_of(images: Sequence[Image8], subjects: Sequence[Subject]) -> Rows:
    """(n, 3) mean CIE L*a*b* inside the objects."""
    pairs = zip(images, subjects, strict=True)
    return np.stack(
        [cv2.cvtColor(i.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[s.inside].mean(0)
         for i, s in pairs]
    ).astype(np.float64)  # fmt: skip


def materials_of(images: Sequence[Image8], subjects: Sequence[Subject]) -> Rows:
    """(n, k) what the material classifier's network sees of the objects, in deviations."""
    patches = [patch_of(i, s.inside) for i, s in zip(images, subjects, strict=True)]
    return np.asarray(load_materials().scaled(rows_of(patches)).double().numpy())


def _subjects(count: int, seed: int) -> list[Subject]:
    """Scenes of one object that is large enough to be judged."""
    first = _FIRST_SEED + 100_000 * seed
    scenes = held_out_scenes(range(first, first + _TRIED * count), NATIVE_SIZE)
    found = (subject_of(scene) for scene in scenes)
    return [subject for subject in found if subject.material][:count]


def evaluate(studio: Studio, subjects: list[Subject], lora: str | None, *, reference: bool
             ) -> tuple[dict[str, float], list[list[Image8]]]:  # fmt: skip
    """Measures of what the model has, and rows of pictures: plain, with the LoRA, the references,
    with them. A reference is the render of the next subject."""
    plain = [studio.paint(subject) for subject in subjects]
    measures, rows = {"subjects": float(len(subjects))}, [plain]
    if lora is not None:
        styled = [studio.paint(subject, (Lora(lora),)) for subject in subjects]
        rows.append(styled)
        seen = (materials_of(images, subjects) for images in (plain, styled))
        measures["lora_told_apart"] = told_apart(*seen)
    if reference:
        shown = [*subjects[1:], subjects[0]]
        renders = [subject.rgb for subject in shown]
        pairs = zip(subjects, renders, strict=True)
        referred = [studio.paint(subject, reference=render) for subject, render in pairs]
        rows += [renders, referred]
        measures |= _moved(plain, referred, subjects, renders, shown)
    return measures, rows


def _moved(
    plain: list[Image8],
    referred: list[Image8],
    subjects: list[Subject],
    renders: list[Image8],
    shown: list[Subject],
) -> dict[str, float]:
    looks = {"material": materials_of, "colour": colours_of}
    nearer = {
        name: towards(of(plain, subjects), of(referred, subjects), of(renders, shown))
        for name, of in looks.items()
    }
    both = np.logical_and(*nearer.values())
    return {f"reference_{name}_nearer": float(found.mean()) for name, found in nearer.items()} | {
        "reference_nearer": float(both.mean())
    }


def main(argv: Sequence[str]) -> int:
    """Command line; see `--help`."""
    options = _parser().parse_args(argv)
    if options.count < 4:
        raise RequestError(ErrorCode.BAD_REQUEST, f"--count {options.count} is below 4")
    info = inspect(STARTER_MODEL, starter_folder())
    studio = Studio(PipelineRunner(ModelCache(user_paths())), options.seed)
    lora = info.loras[0] if info.loras else None
    subjects = _subjects(options.count, options.seed)
    measures, rows = evaluate(studio, subjects, lora, reference=info.ip_adapter)
    sheet = options.out / "adapters_sheet.png"
    save_grid([row[:8] for row in rows], sheet)
    wanted = {"lora_told_apart": _TOLD, "reference_nearer": _TOWARDS}
    bars = [at_least(name, measures[name], least) for name, least in wanted.items()
            if name in measures]  # fmt: skip
    report = Report("eval adapters", options.seed, measures, bars, [str(sheet)])
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="underpaint eval adapters",
        description="Measure the starter's own LoRA (told apart from the plain picture) and "
        "IP-Adapter (nearer to the reference in material and colour) on unseen forms.",
    )
    parser.add_argument("--count", type=int, default=40, help="forms, at least 4 (40)")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another set of forms")
    parser.add_argument("--out", type=Path, default=Path("eval_out"), help="folder for the sheet")
    add_json(parser)
    return parser
