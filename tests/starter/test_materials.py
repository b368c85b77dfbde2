"""The material classifier: what it looks at, and that it learns what it is shown."""

from pathlib import Path

import numpy as np
import pytest

from underpaint.errors import RequestError
from underpaint_starter.judging.materials import (
    SIDE,
    WORDS,
    load_materials,
    patch_of,
    save_materials,
    word_in,
)
from underpaint_starter.judging.materials_train import fitted, shown, stated
from underpaint_starter.judging.swatch_patches import Swatches, load_swatches, varied_patch


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ("red bricks", "brick"),
        ("a mossy stone cow on grass", "mossy"),
        ("stone", "stone"),
        ("A house made of wooden boards.", "planks"),
        ("polka dot mug", "spotted"),
        ("thick green moss", "mossy"),
        ("old planks", "planks"),
        ("smooth grey stone", "stone"),
        ("a nice dog", ""),
    ],
)
def test_the_material_in_a_prompt_is_found(prompt: str, word: str) -> None:
    assert word_in(prompt) == word


def test_a_patch_holds_the_object_alone_at_one_size() -> None:
    picture = np.full((200, 300, 3), 50, np.uint8)
    inside = np.zeros((200, 300), bool)
    inside[20:180, 100:180] = True
    picture[inside] = 200
    patch = patch_of(picture, inside)
    assert patch.shape == (SIDE, SIDE, 4)
    alone = patch[..., 3] == 255
    assert (patch[alone][:, :3] == 200).all()
    assert (patch[patch[..., 3] == 0] == 0).all()
    tall, wide = np.ptp(np.nonzero(alone)[0]) + 1, np.ptp(np.nonzero(alone)[1]) + 1
    assert tall > 0.9 * SIDE, "it fills the square"
    assert abs(tall / wide - 2) < 0.15, "and keeps its proportions"
    far = patch_of(picture[::2, ::2], inside[::2, ::2])
    assert np.abs(far.astype(int) - patch).mean() < 12, "from twice as far it is the same"


def test_a_varied_swatch_keeps_the_colour_that_is_the_material() -> None:
    rng = np.random.default_rng(0)
    gold = np.zeros((128, 128, 4), np.uint8)
    gold[20:100, 20:100] = (230, 180, 60, 255)

    def hues(word: str) -> list[bool]:
        patches = [varied_patch(gold, word, rng) for _ in range(12)]
        means = [p[..., :3][p[..., 3] == 255].astype(float).mean(0) for p in patches]
        return [bool(mean[0] > mean[1] > mean[2]) for mean in means]

    assert all(hues("gold"))
    assert not all(hues("brick"))


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="No pictures"):
        load_swatches(tmp_path)


def test_a_classifier_learns_what_it_is_shown_and_comes_back_from_its_file(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    pictures, names = [], []
    for k in range(4):
        picture = np.zeros((96, 96, 4), np.uint8)
        wide = 8 + 2 * k
        rows = (np.arange(96) // wide % 2 * 180 + 40)[:, None, None]
        dots = draw.integers(60, 200, (96, 96, 1))
        picture[..., :3] = rows if k % 2 else dots
        picture[8:88, 8:88, 3] = 255
        pictures.append(picture)
        names.append(WORDS.index("striped" if k % 2 else "stone"))
    swatches = Swatches(pictures, names)
    judge = fitted(*shown(swatches))
    assert stated(judge, swatches)["accuracy"] == 1.0
    save_materials(judge, tmp_path / "weights.safetensors")
    again = load_materials(tmp_path / "weights.safetensors")
    assert stated(again, swatches)["accuracy"] == 1.0


def test_without_weights_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="weights are missing"):
        load_materials(tmp_path / "none.safetensors")
