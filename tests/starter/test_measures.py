"""The measures of `eval starter`: blur, noise and another material flatter none of them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from underpaint_starter.judging.materials import WORDS as MATERIALS
from underpaint_starter.judging.materials import Readings, load_materials, patch_of, read
from underpaint_starter.judging.metrics import (
    agreement,
    band_powers,
    compare_spectra,
    interior,
    kernel_distance,
    kernel_interval,
    share_interval,
    sharpness_inside,
    sharpness_ratio,
)
from underpaint_starter.judging.views import pairs_of
from underpaint_starter.scenes.captions import ObjectWords
from underpaint_starter.scenes.dataset import rendered_sample
from underpaint_starter.scenes.scenes import SceneSpec, sample_scene

torch.set_num_threads(1)
SIZE = 128
WORDS = ("brick", "planks", "stone", "woven")


def _spec(seed: int, material: str) -> SceneSpec:
    """The seed's first object alone, in studio light and the material, of one colour always."""
    spec = sample_scene(seed)
    thing = replace(spec.objects[0], spot=(0.0, 0.0), size=1.0)
    words = ObjectWords("rounded box", "", material)
    natural = (170.0, 120.0, 80.0)
    thing = replace(thing, words=words, natural=natural)
    scene = replace(spec.words, ground="", style="photo", light="studio")
    return replace(spec, objects=(thing,), words=scene)


class Renders:
    """Renders of four materials, and what others might paint instead of them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.true, self.other, self.inside = [], [], []
        for seed, word in enumerate(WORDS):
            spec, another = _spec(seed, word), _spec(seed, WORDS[(seed + 1) % len(WORDS)])
            true, other = (rendered_sample(each, SIZE) for each in (spec, another))
            self.true.append(true.rgb)
            self.other.append(other.rgb)
            self.inside.append(interior(true.object_id))
        self.blurred = [cv2.GaussianBlur(image, (0, 0), 1.5) for image in self.true]
        noise = [rng.normal(0, 25, image.shape) for image in self.true]
        self.noisy = [
            (image + each).clip(0, 255).astype(np.uint8)
            for image, each in zip(self.true, noise, strict=True)
        ]


@pytest.fixture(scope="module")
def renders() -> Renders:
    return Renders()


def sharp(images: list[np.ndarray], renders: Renders) -> list[float]:
    return [sharpness_inside(i, m) for i, m in zip(images, renders.inside, strict=True)]


def test_blur_is_too_soft_and_noise_too_sharp_to_pass(renders: Renders) -> None:
    true = sharp(renders.true, renders)
    assert sharpness_ratio(true, true) == 1.0
    assert sharpness_ratio(sharp(renders.blurred, renders), true) < 0.6
    assert sharpness_ratio(sharp(renders.noisy, renders), true) > 1.4


def test_a_few_strong_floors_do_not_decide_the_sharpness() -> None:
    assert sharpness_ratio([5.0, 6.0, 9000.0], [10.0, 10.0, 9000.0]) == 0.6
    assert np.isnan(sharpness_ratio([400.0], [0.2])), "nothing to be sharp in a plain wall"


def test_the_spectrum_tells_blur_noise_and_another_material_from_the_render(
    renders: Renders,
) -> None:
    def bands(images: list[np.ndarray]) -> list[np.ndarray]:
        return [band_powers(i, m) for i, m in zip(images, renders.inside, strict=True)]

    true = bands(renders.true)
    assert compare_spectra(true, true).distance == 0
    blurred = compare_spectra(bands(renders.blurred), true)
    assert blurred.distance > 0.2
    assert blurred.ratios[0] < 0.3 < blurred.ratios[-1], "the finest go first"
    noisy = compare_spectra(bands(renders.noisy), true)
    assert noisy.distance > 0.1
    assert noisy.ratios[0] > 1.5
    assert compare_spectra(bands(renders.other), true).distance > 0.2


def test_textures_agree_with_themselves_and_less_with_blur_noise_or_another(
    renders: Renders,
) -> None:
    def mean(images: list[np.ndarray]) -> float:
        parts = zip(images, renders.true, renders.inside, strict=True)
        return float(np.mean([agreement(a, b, inside) for a, b, inside in parts]))

    assert mean(renders.true) > 0.999
    assert mean(renders.blurred) < 0.97
    assert mean(renders.noisy) < 0.9
    assert mean(renders.other) < 0.5


def test_the_classifier_is_less_sure_of_the_material_when_it_is_blurred_noisy_or_another(
    renders: Renders,
) -> None:
    judge = load_materials()
    asked = [MATERIALS.index(word) for word in WORDS]

    def seen(images: list[np.ndarray]) -> Readings:
        patches = [patch_of(i, m) for i, m in zip(images, renders.inside, strict=True)]
        return read(judge, patches)

    def sure(images: list[np.ndarray]) -> float:
        """Mean probability of the word that was asked for."""
        chances = seen(images).logits.softmax(1)
        return float(np.mean([chances[k, word] for k, word in enumerate(asked)]))

    assert sum(a == b for a, b in zip(seen(renders.true).names(), WORDS, strict=True)) >= 3
    true = sure(renders.true)
    assert sure(renders.blurred) < 0.8 * true
    assert sure(renders.noisy) < 0.9 * true
    assert sure(renders.other) < 0.3 * true


def test_two_sides_of_a_render_agree_and_of_different_seeds_they_do_not() -> None:
    pair = pairs_of(9_050_000, 1, SIZE)[0]
    own = pair.agreement(pair.first.rgb, pair.second.rgb)
    draw = np.random.default_rng(1)
    stray = draw.integers(0, 255, pair.second.rgb.shape).astype(np.uint8)
    assert own > 0.6
    assert abs(pair.agreement(pair.first.rgb, stray)) < 0.3


def test_outlines_are_no_part_of_what_is_measured() -> None:
    ids = np.zeros((64, 64), np.uint8)
    ids[10:50, 10:50], ids[10:50, 30:50] = 2, 3
    inside = interior(ids, 4)
    assert not inside[:, 26:34].any(), "between two objects there is an outline too"
    picture = np.where(ids > 0, 200, 20).astype(np.uint8)[..., None].repeat(3, -1)
    assert sharpness_inside(picture, inside) == 0


def test_the_kernel_distance_is_nought_for_one_kind_and_grows_with_the_difference() -> None:
    draw = np.random.default_rng(0)
    one, same = draw.normal(size=(200, 8)), draw.normal(size=(200, 8))
    far = draw.normal(size=(200, 8)) + 1
    assert abs(kernel_distance(one, same)) < 0.1 * kernel_distance(one, far)
    mean, low, high = kernel_interval(one, same)
    assert low < mean < high
    assert low < 0 < high
    assert kernel_interval(one, far)[1] > high


def test_a_share_of_few_tries_is_stated_wider_than_one_of_many() -> None:
    few, many = share_interval(0.5, 20), share_interval(0.5, 200)
    assert few[0] < many[0] < 0.5 < many[1] < few[1]
    assert share_interval(1.0, 10) == pytest.approx((0.787, 1.0), abs=0.001)
    assert np.isnan(share_interval(0.0, 0)).all()
