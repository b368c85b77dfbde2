"""LoRAs in every spelling and form: what each paints is what the model paints with the same change
of its weights merged into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.painting.lora_changes import ASKED, Changes, kohya, laid_on, merged, same
from helpers.painting.studio import Studio

SPELLINGS: dict[str, Callable[[str, str], str]] = {
    "diffusers": lambda name, part: f"unet.{name}.lora_{part}.weight",
    "PEFT": lambda name, part: f"base_model.model.{name}.lora_{part}.weight",
    "bare": lambda name, part: f"{name}.lora_{part}.weight",
    "ComfyUI": lambda name, part: f"diffusion_model.{name}.lora_{part}.weight",
    "kohya": lambda name, part: f"{kohya(name)}.lora_{'down' if part == 'A' else 'up'}.weight",
}


def test_every_spelling_is_the_same_lora(studio: Studio, work: Path, changes: Changes) -> None:
    before = studio.paint(ASKED)[0].astype(int)
    expected = merged(studio, work, changes.plain())
    assert np.abs(expected - before).mean() > 5
    for name, spell in SPELLINGS.items():
        assert same(laid_on(studio, work, changes.written(spell)), expected), name
    assert same(laid_on(studio, work, changes.written(SPELLINGS["PEFT"]), 0.0), before)


def test_ranks_that_differ_and_alphas_weigh_as_they_were_trained(
    studio: Studio, work: Path, changes: Changes
) -> None:
    state = changes.written(SPELLINGS["kohya"])
    for i, name in enumerate(changes.shapes):
        down, up = (f"{kohya(name)}.lora_{part}.weight" for part in ("down", "up"))
        more = 1 + i % 2  # twice the rank: the same product twice, at half the weight
        state[down], state[up] = torch.cat([state[down]] * more), torch.cat([state[up]] * more, 1)
        state[f"{kohya(name)}.alpha"] = torch.tensor(2.0)
    assert same(laid_on(studio, work, state), merged(studio, work, changes.plain()))


def test_a_doras_sizes_count_and_at_no_weight_it_leaves_no_trace(
    studio: Studio, work: Path, changes: Changes
) -> None:
    before = studio.paint(ASKED)[0].astype(int)
    sizes = {name: torch.rand(shape[0]) + 0.2 for name, shape in changes.shapes.items()}
    expected = merged(studio, work, changes.plain(), sizes)
    published = changes.written(SPELLINGS["kohya"]) | {
        f"{kohya(n)}.dora_scale": sizes[n].reshape(-1, *(1,) * (len(s) - 1))
        for n, s in changes.shapes.items()
    }
    of_peft = changes.written(SPELLINGS["PEFT"]) | {
        f"base_model.model.{n}.lora_magnitude_vector.weight": size for n, size in sizes.items()
    }
    assert same(laid_on(studio, work, published), expected)
    assert same(laid_on(studio, work, of_peft), expected)
    assert same(laid_on(studio, work, published, 0.0), before)


def test_a_loha_is_its_two_products_multiplied(
    studio: Studio, work: Path, changes: Changes
) -> None:
    state, deltas = {}, {}
    for name, shape in changes.shapes.items():
        wide = int(np.prod(shape[1:]))
        four = [changes.noise(*s) for s in ((shape[0], 2), (2, wide), (shape[0], 2), (2, wide))]
        deltas[name] = (four[0] @ four[1]) * (four[2] @ four[3]) * 0.5
        for end, tensor in zip(("w1_a", "w1_b", "w2_a", "w2_b"), four, strict=True):
            state[f"lycoris_{name.replace('.', '_')}.hada_{end}"] = tensor
        state[f"lycoris_{name.replace('.', '_')}.alpha"] = torch.tensor(1.0)
    assert same(laid_on(studio, work, state), merged(studio, work, deltas))


@pytest.mark.parametrize("low", [False, True])
def test_a_lokr_is_the_kronecker_product_of_its_factors(
    studio: Studio, work: Path, changes: Changes, low: bool
) -> None:
    state, deltas = {}, {}
    for name in changes.linear:
        rows, columns = changes.shapes[name]
        first, left, right = (
            changes.noise(*s) for s in ((2, 2), (rows // 2, 2), (2, columns // 2))
        )
        # Alpha over the rank counts only where a factor is a product itself.
        deltas[name] = torch.kron(first, left @ right) * (0.5 if low else 1)
        second = {"w2_a": left, "w2_b": right} if low else {"w2": left @ right}
        parts = {f"lokr_{end}": tensor for end, tensor in ({"w1": first} | second).items()}
        parts["alpha"] = torch.tensor(1.0)
        state |= {f"{kohya(name)}.{end}": tensor for end, tensor in parts.items()}
    assert same(laid_on(studio, work, state), merged(studio, work, deltas))
