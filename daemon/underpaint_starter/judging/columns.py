"""The ways in which `eval starter` has the same scenes painted, and what is measured of each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from underpaint_daemon.worker.pipelines.controls.conditioning import depth_control, encode_normal
from underpaint_daemon.worker.pipelines.finishing.decoding import decoded_by
from underpaint_daemon.worker.pipelines.latents import encode_images
from underpaint_starter.judging.metrics import (
    WAVELENGTHS,
    Floats,
    band_powers,
    compare_spectra,
    kernel_interval,
    share_interval,
    sharpness_ratio,
)
from underpaint_starter.judging.scores import Judges, Scores, score
from underpaint_starter.judging.subjects import Subject
from underpaint_starter.networks.painter import Conditions, Painter
from underpaint_starter.scenes.dataset import SceneSample
from underpaint_starter.scenes.shards import Image8, from_unit, to_unit
from underpaint_starter.training.losses import psnr

MANY_STEPS = 20
BLUR = 1.5  # px, standard deviation


@dataclass(frozen=True, slots=True)
class Column:
    """One way to paint. `suffix` of its measures, the controls it follows, their strength, steps
    other than the default, and at most how many of the scenes it is tried on."""

    suffix: str
    controls: tuple[str, ...]
    most: int = 1_000_000
    steps: int | None = None
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Paintings with their scores, and the seconds that one took."""

    images: list[Image8]
    scores: Scores
    seconds: float


def columns_of(controls: Sequence[str]) -> list[Column]:
    """What is tried on a model of these controls. The first is what it ships with: guided, where
    the model has a guide, else by depth alone."""
    guided = [Column("", ("depth", "guide"))] if "guide" in controls else []
    shipped = guided[0].controls if guided else ("depth",)
    return [
        *guided,
        Column("_unguided", ("depth",), most=64 if guided else 1_000_000),
        *([Column("_depth_normal", ("depth", "normal"), most=64)] if "normal" in controls else []),
        Column("_20_steps", shipped, most=24, steps=MANY_STEPS),
        Column("_uncontrolled", shipped, most=16, scale=0.0),
    ]


def conditions_of(sample: SceneSample) -> Conditions:
    """Every control image of a scene."""
    return {
        "depth": depth_control(sample.depth),
        "normal": encode_normal(sample.normal),
        "guide": sample.guide,
    }


def paint(
    painter: Painter, samples: Sequence[SceneSample], column: Column, seed: int
) -> tuple[list[Image8], float]:
    """Pictures of the scenes, and the seconds that one took."""
    follower = painter.following(*column.controls)
    began = time.perf_counter()
    images = follower.paint(
        [sample.caption for sample in samples],
        [conditions_of(sample) for sample in samples],
        seed,
        steps=column.steps,
        scale=column.scale,
    )
    return images, (time.perf_counter() - began) / len(samples)


def tried(
    painter: Painter, judges: Judges, subjects: Sequence[Subject], column: Column, seed: int
) -> Outcome:
    """Paint a column and have it judged."""
    images, seconds = paint(painter, [subject.sample for subject in subjects], column, seed)
    return Outcome(images, score(judges, images, subjects), seconds)


def texture_measures(mine: Scores, true: Scores, suffix: str) -> dict[str, float]:
    """Sharpness, spectrum and features against the renders of the same scenes."""
    count = len(mine.sharpness)
    spectra = compare_spectra(mine.bands, true.bands[:count])
    spans = zip(WAVELENGTHS[:-1], WAVELENGTHS[1:], spectra.ratios, strict=True)
    bands = {f"band_{low:g}_{high:g}_px{suffix}_ratio": ratio for low, high, ratio in spans}
    return {
        f"sharpness_inside{suffix}_ratio": sharpness_ratio(mine.sharpness, true.sharpness[:count]),
        f"spectrum_distance{suffix}": spectra.distance,
        **bands,
        **_kernel_measures(mine, true, suffix),
    }


def sample_measures(scores: Scores, suffix: str) -> dict[str, float]:
    """How many scenes a column was tried on, and what its material accuracy may be instead."""
    low, high = share_interval(scores.material_accuracy, len(scores.names))
    return {
        f"scenes{suffix}": float(len(scores.silhouette)),
        f"material_scenes{suffix}": float(len(scores.names)),
        f"material_accuracy{suffix}_low": low,
        f"material_accuracy{suffix}_high": high,
    }


def _kernel_measures(mine: Scores, true: Scores, suffix: str) -> dict[str, float]:
    if mine.readings is None or true.readings is None or len(mine.names) < 8:
        return {}
    found = kernel_interval(mine.readings.features, true.readings.features[: len(mine.names)])
    names = ("", "_low", "_high")
    values = zip(names, found, strict=True)
    return {f"kernel_distance{suffix}{name}": value for name, value in values}


def render_halves(true: Scores) -> dict[str, float]:
    """The kernel distance of renders from other renders: what no painting needs to pass."""
    features: Floats | None = None if true.readings is None else true.readings.features
    if features is None or len(features) < 16:
        return {}
    return {"kernel_distance_render_halves": kernel_interval(features[::2], features[1::2])[0]}


def blurred_bands(subjects: Sequence[Subject]) -> list[Floats]:
    """Band powers of renders through a blur of BLUR px."""
    return [band_powers(cv2.GaussianBlur(s.rgb, (0, 0), BLUR), s.inside) for s in subjects]


def blur_reference(soft: Sequence[Floats], true: Scores) -> dict[str, float]:
    """What the blur costs the renders themselves, by the measure of spectra."""
    return {"spectrum_distance_blur": compare_spectra(soft, true.bands).distance}


def largest_change(many: Scores, few: Scores) -> float:
    """The largest difference of a figure between the same scenes in many steps and in few."""
    one, other = many.measures(""), few.measures("")
    return float(np.nanmax([abs(one[name] - other[name]) for name in one]))


@torch.no_grad()
def through_vae(
    painter: Painter, judges: Judges, subjects: Sequence[Subject]
) -> tuple[list[float], Scores]:
    """The autoencoder alone: decibels and scores of renders that went through it."""
    vae = painter.pipeline.vae
    decibels, images = [], []
    for subject in subjects:
        target = to_unit(subject.rgb[None]).to(vae.device)
        latents = encode_images(vae, target / 2 + 0.5)
        out = decoded_by(vae, latents, painter.wants.decode_window) * 2 - 1
        decibels.append(float(psnr(out, target)))
        images.append(from_unit(out)[0])
    return decibels, score(judges, images, subjects)


def vae_measures(decibels: Sequence[float], scores: Scores, true: Scores) -> dict[str, float]:
    """What no denoiser can pass."""
    sharp = sharpness_ratio(scores.sharpness, true.sharpness[: len(decibels)])
    return {
        "vae_psnr_db": float(np.mean(decibels)),
        "vae_sharpness_inside_ratio": sharp,
        "vae_material_accuracy": scores.material_accuracy,
    }
