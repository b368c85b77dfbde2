"""LoRAs and image prompts: they act, and afterwards it is as if they had never been there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, Lora, Prompt, Reference, View

from helpers.painting.studio import Studio, photo

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


def test_words_are_read_once_for_pictures_that_have_the_same(studio: Studio) -> None:
    model, other = studio.models.load("tiny"), replace(ASKED, prompt=Prompt("a blue cube"))
    before = studio.paint(ASKED)[0]
    said = model.said
    assert np.array_equal(before, studio.paint(ASKED)[0])
    assert model.said is said
    assert not np.array_equal(before, studio.paint(other)[0])
    assert model.said is not said
    studio.paint(replace(ASKED, loras=(Lora("style"),)))
    assert np.array_equal(before, studio.paint(ASKED)[0]), "words are read as without the LoRA"


def test_a_reference_picture_acts_and_leaves_no_trace(studio: Studio) -> None:
    before, kept = studio.paint(ASKED)[0], weights(studio)
    reference = studio.buffers.add(Kind.COLOR, photo(90, 60, channels=4))
    referred = studio.paint(replace(ASKED, references=(Reference(image=reference),)))[0]
    fainter = studio.paint(replace(ASKED, references=(Reference(image=reference, scale=0.1),)))[0]
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
        references=(Reference(image=reference),),
    )
    assert np.array_equal(studio.paint(everything)[0], studio.paint(everything)[0])


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"lora_unet_x.lora_mid.weight": (4, 4, 3, 3)}, "Tucker"),
        ({"lora_unet_double_blocks_0_x.lora_up.weight": (4, 4)}, "made for FLUX"),
        ({"lora_unet_d_attn2_to_k.lora_down.weight": (4, 2048)}, "made for SDXL"),
        ({"lora_te2_text_model_x.lora_down.weight": (4, 16)}, "made for SDXL"),
    ],
)
def test_what_cannot_be_laid_on_is_refused_by_name(
    studio: Studio, tmp_path: Path, tensors: dict[str, tuple[int, ...]], told: str
) -> None:
    file = tmp_path / "мой style v1.5.safetensors"
    save_file({name: torch.ones(shape) for name, shape in tensors.items()}, file)
    with pytest.raises(UnderpaintError, match=told) as caught:
        studio.run(replace(ASKED, loras=(Lora(str(file)),)))
    assert caught.value.code is ErrorCode.LORA_MISSING


def kohya(studio: Studio, tmp_path: Path, *, text: bool, unet: bool, alpha: float) -> Path:
    """A LoRA in kohya's spelling: linear layers, and the convolutions of residual blocks."""
    torch.manual_seed(6)
    model = studio.models.load("tiny")
    wanted = [(model.unet, "lora_unet_", ("to_q", "ff.net.2", "conv1"))] if unet else []
    if text:
        wanted.append((model.parts["text_encoder"], "lora_te_text_model_", ("q_proj", "fc1")))
    tensors: dict[str, torch.Tensor] = {}
    for network, prefix, ends in wanted:
        for name, module in network.named_modules():
            name = name.removeprefix("text_model.")
            if not name.endswith(ends):
                continue
            key = prefix + name.replace(".", "_")
            weight = module.weight
            down = (2, *weight.shape[1:])
            tensors[f"{key}.lora_down.weight"] = torch.randn(down) * 0.2
            up = (weight.shape[0], 2, *(1,) * (weight.dim() - 2))
            tensors[f"{key}.lora_up.weight"] = torch.randn(up) * 0.2
            tensors[f"{key}.alpha"] = torch.tensor(alpha)
    file = tmp_path / f"kohya {text} {unet} {alpha}.safetensors"
    save_file(tensors, file)
    return file


def test_kohyas_loras_act_with_alpha_convolutions_and_text_alone(
    studio: Studio, tmp_path: Path
) -> None:
    before = studio.paint(ASKED)[0]

    def painted(weight: float = 1.0, **parts: bool | float) -> np.ndarray:
        file = kohya(studio, tmp_path, **parts)
        return studio.paint(replace(ASKED, loras=(Lora(str(file), weight),)))[0]

    full = painted(text=True, unet=True, alpha=2.0)
    pictures = [
        before,
        full,
        painted(text=False, unet=True, alpha=2.0),
        painted(text=True, unet=False, alpha=2.0),
        painted(text=True, unet=True, alpha=1.0),
    ]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)
    half = painted(0.5, text=True, unet=True, alpha=2.0)
    assert np.abs(half.astype(int) - pictures[-1]).max() <= 2, "alpha over rank is a weight"
    assert np.array_equal(studio.paint(ASKED)[0], before)


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
