"""A LoRA of a part of the picture acts there alone, and is exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from underpaint.buffers import BufferRef, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    ObjectPrompt,
    Prompt,
    RegionPrompt,
    Sampling,
    View,
)
from underpaint.requests.parts import loras_of
from underpaint_daemon.common.checks.validation import validate
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.common.job_contract import JobCancelled
from underpaint_daemon.common.refusals import refuse_what_cannot_be
from underpaint_daemon.worker.pipelines.loading.facts import model_facts

from helpers.painting.studio import Recorder, Studio, photo

SIDE = 64
SAMPLING = Sampling(guidance=4.0, steps=3, seed=3)
ASKED = ImageRequest(Prompt("a red cube", "blue"), "tiny", SIDE, SIDE, SAMPLING)
STYLE = (Lora("style"),)
FALLING = (Lora("style", 1.0, ((0.0, 1.0), (1.0, 0.0))),)


def mask(studio: Studio, *, left_only: bool = False) -> BufferRef:
    white = np.full((SIDE, SIDE), 255, np.uint8)
    white[:, SIDE // 2 :] *= not left_only
    return studio.buffers.add(Kind.MASK, white)


def of_words(studio: Studio, tmp_path: Path) -> Lora:
    """A LoRA that changes how words are read, and nothing else."""
    torch.manual_seed(6)
    tensors = {}
    for name, module in studio.models.load("tiny").parts["text_encoder"].named_modules():
        if name.endswith(("q_proj", "fc1")):
            key = "lora_te_text_model_" + name.removeprefix("text_model.").replace(".", "_")
            tensors[f"{key}.lora_down.weight"] = torch.randn(2, module.in_features)
            tensors[f"{key}.lora_up.weight"] = torch.randn(module.out_features, 2)
            tensors[f"{key}.alpha"] = torch.tensor(2.0)
    save_file(tensors, tmp_path / "words.safetensors")
    return Lora(str(tmp_path / "words.safetensors"))


def test_a_part_of_the_whole_picture_is_the_picture_with_its_loras_bit_for_bit(
    studio: Studio, view: View, tmp_path: Path
) -> None:
    start, words = studio.buffers.add(Kind.COLOR, photo()), of_words(studio, tmp_path)
    controlled = replace(ASKED, view=view, controls=(Control(ControlKind.DEPTH),))
    spot = InpaintRequest(
        ASKED.prompt, start, mask(studio, left_only=True), "tiny", SAMPLING, controls=()
    )
    everywhere = mask(studio)
    for name, asked, loras in (
        ("words alone", ASKED, STYLE),
        ("unguided", replace(ASKED, sampling=replace(SAMPLING, guidance=1.0)), STYLE),
        ("a curve and controls", controlled, FALLING),
        ("a mask", spot, STYLE),
        ("a start image", replace(ASKED, init=start), FALLING),
        ("how words are read", ASKED, (words,)),
        ("both", ASKED, (*STYLE, words)),
    ):
        plain = studio.paint(asked)[0]
        expected = studio.paint(replace(asked, loras=loras))[0]
        assert not np.array_equal(plain, expected), name
        part = RegionPrompt(replace(asked.prompt, text=""), everywhere, loras=loras)
        told = studio.paint(replace(asked, regions=(part,)))[0]
        assert np.array_equal(told, expected), f"{name}; without words it is painted by the whole's"
        # One that the request has, too, counts by the part's weight: not at all, here.
        off = tuple(replace(lora, weight=0.0) for lora in loras)
        without = replace(asked, loras=loras, regions=(replace(part, loras=off),))
        assert np.array_equal(studio.paint(without)[0], plain), name
        assert np.array_equal(studio.paint(asked)[0], plain), f"{name} left a trace"


def test_it_acts_mostly_in_its_part_and_two_parts_have_each_their_own(studio: Studio) -> None:
    left = mask(studio, left_only=True)
    right = studio.buffers.add(Kind.MASK, 255 - studio.buffers[left.sha256])
    plain = studio.paint(ASKED)[0].astype(float)

    def changed(*regions: RegionPrompt) -> np.ndarray:
        return np.abs(studio.paint(replace(ASKED, regions=regions))[0] - plain).mean((0, 2))

    one = RegionPrompt(Prompt("", "blue"), left, loras=STYLE)
    change = changed(one)
    # Four pixels a latent cell, and a few cells that a UNet of two levels looks beyond the border.
    assert change[: SIDE // 2].mean() > 2 * change[SIDE // 2 + 8 :].mean()
    other = RegionPrompt(Prompt("", "blue"), right, loras=(Lora("style", -1.0),))
    both = changed(one, other)
    assert both[SIDE // 2 + 8 :].mean() > 2 * change[SIDE // 2 + 8 :].mean()
    again = replace(ASKED, regions=(one, other), batch=2)
    first, second = studio.paint(again), studio.paint(again)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_recipe_knows_the_file_and_a_missing_one_is_named(studio: Studio) -> None:
    file = studio.models.paths.models / "tiny" / "loras" / "style.safetensors"
    part = RegionPrompt(Prompt("moss"), mask(studio), loras=(Lora(str(file)),))
    asked = replace(ASKED, regions=(part,))
    assert set(model_facts(studio.models.load("tiny"), asked)["files"]) == {str(file)}
    assert loras_of(asked) == part.loras
    gone = replace(asked, regions=(replace(part, loras=(Lora("gone"),)),))
    with pytest.raises(RequestError, match="no LoRA 'gone'") as caught:
        studio.run(gone)
    assert caught.value.code is ErrorCode.LORA_MISSING


def test_stopped_in_the_midst_it_leaves_no_trace_and_loads_nothing_again(studio: Studio) -> None:
    model, plain = studio.models.load("tiny"), studio.paint(ASKED)[0]
    parts = {name: id(part) for name, part in model.parts.items()}
    part = RegionPrompt(Prompt("moss"), mask(studio, left_only=True), loras=FALLING)
    told = Recorder(cancel_at=2)
    with pytest.raises(JobCancelled):
        studio.run(replace(ASKED, regions=(part,)), told)
    assert told.previews
    assert np.array_equal(studio.paint(ASKED)[0], plain)
    assert {name: id(part) for name, part in studio.models.load("tiny").parts.items()} == parts


def test_what_is_wrong_is_told_by_its_place_and_what_a_family_cannot_in_words(
    studio: Studio,
) -> None:
    part = RegionPrompt(Prompt(), mask(studio), loras=(Lora("style", 3.0),))
    with pytest.raises(RequestError, match=r"regions\[0\]\.loras\[0\]\.weight is 3"):
        validate(replace(ASKED, regions=(part,)))
    with pytest.raises(RequestError, match="or give it a LoRA"):
        validate(replace(ASKED, regions=(replace(part, loras=()),)))
    validate(replace(ASKED, regions=(replace(part, loras=STYLE),)))
    asked = settle(replace(ASKED, regions=(replace(part, loras=STYLE),)), studio.models.paths)
    with pytest.raises(RequestError, match="no prompts or LoRAs for parts") as refused:
        refuse_what_cannot_be(asked, "flux1", "flux1")
    assert "Stable Diffusion XL" in refused.value.hint
    with pytest.raises(RequestError, match="LoRAs over the steps"):
        refuse_what_cannot_be(replace(ASKED, regions=(replace(part, loras=FALLING),)), "flux1", "x")
    assert ObjectPrompt(1, Prompt()).loras == ()
