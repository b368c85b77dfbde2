"""LoRAs as trainers write them: in the layers of a transformer's makers, under PEFT's names, and
with a strength that is said beside the tensors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import ImageRequest, Lora, Prompt, Sampler, Sampling
from underpaint_daemon.common.checks.loras import check_lora_files
from underpaint_daemon.worker.pipelines.loading.layouts import LAYOUTS, takes
from underpaint_daemon.worker.pipelines.loading.loras.layers import respelled

from helpers.painting.original_layout import original
from helpers.painting.studio import Studio

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, sampling=Sampling(Sampler.DDIM, 2, 3.0)
)
WIDE, HEADS = 16, 2
_BOTH: dict[str, Any] = {
    "in_channels": 64,
    "num_layers": 2,
    "num_single_layers": 2,
    "attention_head_dim": WIDE // HEADS,
    "num_attention_heads": HEADS,
    "joint_attention_dim": 24,
}
TRANSFORMERS: dict[str, dict[str, Any]] = {
    "FluxTransformer2DModel": {
        **_BOTH,
        "pooled_projection_dim": 24,
        "guidance_embeds": True,
        "axes_dims_rope": (2, 2, 4),
    },
    "Flux2Transformer2DModel": {**_BOTH, "axes_dims_rope": (2, 2, 2, 2)},
    "ChromaTransformer2DModel": {
        **_BOTH,
        "axes_dims_rope": (2, 2, 4),
        "approximator_hidden_dim": 16,
        "approximator_layers": 1,
    },
    "ZImageTransformer2DModel": {
        "in_channels": 16,
        "dim": WIDE,
        "n_layers": 2,
        "n_refiner_layers": 1,
        "n_heads": HEADS,
        "n_kv_heads": HEADS,
        "cap_feat_dim": 24,
        "axes_dims": [2, 2, 4],
        "axes_lens": [64, 16, 16],
    },
    "SD3Transformer2DModel": {
        "sample_size": 16,
        "in_channels": 16,
        "num_layers": 3,
        "attention_head_dim": WIDE // HEADS,
        "num_attention_heads": HEADS,
        "joint_attention_dim": 24,
        "caption_projection_dim": WIDE,
        "pooled_projection_dim": 24,
        "pos_embed_max_size": 16,
        "qk_norm": "rms_norm",
        "dual_attention_layers": (0, 1),
    },
}
State = dict[str, Tensor]


def noise(*shape: int) -> Tensor:
    return torch.randn(shape)


def plain(layer: str, rows: int, columns: int, end: tuple[str, str]) -> tuple[State, Tensor]:
    down, up = noise(2, columns), noise(rows, 2)
    return {f"{layer}.{end[0]}.weight": down, f"{layer}.{end[1]}.weight": up}, up @ down


def with_alpha(layer: str, rows: int, columns: int, end: tuple[str, str]) -> tuple[State, Tensor]:
    state, change = plain(layer, rows, columns, end)
    return state | {f"{layer}.alpha": torch.tensor(1.0)}, change / 2


def loha(layer: str, rows: int, columns: int, _: Any) -> tuple[State, Tensor]:
    four = [noise(*shape) for shape in ((rows, 2), (2, columns)) * 2]
    ends = ("w1_a", "w1_b", "w2_a", "w2_b")
    state = {f"{layer}.hada_{end}": one for end, one in zip(ends, four, strict=True)}
    return state, (four[0] @ four[1]) * (four[2] @ four[3])


def lokr(layer: str, rows: int, columns: int, _: Any) -> tuple[State, Tensor]:
    first, left, right = noise(2, 2), noise(rows // 2, 3), noise(3, columns // 2)
    state = {
        f"{layer}.lokr_{e}": one
        for e, one in zip(("w1", "w2_a", "w2_b"), (first, left, right), strict=True)
    }
    return state | {f"{layer}.alpha": torch.tensor(1.5)}, torch.kron(first, left @ right) / 2


def kohya(layer: str) -> str:
    return "lora_unet_" + layer.replace(".", "_")


SPELLINGS: dict[
    str, tuple[Callable[..., tuple[State, Tensor]], Callable[[str], str], tuple[str, str]]
] = {
    "ComfyUI": (plain, "diffusion_model.{}".format, ("lora_A", "lora_B")),
    "PEFT": (plain, "base_model.model.{}".format, ("lora_A", "lora_B")),
    "kohya": (with_alpha, kohya, ("lora_down", "lora_up")),
    "LoHa": (loha, kohya, ("", "")),
    "LoKr": (lokr, "diffusion_model.{}".format, ("", "")),
}


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_a_lora_of_the_makers_layers_changes_the_same_weights(kind: str) -> None:
    """Held against what a file in the makers' layout becomes with the change merged into it."""
    torch.manual_seed(4)
    network = getattr(diffusers, kind)(**TRANSFORMERS[kind])
    names = {n: tuple(t.shape) for n, t in original(network).items() if t.dim() == 2}
    own = network.state_dict()
    for told, (write, spell, end) in SPELLINGS.items():
        state, changed = State(), State()
        for name, (rows, columns) in names.items():
            layer = name.removesuffix(".weight")
            if name.endswith(".weight") and not rows % 2 and not columns % 2:
                made, changed[name] = write(spell(layer), rows, columns, end)
                state |= made
        found = respelled(state, network, "transformer")
        assert found is not None, told
        expected = {}
        for new, take in takes(
            LAYOUTS[kind], {n: len(t) for n, t in changed.items()}, (WIDE,) * 3
        ).items():
            part = changed[take.name][take.begin : take.end]
            expected[new] = torch.cat(part.chunk(2)[::-1]) if take.swapped else part
        assert expected.keys() == {n for n in expected if n in own}, told
        assert delta_names(found) == {n.removesuffix(".weight") for n in expected}, told
        for name, change in expected.items():
            assert torch.allclose(delta(found, name), change, atol=1e-4), (told, name)


def delta_names(state: State) -> set[str]:
    return {
        name.removeprefix("transformer.").rsplit(".", 2)[0] for name in state if "lora_B" in name
    } | {name.removeprefix("transformer.").rsplit(".", 1)[0] for name in state if "lokr_w1" in name}


def delta(state: State, name: str) -> Tensor:
    layer = f"transformer.{name.removesuffix('.weight')}"
    if f"{layer}.lokr_w1" in state:
        second = state[f"{layer}.lokr_w2_a"] @ state[f"{layer}.lokr_w2_b"]
        return torch.kron(state[f"{layer}.lokr_w1"], second)
    return state[f"{layer}.lora_B.weight"] @ state[f"{layer}.lora_A.weight"]


@pytest.fixture(scope="module")
def layers(studio: Studio) -> State:
    """Factors of a change of the tiny model's UNet, by names of PEFT's within it."""
    torch.manual_seed(5)
    found = State()
    for name, module in studio.models.load("tiny").unet.named_modules():
        if name.endswith(("to_q", "to_out.0")):
            found[f"{name}.lora_A.weight"] = noise(4, module.in_features) * 0.4
            found[f"{name}.lora_B.weight"] = noise(module.out_features, 4) * 0.4
    return found


def painted(studio: Studio, state: State, file: Path, **told: str) -> Any:
    file.parent.mkdir(exist_ok=True)
    save_file({name: tensor.clone() for name, tensor in state.items()}, file, told or None)
    asked = replace(ASKED, loras=(Lora(str(file)),))
    return studio.paint(asked)[0].astype(int)


def renamed(layers: State, form: str) -> State:
    return {form.format(name): tensor for name, tensor in layers.items()}


def of_first_trainers(layers: State) -> State:
    """As diffusers' first trainers named them: by the part that does the attention."""
    spelled = {"to_q": "processor.to_q_lora", "to_out.0": "processor.to_out_lora"}
    ends = {"lora_A": "down", "lora_B": "up"}
    found = State()
    for name, tensor in layers.items():
        for there, here in (*spelled.items(), *ends.items()):
            name = name.replace(there, here)
        found[name] = tensor
    return found


def test_a_strength_that_is_said_beside_the_tensors_counts(
    studio: Studio, layers: State, tmp_path: Path
) -> None:
    """By diffusers in the file's header, by PEFT in a file beside it."""
    half = {n: t * 0.5 if "lora_B" in n else t for n, t in layers.items()}
    less = {n: t * 0.25 if "lora_B" in n and "to_q" in n else half[n] for n, t in layers.items()}
    rooted = {n: t * 2.0 if "lora_B" in n else t for n, t in layers.items()}
    said: dict[str, Any] = {"r": 4, "lora_alpha": 2, "peft_type": "LORA"}
    by_layer = {**said, "alpha_pattern": {"to_q": 1}}
    own = renamed(layers, "unet.{}")

    def truth(state: State) -> Any:
        return painted(studio, renamed(state, "unet.{}"), tmp_path / "truth.safetensors")

    for told, expected in (
        (said, truth(half)),
        (by_layer, truth(less)),
        ({**said, "lora_alpha": 4, "use_rslora": True}, truth(rooted)),
    ):
        header = json.dumps({f"unet.{name}": value for name, value in told.items()})
        file = tmp_path / "of diffusers.safetensors"
        assert np.array_equal(painted(studio, own, file, lora_adapter_metadata=header), expected)
        folder = tmp_path / "of peft"
        folder.mkdir(exist_ok=True)
        (folder / "adapter_config.json").write_text(json.dumps(told))
        of_peft = renamed(layers, "base_model.model.{}")
        painted(studio, of_peft, folder / "adapter_model.safetensors")
        by_folder = replace(ASKED, loras=(Lora(str(folder)),))
        assert np.array_equal(studio.paint(by_folder)[0].astype(int), expected)


def test_names_of_other_trainers_are_the_same_lora(
    studio: Studio, layers: State, tmp_path: Path
) -> None:
    expected = painted(studio, renamed(layers, "unet.{}"), tmp_path / "plain.safetensors")
    with_name = {n.replace(".weight", ".default.weight"): t for n, t in layers.items()}
    bundled = {"bundle_emb.moss.string_to_param.*": torch.zeros(2, 16)}
    for told, state in (
        ("an adapter's name", with_name),
        ("diffusers' first trainers", of_first_trainers(layers)),
        ("the same in a model", renamed(of_first_trainers(layers), "unet.{}")),
        ("embeddings with it", renamed(layers, "unet.{}") | bundled),
    ):
        file = tmp_path / f"{told}.safetensors"
        assert np.array_equal(painted(studio, state, file), expected), told


def test_xlabs_names_are_those_of_flux(studio: Studio) -> None:
    """What attends to a single stream is the first three of the four layers that it has as one."""
    torch.manual_seed(6)
    network = diffusers.FluxTransformer2DModel(**TRANSFORMERS["FluxTransformer2DModel"])
    rows, state = 3 * WIDE, State()
    for layer in ("double_blocks.1.processor.qkv_lora2", "single_blocks.0.processor.qkv_lora"):
        state |= {f"{layer}.down.weight": noise(2, WIDE), f"{layer}.up.weight": noise(rows, 2)}
    found = respelled(state, network, "transformer")
    assert found is not None
    for layer, places in (
        ("double_blocks.1.processor.qkv_lora2", "transformer_blocks.1.attn.add_{}_proj"),
        ("single_blocks.0.processor.qkv_lora", "single_transformer_blocks.0.attn.to_{}"),
    ):
        change = state[f"{layer}.up.weight"] @ state[f"{layer}.down.weight"]
        for one, part in zip("qkv", change.chunk(3), strict=True):
            assert torch.allclose(delta(found, f"{places.format(one)}.weight"), part)


def test_what_cannot_be_laid_on_is_told_before_the_model_is_loaded(
    studio: Studio, layers: State, tmp_path: Path
) -> None:
    gone, pickled, two = tmp_path / "gone.safetensors", tmp_path / "old.pt", tmp_path / "two"
    gone.symlink_to(tmp_path / "nowhere")
    torch.save(layers, pickled)
    two.mkdir()
    for name in ("one", "another"):
        save_file(layers, two / f"{name}.safetensors")
    save_file({"lora_te2_x.lora_down.weight": noise(2, 2)}, tmp_path / "xl.safetensors")
    for file, told in (
        (gone, "is a link to a file that is gone"),
        (pickled, "is a pickled checkpoint"),
        (two, "holds 2 safetensors files"),
        (tmp_path / "xl.safetensors", "was made for SDXL"),
        (tmp_path / "not there", "There is no LoRA"),
    ):
        with pytest.raises(UnderpaintError, match=told) as caught:
            check_lora_files(replace(ASKED, loras=(Lora(str(file)),)), studio.models.paths)
        assert caught.value.code is ErrorCode.LORA_MISSING
