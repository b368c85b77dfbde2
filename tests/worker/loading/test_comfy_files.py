"""A model in ComfyUI's folders, a file for each part, paints what the same model's folder does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from underpaint.buffers import Buffers
from underpaint.errors import RequestError
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint_daemon.common.models import describe, list_models
from underpaint_daemon.common.places import add_folder
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.networks import weight_bytes
from underpaint_daemon.worker.pipelines.loading.packing.packed import PackedLayer, is_packed

from helpers.comfy.forms import save_as, wide_of
from helpers.comfy.home import WHOLE, write_home, write_whole
from helpers.comfy.models import HOMES
from helpers.painting.original_layout import save_eyes_gguf, save_gguf, save_text_gguf
from helpers.painting.studio import Studio

ASKED = ImageRequest(
    Prompt("a red cube"), width=64, height=64, controls=(), sampling=Sampling(steps=2, guidance=3.0)
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Studio]:
    torch.set_num_threads(1)
    paths = Paths(runtime=tmp_path / "run", data=tmp_path / "data", cache=tmp_path / "cache")
    studio = Studio(PipelineRunner(ModelCache(paths)), Buffers())
    yield studio
    studio.runner.unload()


def painted(shop: Studio, model: Path) -> np.ndarray:
    return shop.paint(replace(ASKED, model=str(model)))[0].astype(int)


def same_weights(shop: Studio, one: Path, other: Path) -> None:
    for name, part in shop.models.load(str(one)).parts.items():
        if isinstance(part, torch.nn.Module):
            theirs = shop.models.load(str(other)).parts[name].state_dict()
            ours = part.state_dict()
            assert ours.keys() == theirs.keys()
            assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []


@pytest.mark.parametrize("name", HOMES)
def test_files_paint_what_the_folder_paints(shop: Studio, tmp_path: Path, name: str):
    made = HOMES[name](shop.models.paths.cache)
    file = write_home(tmp_path / "ComfyUI ü" / "models", made, name)
    folder = made.as_folder(tmp_path / name)
    same_weights(shop, file, folder)
    assert np.abs(painted(shop, file) - painted(shop, folder)).max() <= 1


def test_forges_folders_are_read_too(shop: Studio, tmp_path: Path):
    made = HOMES["flux1-dev"](shop.models.paths.cache)
    models = tmp_path / "forge" / "models"
    file = write_home(models, made, "flux1-dev")
    (models / "clip").rename(models / "text_encoder")
    first = models / "text_encoders" / "first.safetensors"
    first.rename(models / "text_encoder" / first.name)
    (models / "vae").rename(models / "VAE")
    (models / "diffusion_models").rename(models / "Stable-diffusion")
    words = models.parent / "backend" / "huggingface" / "black-forest-labs" / "FLUX.1-dev"
    words.mkdir(parents=True)
    (models.parent / "comfy" / "text_encoders" / "t5_tokenizer").rename(words / "tokenizer_2")
    found = models / "Stable-diffusion" / file.name
    same_weights(shop, found, made.as_folder(tmp_path / "whole"))
    add_folder(shop.models.paths, models)
    assert [row["name"] for row in list_models(shop.models.paths) if row["problem"]] == []


@pytest.mark.parametrize("name", WHOLE)
def test_a_checkpoint_with_all_parts_in_it_paints(shop: Studio, tmp_path: Path, name: str):
    made = HOMES[name](shop.models.paths.cache)
    home = write_home(tmp_path / "ComfyUI" / "models", made, name).parents[1]
    for part in ("text_encoders", "clip", "vae", "diffusion_models"):
        shutil.rmtree(home / part)
    file = write_whole(home / "checkpoints" / f"{name}-all.safetensors", made, WHOLE[name])
    folder = made.as_folder(tmp_path / "whole")
    same_weights(shop, file, folder)


def test_what_is_missing_is_named_and_found_once_it_is_there(shop: Studio, tmp_path: Path):
    paths = shop.models.paths
    made = HOMES["flux1-dev"](paths.cache)
    models = tmp_path / "ComfyUI" / "models"
    file = write_home(models, made, "flux1-dev")
    hidden = [models / "clip", models / "vae", models.parent / "comfy"]
    for folder in hidden:
        folder.rename(folder.with_name(f"not {folder.name}"))
    problem = describe(paths, "x", file).problem
    assert "transformer of FLUX.1 alone" in problem
    for told in ("T5-XXL (t5xxl_fp16", "VAE (ae.safetensors)", "a folder t5_tokenizer"):
        assert told in problem
    assert "CLIP" not in problem
    for folder in hidden:
        folder.with_name(f"not {folder.name}").rename(folder)
    assert describe(paths, "x", file).problem == ""
    add_folder(paths, models)
    listed = {row["name"]: row for row in list_models(paths)}
    assert listed["flux1-dev.safetensors"]["family"] == "flux1"
    sizes = [one.stat().st_size for one in models.rglob("*.safetensors")]
    assert listed["flux1-dev.safetensors"]["size_mb"] == pytest.approx(sum(sizes) / 1e6, abs=0.1)


def test_files_of_other_widths_are_passed_over(shop: Studio, tmp_path: Path):
    made = HOMES["flux1-dev"](shop.models.paths.cache)
    file = write_home(tmp_path / "models", made, "flux1-dev")
    (second,) = (tmp_path / "models" / "clip").glob("*.safetensors")
    state = {
        name: tensor.repeat(1, 2) for name, tensor in load_file(second).items() if tensor.dim() > 1
    }
    save_file(state, second)
    with pytest.raises(RequestError, match="not found: text encoder T5-XXL"):
        shop.models.load(str(file))


# By home: where its text encoder lies, which part that is, llama.cpp's name of its kind.
ENCODERS = {
    "flux1-dev": ("clip/second", "text_encoder_2", "T5ENCODER"),
    "z_image_turbo_bf16": ("text_encoders/first", "text_encoder", "QWEN3"),
    "flux-2-klein-4b": ("text_encoders/first", "text_encoder", "QWEN3"),
    "qwen_image_bf16": ("text_encoders/first", "text_encoder", "QWEN2VL"),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_a_text_encoder_as_llama_cpp_packs_it_reads_the_same(shop: Studio, tmp_path: Path, name):
    made = HOMES[name](shop.models.paths.cache)
    models = tmp_path / "ComfyUI" / "models"
    file = write_home(models, made, name)
    expected = painted(shop, file)
    place, part, arch = ENCODERS[name]
    (models / f"{place}.safetensors").unlink()
    packed = save_text_gguf(made.parts[part], models / f"{place}.gguf", "F32", arch)
    assert np.abs(painted(shop, file) - expected).max() <= 1
    save_text_gguf(made.parts[part], packed, "Q8_0", arch)
    encoder = shop.models.load(str(file)).parts[part]
    assert is_packed(encoder), "its weights stay packed in memory"
    assert weight_bytes([encoder]) < 0.75 * weight_bytes([made.parts[part]])
    assert np.abs(painted(shop, file) - expected).mean() < 4
    needed = shop.needed(file)
    assert needed["transformer"] == weight_bytes([shop.models.load(str(file)).denoiser])


def test_editors_need_an_encoder_that_sees(shop: Studio, tmp_path: Path):
    made = HOMES["qwen_image_bf16"](shop.models.paths.cache)
    models = tmp_path / "models"
    file = write_home(models, made, "qwen_image_edit_bf16")
    assert describe(shop.models.paths, "x", file).problem == ""
    (models / "text_encoders" / "first.safetensors").unlink()
    blind = models / "text_encoders" / "first.gguf"
    save_text_gguf(made.parts["text_encoder"], blind, "Q8_0", "QWEN2VL")
    told = describe(shop.models.paths, "x", file).problem
    assert "not found: text encoder Qwen 2.5 VL" in told
    assert "GGUF with its mmproj beside it" in told


@pytest.mark.parametrize("kind", ["F32", "Q8_0"])
def test_editors_see_with_eyes_in_a_file_of_their_own(shop: Studio, tmp_path: Path, kind: str):
    """As llama.cpp's users have Qwen 2.5 VL; another encoder's eyes lie beside them."""
    made = HOMES["qwen_image_bf16"](shop.models.paths.cache)
    models = tmp_path / "models"
    file = write_home(models, made, "qwen_image_edit_bf16")
    expected = seeing(shop, file)
    texts = models / "text_encoders"
    (texts / "first.safetensors").unlink()
    encoder = made.parts["text_encoder"]
    save_text_gguf(encoder, texts / "Qwen2.5-VL-7B-Instruct-Q8_0.gguf", kind, "QWEN2VL")
    eyes = save_eyes_gguf(encoder, texts / "Qwen2.5-VL-7B-Instruct-mmproj-F16.gguf", kind)
    torch.manual_seed(8)
    for name, tensor in encoder.state_dict().items():
        if name.startswith("model.visual."):
            tensor.normal_()
    save_eyes_gguf(encoder, texts / "A-mmproj-F16.gguf", "F32")
    difference = (seeing(shop, file) - expected).abs()
    assert difference.max() == 0 if kind == "F32" else 0 < difference.mean() < 0.05
    assert is_packed(shop.models.load(str(file)).parts["text_encoder"]) == (kind == "Q8_0")
    needed = shop.needed(file)["text_encoder"]
    assert needed == weight_bytes([shop.models.load(str(file)).parts["text_encoder"]])
    paths = [path for path in models.rglob("*") if path.is_file() and path.name[0] != "A"]
    sizes = sum(path.stat().st_size for path in paths)
    assert eyes.stat().st_size > 500_000
    told = describe(shop.models.paths, "x", file).size_mb
    assert told == pytest.approx(sizes / 1e6, abs=0.3), "with its eyes, and only its own"
    digest = shop.models.load(str(file)).digest
    eyes.unlink()
    assert shop.models.load(str(file)).digest != digest, "another model"


def seeing(shop: Studio, model: Path) -> torch.Tensor:
    """What an editor's text encoder sees of a picture."""
    parts = shop.models.load(str(model)).parts
    ramp = np.arange(3 * 56 * 56, dtype=np.uint8).reshape(56, 56, 3)
    told = parts["processor"](["<|image_pad|>"], [Image.fromarray(ramp)])
    eyes = parts["text_encoder"].model.visual
    return eyes(told["pixel_values"], told["image_grid_thw"]).pooler_output


def test_gguf_scaled_fp8_and_plain_fp8_go_together(shop: Studio, tmp_path: Path):
    """What fits on a small card: a packed transformer, T5 in fp8 with its scales."""
    made = HOMES["flux1-dev"](shop.models.paths.cache)
    models = tmp_path / "models"
    plain = write_home(models, made, "flux1-dev")
    expected = painted(shop, plain)
    (second,) = (models / "clip").glob("*.safetensors")
    state = load_file(second)
    for name in [name for name, tensor in state.items() if tensor.dim() > 1]:
        scale = state[name].abs().max() / 448
        state[f"{name.removesuffix('.weight')}.scale_weight"] = scale
        state[name] = (state[name] / scale).to(torch.float8_e4m3fn)
    save_file({**state, "scaled_fp8": torch.zeros(2).to(torch.float8_e4m3fn)}, second)
    packed = save_gguf(made.parts["transformer"], models / "unet" / "flux1-dev-Q8_0.gguf", "Q8_0")
    difference = painted(shop, packed) - expected
    assert 0 < np.abs(difference).mean() < 4
    parts = shop.models.load(str(packed)).parts
    assert is_packed(parts["text_encoder_2"]), "fp8 stays fp8 in memory"
    assert is_packed(parts["transformer"])


def test_four_bits_of_comfys_hold_the_very_numbers(shop: Studio, tmp_path: Path):
    """Of a transformer whose header says so, and of a text encoder that says it layer by layer."""
    made = HOMES["flux-2-klein-4b"](shop.models.paths.cache)
    four, wide = (
        write_home(tmp_path / home / "models", made, "flux-2-klein-4b") for home in ("four", "wide")
    )
    for place, other in ((four, wide), (encoder_of(four), encoder_of(wide))):
        save_as("nvfp4", load_file(place), place, in_header=place == four)
        wide_of(place).replace(other)
    ours, theirs = (shop.models.load(str(file)).parts for file in (four, wide))
    needed = shop.needed(four)
    for name in ("transformer", "text_encoder"):
        packed = {n: m for n, m in ours[name].named_modules() if isinstance(m, PackedLayer)}
        assert len(packed) > 5
        for layer, one in packed.items():
            expected = theirs[name].get_submodule(layer).weight
            torch.testing.assert_close(one.unpacked(torch.float32), expected, rtol=2e-6, atol=1e-9)
        assert needed[name] == pytest.approx(weight_bytes([ours[name]]), rel=0.15)


def encoder_of(file: Path) -> Path:
    return file.parents[1] / "text_encoders" / "first.safetensors"
