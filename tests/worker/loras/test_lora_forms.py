"""LoRAs in every spelling and form: what each paints is what the model paints with the same change
of its weights merged into them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import ImageRequest, Lora, Prompt, Sampler, Sampling

from helpers.painting.studio import Studio

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, sampling=Sampling(Sampler.DDIM, 2, 3.0)
)
State = dict[str, Tensor]


class Changes:
    """Layers of the tiny model's UNet, linear and convolutional, and factors of their changes."""

    def __init__(self, studio: Studio) -> None:
        torch.manual_seed(3)
        modules = dict(studio.models.load("tiny").unet.named_modules())
        self.shapes = {
            name: tuple(module.weight.shape)
            for name, module in modules.items()
            if name.endswith(("to_q", "to_v", "conv1"))
        }
        self.linear = [name for name, shape in self.shapes.items() if len(shape) == 2]
        self.down = {n: self.noise(2, *s[1:]) for n, s in self.shapes.items()}
        self.up = {n: self.noise(s[0], 2, *(1,) * (len(s) - 2)) for n, s in self.shapes.items()}

    def noise(self, *shape: int) -> Tensor:
        return torch.randn(shape) * 0.3

    def plain(self) -> State:
        return {n: self.up[n].flatten(1) @ self.down[n].flatten(1) for n in self.shapes}

    def written(self, spell: Callable[[str, str], str]) -> State:
        """As a plain LoRA whose tensors are called as `spell(layer, "A" or "B")` says."""
        found = {spell(name, "A"): down for name, down in self.down.items()}
        return found | {spell(name, "B"): up for name, up in self.up.items()}


@pytest.fixture(scope="module")
def changes(studio: Studio) -> Changes:
    return Changes(studio)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loras")


UNET, TEXT = "unet/diffusion_pytorch_model", "text_encoder/model"


def merged(
    studio: Studio, work: Path, deltas: State, sizes: State | None = None, within: str = UNET
) -> Any:
    """What the tiny model paints with changes in its weights; `sizes`: of their rows, then."""
    folder = work / "merged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(studio.models.paths.models / "tiny", folder)
    file = folder / f"{within}.safetensors"
    state = load_file(file)
    for name, delta in deltas.items():
        weight = state[f"{name}.weight"] + delta.reshape(state[f"{name}.weight"].shape)
        if sizes is not None:
            ones = (-1, *(1,) * (weight.dim() - 1))
            length = weight.flatten(1).norm(dim=1).reshape(ones)
            weight = weight / length * sizes[name].reshape(ones)
        state[f"{name}.weight"] = weight
    save_file(state, file, metadata={"format": "pt"})
    return studio.paint(replace(ASKED, model=str(folder)))[0].astype(int)


def laid_on(studio: Studio, work: Path, state: Mapping[str, Tensor], weight: float = 1.0) -> Any:
    file = work / "стиль v1.0 (a).safetensors"
    save_file({name: tensor.contiguous().clone() for name, tensor in state.items()}, file)
    return studio.paint(replace(ASKED, loras=(Lora(str(file), weight),)))[0].astype(int)


def same(one: Any, two: Any) -> bool:
    return bool(np.abs(one - two).max() <= 1)


def kohya(name: str) -> str:
    return "lora_unet_" + name.replace(".", "_")


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


def test_text_encoders_and_convolutions_of_other_ranks_weigh_as_trained(
    studio: Studio, work: Path, changes: Changes
) -> None:
    """As LoCons are trained: one rank for what is linear, another for convolutions."""
    encoder = studio.models.load("tiny").parts["text_encoder"]
    text: State = {}
    for name, module in encoder.named_modules():
        if name.endswith(("q_proj", "fc1")):
            layer = "lora_te_text_model_" + name.removeprefix("text_model.").replace(".", "_")
            text[f"{layer}.lora_down.weight"] = changes.noise(4, module.in_features)
            text[f"{layer}.lora_up.weight"] = changes.noise(module.out_features, 4)
            text[f"{layer}.alpha"] = torch.tensor(2.0)
    own, deltas = dict[str, Tensor](), changes.plain()
    for name in changes.shapes:
        rank = 2 if name in changes.linear else 1
        own[f"{kohya(name)}.lora_down.weight"] = changes.down[name][:rank]
        own[f"{kohya(name)}.lora_up.weight"] = changes.up[name][:, :rank]
        own[f"{kohya(name)}.alpha"] = torch.tensor(0.5)
        product = changes.up[name][:, :rank].flatten(1) @ changes.down[name][:rank].flatten(1)
        deltas[name] = product * 0.5 / rank
    both = laid_on(studio, work, own | text)
    merged(studio, work, deltas)
    file = work / "words.safetensors"
    save_file(text, file)
    asked = replace(ASKED, model=str(work / "merged"), loras=(Lora(str(file)),))
    expected = studio.paint(asked)[0].astype(int)
    assert np.abs(expected - laid_on(studio, work, own)).mean() > 1, "the words act"
    assert same(both, expected)


@pytest.mark.parametrize(
    "which", ["q_proj", "v_proj", "fc2", "k_proj out_proj"], ids=lambda which: which
)
@pytest.mark.parametrize("spelling", ["kohya", "diffusers"])
def test_a_lora_of_any_layers_of_a_text_encoder_acts(
    studio: Studio, work: Path, changes: Changes, which: str, spelling: str
) -> None:
    """Of one kind of projection alone, and of one layer alone, too."""
    encoder = studio.models.load("tiny").parts["text_encoder"]
    text, deltas = dict[str, Tensor](), dict[str, Tensor]()
    own = dict(load_file(studio.models.paths.models / "tiny" / f"{TEXT}.safetensors"))
    for name, module in encoder.named_modules():
        if not name.endswith(tuple(which.split())) or (len(which) < 6 and "layers.0" in name):
            continue
        down = changes.noise(2, module.in_features)
        up = changes.noise(module.out_features, 2)
        bare = "text_model." + name.removeprefix("text_model.")
        saved = next(n for n in own if f"text_model.{n}".endswith(f"{bare}.weight"))
        deltas[saved.removesuffix(".weight")] = up @ down * 0.5
        if spelling == "kohya":
            layer = "lora_te_" + bare.replace(".", "_")
            text |= {f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up}
            text[f"{layer}.alpha"] = torch.tensor(1.0)
        else:
            layer = f"text_encoder.{bare}"
            text |= {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up * 0.5}
    expected = merged(studio, work, deltas, within=TEXT)
    assert np.abs(expected - studio.paint(ASKED)[0].astype(int)).max() > 1, "the words act"
    assert same(laid_on(studio, work, text), expected)


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


ONES = torch.ones(4, 4)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("{layer}.oft_blocks", "an OFT"),
        ("{layer}.boft_R", "a BOFT"),
        ("{layer}.a1.weight", "a GLoRA"),
        ("{layer}.diff", "whole changes"),
        ("{layer}.diff_b", "whole changes"),
        ("{layer}.w_norm", "changes norms"),
        ("{layer}.hada_t1", "Tucker"),
        ("{layer}.lokr_t2", "Tucker"),
        ("{layer}.lokr_w1", "of which only lokr_w1"),
        ("{layer}.on_input", "an IA3"),
        ("base_model.model.mid.ia3_l", "an IA3"),
        ("base_model.model.mid.vera_lambda_b", "a VeRA"),
        ("emb_params", "textual inversion"),
        ("decoder.conv_in.weight", "a VAE"),
        ("image_proj.proj.weight", "IP-Adapter"),
        ("lllite_unet_x.depth.weight", "LLLite"),
        ("model.diffusion_model.out.0.weight", "has a UNet"),
        ("model.1.sub.0.weight", "upscaling"),
        ("something.else", "holds no layers of a LoRA"),
        ("diffusion_model.layers.7.attention.qkv.lora_A.weight", "made for Z-Image"),
        ("transformer.noise_refiner.0.attention.to_q.lora_A.weight", "made for Z-Image"),
        ("lora_unet_layers_3_attention_qkv.lora_down.weight", "made for Z-Image"),
        ("lora_unet_single_blocks_0_linear1.lora_down.weight", "made for FLUX"),
        ("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight", "made for FLUX"),
        ("transformer.transformer_blocks.0.img_mlp.net.2.lora_A.weight", "made for Qwen-Image"),
        ("diffusion_model.blocks.0.self_attn.q.lora_A.weight", "made for Wan"),
        ("lora_unet_joint_blocks_0_x.lora_down.weight", "made for Stable Diffusion 3"),
        ("lora_prior_unet_down_blocks_0.lora_down.weight", "made for Stable Cascade"),
    ],
)
def test_what_cannot_be_laid_on_is_named(
    studio: Studio, tmp_path: Path, changes: Changes, name: str, told: str
) -> None:
    file = tmp_path / "a.safetensors"
    save_file({name.format(layer=kohya(changes.linear[0])): ONES}, file)
    with pytest.raises(UnderpaintError, match=told) as caught:
        studio.run(replace(ASKED, loras=(Lora(str(file)),)))
    assert caught.value.code is ErrorCode.LORA_MISSING


def test_one_that_does_nothing_or_is_of_another_size_is_told(
    studio: Studio, tmp_path: Path, changes: Changes
) -> None:
    layer, file = kohya(changes.linear[0]), tmp_path / "a.safetensors"

    def refused(state: State) -> str:
        save_file(state, file)
        with pytest.raises(UnderpaintError) as caught:
            studio.run(replace(ASKED, loras=(Lora(str(file)),)))
        assert caught.value.code is ErrorCode.LORA_MISSING
        return caught.value.message

    pair = {f"{layer}.lora_down.weight": ONES, f"{layer}.lora_up.weight": ONES.clone()}
    assert "its alpha is 0" in refused(pair | {f"{layer}.alpha": torch.tensor(0.0)})
    assert "of shape (4, 4)" in refused(pair)
    kron = {f"{layer}.lokr_w1": ONES, f"{layer}.lokr_w2": ONES.clone()}
    assert "of shape (16, 16)" in refused(kron)
