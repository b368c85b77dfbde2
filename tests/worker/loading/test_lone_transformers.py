"""Files with a transformer alone, as ComfyUI's users have them, paint what the whole model does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from diffusers.loaders import single_file_utils as utils
from safetensors.torch import save_file

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    Lora,
    Prompt,
    Reference,
    ReferenceRole,
    Sampling,
)
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.tools.evals.family_things import ball
from underpaint_daemon.tools.miniatures import MINIATURES
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.image import run_image
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.layouts import LAYOUTS, takes
from underpaint_daemon.worker.pipelines.loading.networks import weight_bytes
from underpaint_daemon.worker.pipelines.memory import Tier

from helpers.painting.original_layout import original, round_trip, save_gguf, save_original
from helpers.painting.studio import Recorder, Studio, photo

# By miniature: what its file is called, and the class of its transformer.
FILES = {
    "flux1": ("flux1-dev.safetensors", "FluxTransformer2DModel"),
    "flux1_schnell": ("flux1-schnell.safetensors", "FluxTransformer2DModel"),
    "flux1_kontext": ("flux1-dev-kontext.safetensors", "FluxTransformer2DModel"),
    "chroma": ("Chroma1-HD.safetensors", "ChromaTransformer2DModel"),
    "flux2": ("flux2_dev_fp8mixed.safetensors", "Flux2Transformer2DModel"),
    "flux2_klein": ("flux-2-klein-4b.safetensors", "Flux2Transformer2DModel"),
    "z_image": ("z_image_turbo.safetensors", "ZImageTransformer2DModel"),
    "qwen_image": ("qwen_image.safetensors", "QwenImageTransformer2DModel"),
    "sd35": ("sd3.5_medium.safetensors", "SD3Transformer2DModel"),
}
ASKED = ImageRequest(
    Prompt("a red cube"), width=64, height=64, controls=(), sampling=Sampling(steps=2, guidance=3.0)
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("lone")
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    for name in FILES:
        MINIATURES[name](paths.models / name)
    studio = Studio(PipelineRunner(ModelCache(paths)), Buffers())
    yield studio
    studio.runner.unload()


def paths_of(shop: Studio) -> Paths:
    return shop.models.paths


def transformer(shop: Studio, name: str):
    kind = getattr(diffusers, FILES[name][1])
    return kind.from_pretrained(paths_of(shop).models / name / "transformer").eval()


def painted(shop: Studio, model: str | Path, **more) -> np.ndarray:
    return shop.paint(replace(ASKED, model=str(model), **more))[0]


@pytest.mark.parametrize("name", FILES)
def test_the_makers_file_paints_what_its_folder_paints(shop: Studio, name: str, tmp_path: Path):
    file = save_original(transformer(shop, name), tmp_path / "diffusion_models" / FILES[name][0])
    picture = shop.buffers.add(Kind.COLOR, photo())
    read = (Reference(ReferenceRole.STYLE, picture),) if name == "flux1_kontext" else ()
    expected = painted(shop, name, references=read)
    made = painted(shop, file, references=read)
    # Bit for bit the same weights; where they lie in memory can turn the last bit of a sum.
    theirs, ours = (shop.models.load(str(one)).denoiser.state_dict() for one in (name, file))
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[key], ours[key]) for key in theirs)
    assert np.abs(made.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", ["sd35", "z_image"])
def test_a_file_under_diffusers_names_is_the_same(shop: Studio, name: str, tmp_path: Path):
    state = transformer(shop, name).state_dict()
    for prefix in ("", "module."):
        file = tmp_path / f"{prefix}folder" / FILES[name][0]
        file.parent.mkdir()
        save_file({prefix + key: one.clone() for key, one in state.items()}, file)
        ours = shop.models.load(str(file)).denoiser.state_dict()
        assert ours.keys() == state.keys()
        assert all(torch.equal(ours[key], state[key]) for key in state)


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_0"])
def test_a_gguf_file_paints_what_its_packed_weights_say(shop: Studio, kind: str, tmp_path: Path):
    """Held against the folder whose weights went there and back by the format's own package."""
    file = save_gguf(transformer(shop, "flux1"), tmp_path / "unet" / f"flux1-dev-{kind}.gguf", kind)
    folder = paths_of(shop).models / f"flux1-{kind}"
    shutil.copytree(paths_of(shop).models / "flux1", folder)
    round_trip(transformer(shop, "flux1"), kind).save_pretrained(folder / "transformer")
    expected = painted(shop, folder.name)
    shutil.rmtree(folder)
    assert np.abs(painted(shop, file).astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("kind", "least"), [("Q8_0", 40), ("Q4_0", 20)])
def test_packing_costs_a_picture_little(shop: Studio, kind: str, least: float, tmp_path: Path):
    file = save_gguf(transformer(shop, "flux1"), tmp_path / f"flux1-dev-{kind}.gguf", kind)
    difference = painted(shop, file).astype(float) - painted(shop, "flux1").astype(float)
    assert 20 * np.log10(255 / np.sqrt((difference**2).mean())) > least


@pytest.mark.parametrize(
    ("name", "arch"),
    [("z_image", "lumina2"), ("qwen_image", "qwen_image"), ("flux2_klein", "flux")],
)
def test_gguf_files_of_other_makes_paint(shop: Studio, name: str, arch: str, tmp_path: Path):
    made = tmp_path / Path(FILES[name][0]).with_suffix(".gguf")
    file = save_gguf(transformer(shop, name), made, "Q8_0", arch)
    difference = painted(shop, file).astype(float) - painted(shop, name).astype(float)
    assert np.abs(difference).mean() < 4


def test_packed_weights_stay_packed_in_memory(shop: Studio, tmp_path: Path):
    plain = save_original(transformer(shop, "flux1"), tmp_path / "flux1-dev.safetensors")
    packed = save_gguf(transformer(shop, "flux1"), tmp_path / "flux1-dev-Q4_0.gguf", "Q4_0")
    sizes = [weight_bytes([shop.models.load(str(file)).denoiser]) for file in (plain, packed)]
    # 18 bytes for 32 weights, but norms and biases stay as they are.
    assert sizes[1] < 0.25 * sizes[0]


def test_a_lora_goes_onto_packed_weights(shop: Studio, tmp_path: Path):
    file = save_gguf(transformer(shop, "flux1"), tmp_path / "flux1-dev-Q8_0.gguf", "Q8_0")
    lora = str(paths_of(shop).models / "flux1" / "loras" / "style.safetensors")
    plain, styled = painted(shop, file), painted(shop, file, loras=(Lora(lora, 1.0),))
    truth = painted(shop, "flux1", loras=(Lora(lora, 1.0),))
    assert np.abs(styled.astype(float) - truth).mean() < 4
    assert np.abs(styled.astype(float) - plain).mean() > 4
    assert np.array_equal(painted(shop, file), plain)


def test_packed_weights_wait_elsewhere_as_others_do(shop: Studio, tmp_path: Path):
    """A card too small for the packed weights, too: they visit it by blocks or layers."""
    file = save_gguf(transformer(shop, "flux1"), tmp_path / "flux1-dev-Q4_0.gguf", "Q4_0")
    lora = Lora(str(paths_of(shop).models / "flux1" / "loras" / "style.safetensors"), 1.0)
    model = shop.models.load(str(file))
    asked = settle(replace(ASKED, model=str(file), loras=(lora,)), paths_of(shop))
    full, blocks, offloaded, again = (
        run_image(model, asked, {}, tier, Recorder())[0]
        for tier in (Tier.TILED, Tier.BLOCKS, Tier.OFFLOADED, Tier.TILED)
    )
    assert np.array_equal(full, blocks)
    assert np.array_equal(full, offloaded)
    assert np.array_equal(full, again)


def test_packed_weights_follow_a_controlnet(shop: Studio, tmp_path: Path):
    file = save_gguf(transformer(shop, "flux1"), tmp_path / "flux1-dev-Q8_0.gguf", "Q8_0")
    network = str(paths_of(shop).models / "flux1" / "controlnet_depth")
    followed = {
        "view": ball(shop.buffers),
        "controls": (Control(ControlKind.DEPTH, model=network),),
    }
    plain, led = painted(shop, file), painted(shop, file, **followed)
    truth = painted(shop, "flux1", **followed)
    assert np.abs(led.astype(float) - truth).mean() < 4
    assert np.abs(led.astype(float) - plain).mean() > 4


def kohyas(shop: Studio, *, dora: bool = False) -> dict[str, torch.Tensor]:
    """A LoRA of the layers that BFL has as one, as kohya's trainer calls them."""
    torch.manual_seed(3)
    named = original(transformer(shop, "flux1"))
    found: dict[str, torch.Tensor] = {}
    for layer in ("double_blocks.0.img_attn.qkv", "single_blocks.1.linear2"):
        rows, columns = named[f"{layer}.weight"].shape
        spelled = f"lora_unet_{layer.replace('.', '_')}"
        found[f"{spelled}.lora_down.weight"] = torch.randn(2, columns)
        found[f"{spelled}.lora_up.weight"] = torch.randn(rows, 2)
        found[f"{spelled}.alpha"] = torch.tensor(1.0)
        found |= {f"{spelled}.dora_scale": torch.ones(rows, 1)} if dora else {}
    return found


def test_a_lora_in_kohyas_spelling_goes_onto_packed_weights(shop: Studio, tmp_path: Path):
    file = save_gguf(transformer(shop, "flux1"), tmp_path / "flux1-dev-Q4_0.gguf", "Q8_0")
    save_file(kohyas(shop), tmp_path / "kohya.safetensors")
    laid = (Lora(str(tmp_path / "kohya.safetensors"), 1.0),)
    plain, truth = painted(shop, "flux1"), painted(shop, "flux1", loras=laid)
    effect = np.abs(truth.astype(float) - plain).mean()
    assert effect > 4
    assert np.abs(painted(shop, file, loras=laid).astype(float) - truth).mean() < effect / 4


def test_a_dora_is_refused_on_packed_weights(shop: Studio, tmp_path: Path):
    file = save_gguf(transformer(shop, "flux1"), tmp_path / "flux1-dev-Q8_0.gguf", "Q8_0")
    layer = "transformer.transformer_blocks.0.attn.to_q"
    state = {f"{layer}.lora_A.weight": torch.randn(2, 32), f"{layer}.dora_scale": torch.ones(32)}
    save_file(state | {f"{layer}.lora_B.weight": torch.randn(32, 2)}, tmp_path / "d.safetensors")
    with pytest.raises(RequestError, match="is a DoRA or LoKr: neither goes onto packed") as told:
        painted(shop, file, loras=(Lora(str(tmp_path / "d.safetensors"), 1.0),))
    assert told.value.code is ErrorCode.LORA_MISSING


def by_rows(rows: Mapping[str, int]) -> dict[str, torch.Tensor]:
    """Weights of so many rows and one column, all their numbers different."""
    return {name: torch.randn(count, 1) for name, count in rows.items()}


@pytest.mark.parametrize(
    ("kind", "convert"),
    [
        ("FluxTransformer2DModel", utils.convert_flux_transformer_checkpoint_to_diffusers),
        ("ChromaTransformer2DModel", utils.convert_chroma_transformer_checkpoint_to_diffusers),
        ("Flux2Transformer2DModel", utils.convert_flux2_transformer_checkpoint_to_diffusers),
        ("ZImageTransformer2DModel", utils.convert_z_image_transformer_checkpoint_to_diffusers),
        ("SD3Transformer2DModel", utils.convert_sd3_transformer_checkpoint_to_diffusers),
    ],
)
def test_names_become_what_diffusers_makes_of_them(shop: Studio, kind: str, convert):
    """At the released width, which is the only one that diffusers' conversions know."""
    folder = next(name for name, (_, of) in FILES.items() if of == kind)
    wide = 3072
    narrow = 32
    names = original(transformer(shop, folder))
    rows = {name: max(1, len(tensor) * wide // narrow) for name, tensor in names.items()}
    state = by_rows(rows)
    expected = convert(dict(state), config={})
    made = takes(LAYOUTS[kind], rows, (wide,) * 3)
    assert made.keys() == expected.keys()
    for name, take in made.items():
        found = state[take.name][take.begin : take.end]
        found = torch.cat(found.chunk(2)[::-1]) if take.swapped else found
        assert torch.equal(found, expected[name]), name
