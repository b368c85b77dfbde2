"""LoRAs and image prompts: they act, and afterwards it is as if they had never been there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Studio, photo
from safetensors.torch import save_file
from tiny_model import build_xl

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, Lora, Prompt, View

ASKED = ImageRequest(Prompt("a red cube"), model="tiny", width=64, height=64)


def weights(studio: Studio) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in studio.models.load("tiny").unet.state_dict().items()}


def test_a_lora_on_and_off_again_leaves_no_trace(studio: Studio, paths: Paths) -> None:
    before, kept = studio.paint(ASKED)[0], weights(studio)
    file = paths.models / "tiny" / "loras" / "style.safetensors"
    styled = studio.paint(replace(ASKED, loras=(Lora("style"),)))[0]
    by_path = studio.paint(replace(ASKED, loras=(Lora(str(file)),)))[0]
    weaker = studio.paint(replace(ASKED, loras=(Lora("style", 0.5),)))[0]
    two = studio.paint(replace(ASKED, loras=(Lora("style"), Lora("style", -1.0))))[0]
    assert np.array_equal(styled, by_path)
    assert not np.array_equal(styled, before)
    assert not np.array_equal(styled, weaker)
    assert np.abs(two.astype(int) - before).max() <= 2
    assert np.array_equal(before, studio.paint(ASKED)[0])
    after = weights(studio)
    assert after.keys() == kept.keys()
    assert all(torch.equal(after[key], kept[key]) for key in kept)


def test_a_reference_picture_acts_and_leaves_no_trace(studio: Studio) -> None:
    before, kept = studio.paint(ASKED)[0], weights(studio)
    reference = studio.buffers.add(Kind.COLOR, photo(90, 60, channels=4))
    referred = studio.paint(replace(ASKED, reference=reference))[0]
    fainter = studio.paint(replace(ASKED, reference=reference, reference_scale=0.1))[0]
    assert not np.array_equal(referred, before)
    assert not np.array_equal(referred, fainter)
    assert np.array_equal(before, studio.paint(ASKED)[0])
    assert weights(studio).keys() == kept.keys()


def test_reference_lora_and_control_together(studio: Studio, view: View) -> None:
    from underpaint.requests import Control, ControlKind

    reference = studio.buffers.add(Kind.COLOR, photo())
    everything = replace(
        ASKED,
        view=view,
        controls=(Control(ControlKind.DEPTH), Control(ControlKind.NORMAL)),
        loras=(Lora("style"),),
        reference=reference,
    )
    assert np.array_equal(studio.paint(everything)[0], studio.paint(everything)[0])


def test_loras_that_are_missing_or_do_not_fit_are_refused_and_leave_no_trace(
    studio: Studio, tmp_path: Path
) -> None:
    before = studio.paint(ASKED)[0]
    other = tmp_path / "other.safetensors"
    save_file({"unet.nothing.lora_A.weight": torch.zeros(2, 2)}, other)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(other.read_bytes()[:-4])
    for path in ("nowhere", str(tmp_path / "gone.safetensors"), str(other), str(cut)):
        with pytest.raises(UnderpaintError) as caught:
            studio.run(replace(ASKED, loras=(Lora("style"), Lora(path))))
        assert caught.value.code is ErrorCode.LORA_MISSING, path
    assert np.array_equal(before, studio.paint(ASKED)[0])


def test_a_model_without_ip_adapter_says_so(studio: Studio, tmp_path: Path) -> None:
    folder = build_xl(tmp_path / "xl")
    reference = studio.buffers.add(Kind.COLOR, photo())
    with pytest.raises(UnderpaintError) as caught:
        studio.run(replace(ASKED, model=str(folder), reference=reference))
    assert caught.value.code is ErrorCode.CONTROL_MISSING
