"""FLUX.2 dev with its text encoder in a file, as ComfyUI and llama.cpp have it, reads what its
folder reads, to the last bit where no weight is packed, and paints what it paints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from underpaint.buffers import Buffers
from underpaint.errors import RequestError
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint_daemon.common.models import describe
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.networks import weight_bytes
from underpaint_daemon.worker.pipelines.loading.packing.packed import is_packed

from helpers.comfy.home import Parts, tekken, write_home
from helpers.comfy.models import flux2, klein
from helpers.painting.original_layout import save_text_gguf
from helpers.painting.studio import Studio

ASKED = ImageRequest(
    Prompt("a red cube, Grün"), width=64, height=64, controls=(),
    sampling=Sampling(steps=1, guidance=3.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return flux2(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("shop")
    paths = Paths(runtime=home / "run", data=home / "data", cache=home / "cache")
    studio = Studio(PipelineRunner(ModelCache(paths)), Buffers())
    yield studio
    studio.runner.unload()


@pytest.fixture(scope="module")
def folder(shop: Studio, made: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.as_folder(tmp_path_factory.mktemp("folder"))


@pytest.fixture(scope="module")
def expected(shop: Studio, folder: Path) -> np.ndarray:
    """What the folder paints."""
    return painted(shop, folder)


@pytest.fixture
def file(made: Parts, tmp_path: Path) -> Path:
    return write_home(tmp_path / "ComfyUI ü" / "models", made, "flux2_dev")


def encoder_file(file: Path) -> Path:
    return file.parents[1] / "text_encoders" / "first.safetensors"


def problem_of(shop: Studio, file: Path) -> str:
    return describe(shop.models.paths, "x", file).problem


def painted(shop: Studio, model: Path) -> np.ndarray:
    return shop.paint(replace(ASKED, model=str(model)))[0].astype(int)


def reads_as(shop: Studio, file: Path, folder: Path) -> bool:
    """Whether two models read the same words as the same numbers."""
    read = [shop.models.load(str(place)).said for place in (file, folder)]
    one, other = (said[1]["prompt_embeds"] for said in read if said is not None)
    return torch.equal(one, other)


def test_comfys_file_paints_what_the_folder_paints(
    shop: Studio, file: Path, folder, expected
) -> None:
    assert np.abs(painted(shop, file) - expected).max() <= 1
    assert reads_as(shop, file, folder)
    needed = shop.needed(file)
    encoder = shop.models.load(str(file)).parts["text_encoder"]
    assert needed["text_encoder"] == weight_bytes([encoder])


_OWN = {
    "self_attn.q_proj": "attention.wq", "self_attn.k_proj": "attention.wk",
    "self_attn.v_proj": "attention.wv", "self_attn.o_proj": "attention.wo",
    "mlp.gate_proj": "feed_forward.w1", "mlp.down_proj": "feed_forward.w2",
    "mlp.up_proj": "feed_forward.w3", "input_layernorm": "attention_norm",
    "post_attention_layernorm": "ffn_norm", "embed_tokens": "tok_embeddings",
    "model.vision_tower.": "vision_encoder.", "model.language_model.": "", "lm_head": "output",
}  # fmt: skip


def as_mistral_names_them(name: str, tensor: torch.Tensor) -> tuple[str, torch.Tensor]:
    """A weight in its consolidated.safetensors, where what is turned together is side by side."""
    if "language_model" in name and name.endswith(("q_proj.weight", "k_proj.weight")):
        halves = tensor.reshape(-1, 2, 64, tensor.shape[1])
        tensor = halves.swapaxes(1, 2).reshape(tensor.shape)
    for theirs, own in _OWN.items():
        name = name.replace(theirs, own)
    return name, tensor


@pytest.mark.parametrize(
    "start", ["model.language_model.", "language_model.model.", "consolidated"]
)
def test_the_whole_of_mistral_does_too(
    shop: Studio, made: Parts, file: Path, folder, expected, start
):
    """With eyes and all layers; what FLUX.2 does not read is not loaded. The tokenizer lies beside,
    as Mistral publishes it, once with its own names of weights."""
    state = made.parts["text_encoder"].state_dict()
    named = {name.replace("model.language_model.", start): one for name, one in state.items()}
    if start == "consolidated":
        named = dict(as_mistral_names_them(name, one) for name, one in state.items())
    save_file({name: one.clone() for name, one in named.items()}, encoder_file(file))
    assert "not found: Mistral's tokenizer (a folder" in problem_of(shop, file)
    foreign = encoder_file(file).with_name("Qwen3-4B-Q8_0.gguf")
    save_text_gguf(klein(file.parent).parts["text_encoder"], foreign, "Q8_0", "QWEN3")
    assert "not found: Mistral's tokenizer (a folder" in problem_of(shop, file)
    words = file.parents[1] / "tokenizers" / "mistral_tokenizer"
    words.mkdir(parents=True)
    if start == "consolidated":
        words = encoder_file(file).parent
    (words / "tekken.json").write_bytes(tekken())
    assert problem_of(shop, file) == ""
    assert np.abs(painted(shop, file) - expected).max() <= 1
    assert reads_as(shop, file, folder)
    assert len(shop.models.load(str(file)).parts["text_encoder"].layers) == 30


def test_llama_cpps_file_does_too(shop: Studio, made: Parts, file: Path, folder, expected) -> None:
    """With the rows of queries and keys laid out anew, and the tokens beside the weights."""
    encoder_file(file).unlink()
    encoder, words = made.parts["text_encoder"], made.parts["tokenizer"]
    packed = encoder_file(file).with_suffix(".gguf")
    save_text_gguf(encoder, packed, "F32", "LLAMA", words)
    assert np.abs(painted(shop, file) - expected).max() <= 1
    assert reads_as(shop, file, folder)
    save_text_gguf(encoder, packed, "Q8_0", "LLAMA", words)
    assert 0 < np.abs(painted(shop, file) - expected).mean() < 4
    encoder = shop.models.load(str(file)).parts["text_encoder"]
    assert is_packed(encoder)
    assert shop.needed(file)["text_encoder"] == weight_bytes([encoder])


def test_scaled_fp8_stays_fp8(shop: Studio, file: Path, folder, expected) -> None:
    state: dict[str, Any] = load_file(encoder_file(file))
    for name in [name for name in state if name.endswith("proj.weight")]:
        scale = state[name].abs().max() / 448
        state[name.replace(".weight", ".weight_scale")] = scale
        state[name] = (state[name] / scale).to(torch.float8_e4m3fn)
    save_file(state, encoder_file(file))
    assert np.abs(painted(shop, file) - expected).mean() < 6
    assert is_packed(shop.models.load(str(file)).parts["text_encoder"])


def test_what_is_missing_or_damaged_is_named(shop: Studio, file: Path) -> None:
    state = load_file(encoder_file(file))
    state["tekken_model"] = torch.tensor(list(b"{}"), dtype=torch.uint8)
    save_file(state, encoder_file(file))
    with pytest.raises(RequestError, match="has a tokenizer that cannot be read"):
        shop.models.load(str(file))
    encoder_file(file).unlink()
    told = problem_of(shop, file)
    assert "text encoder Mistral 3 (mistral_3_small_flux2_bf16.safetensors)" in told
    assert "tekken.json" in told
