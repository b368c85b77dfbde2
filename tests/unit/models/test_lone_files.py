"""Files with a transformer alone: recognised, given the rest of a model, or refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint_daemon.common.defaults.glance import glance
from underpaint_daemon.common.denoisers.files import denoiser_in
from underpaint_daemon.common.denoisers.rest import rest_of
from underpaint_daemon.common.models import (
    family_of,
    known_models,
    list_models,
)
from underpaint_daemon.common.places import add_folder
from underpaint_daemon.tools.hub.cli import main as models_command

from helpers.sparse_files import sparse

# The released widths of what else there is to a model: FLUX.1 dev's, FLUX.2's, Klein's.
FLUX1 = {
    "img_in.weight": (3072, 64),
    "txt_in.weight": (3072, 4096),
    "vector_in.in_layer.weight": (3072, 768),
    "guidance_in.in_layer.weight": (3072, 256),
    "final_layer.linear.weight": (64, 3072),
    "double_blocks.0.img_attn.norm.query_norm.scale": (128,),
    "double_blocks.18.img_attn.qkv.weight": (9216, 3072),
    "single_blocks.37.linear1.weight": (21504, 3072),
}
FLUX2 = {
    "img_in.weight": (6144, 128),
    "txt_in.weight": (6144, 15360),
    "time_in.in_layer.weight": (6144, 256),
    "guidance_in.in_layer.weight": (6144, 256),
    "final_layer.linear.weight": (128, 6144),
    "double_stream_modulation_img.lin.weight": (36864, 6144),
    "double_blocks.0.img_attn.norm.query_norm.scale": (128,),
    "double_blocks.0.img_mlp.2.weight": (6144, 18432),
    "double_blocks.7.img_attn.qkv.weight": (18432, 6144),
    "single_blocks.47.linear1.weight": (55296, 6144),
}
QWEN = {
    "img_in.weight": (3072, 64),
    "txt_in.weight": (3072, 3584),
    "txt_norm.weight": (3584,),
    "proj_out.weight": (64, 3072),
    "transformer_blocks.0.attn.norm_q.weight": (128,),
    "transformer_blocks.59.attn.to_q.weight": (3072, 3072),
}
Z_IMAGE = {
    "x_embedder.weight": (3840, 64),
    "cap_embedder.1.weight": (3840, 2560),
    "cap_pad_token": (1, 3840),
    "layers.0.attention.q_norm.weight": (128,),
    "layers.0.attention.qkv.weight": (11520, 3840),
    "layers.29.attention.qkv.weight": (11520, 3840),
    "noise_refiner.1.attention.qkv.weight": (11520, 3840),
}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(runtime=tmp_path / "run", data=tmp_path / "data", cache=tmp_path / "cache")


def without(shapes: dict[str, tuple[int, ...]], *starts: str) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in shapes.items() if not name.startswith(starts)}


def folder(place: Path, pipeline: str, transformer: dict[str, Any], **schedule: Any) -> Path:
    """A model's folder in diffusers' format, as far as configs go."""
    parts = ["transformer", "vae", "text_encoder", "tokenizer", "scheduler"]
    index = {part: ["diffusers", "Some"] for part in parts}
    for part in parts:
        (place / part).mkdir(parents=True)
    (place / "model_index.json").write_text(json.dumps({"_class_name": pipeline, **index}))
    (place / "transformer" / "config.json").write_text(json.dumps(transformer))
    told = {"_class_name": "FlowMatchEulerDiscreteScheduler", **schedule}
    (place / "scheduler" / "scheduler_config.json").write_text(json.dumps(told))
    return place


def flux_folder(place: Path, *, guided: bool = True, pipeline: str = "FluxPipeline") -> Path:
    config = {
        "_class_name": "FluxTransformer2DModel",
        "joint_attention_dim": 4096,
        "pooled_projection_dim": 768,
        "guidance_embeds": guided,
    }
    return folder(place, pipeline, config, shift=7.0)


@pytest.mark.parametrize(
    ("name", "shapes", "family", "config"),
    [
        ("flux1-dev-fp8", FLUX1, "flux1", {"num_layers": 19, "num_single_layers": 38,
         "num_attention_heads": 24, "guidance_embeds": True, "axes_dims_rope": (16, 56, 56)}),
        ("flux1-schnell", without(FLUX1, "guidance_in"), "flux1", {"guidance_embeds": False}),
        ("flux1-dev-kontext_fp8_scaled", FLUX1, "flux1_kontext", {}),
        ("flux1-fill-dev", FLUX1 | {"img_in.weight": (3072, 384)}, "flux1_fill", {}),
        ("flux1-depth-dev", FLUX1 | {"img_in.weight": (3072, 128)}, "flux1_control", {}),
        ("flux2_dev_fp8mixed", FLUX2, "flux2", {"num_layers": 8, "num_single_layers": 48,
         "num_attention_heads": 48, "mlp_ratio": 3.0, "joint_attention_dim": 15360}),
        ("flux-2-klein-4b", without(FLUX2, "guidance_in"), "flux2_klein", {}),
        ("qwen_image_fp8_e4m3fn", QWEN, "qwen_image", {"num_layers": 60, "zero_cond_t": False}),
        ("qwen_image_edit_fp8", QWEN, "qwen_edit", {}),
        ("qwen_image_edit_2509_fp8", QWEN, "qwen_edit_plus", {"zero_cond_t": False}),
        ("my-qwen-edit", QWEN | {"__index_timestep_zero__": (0,)}, "qwen_edit_plus",
         {"zero_cond_t": True}),
        ("z_image_turbo_bf16", Z_IMAGE, "z_image", {"dim": 3840, "n_layers": 30, "n_heads": 30,
         "n_kv_heads": 30, "n_refiner_layers": 2, "in_channels": 16, "cap_feat_dim": 2560}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_a_transformer_is_told_by_its_names_and_widths(
    tmp_path: Path, name: str, shapes: Any, family: str, config: dict[str, Any], prefix: str
):
    found = denoiser_in(sparse(tmp_path / f"{name}.safetensors", shapes, prefix))
    assert found is not None
    assert found.family == family
    assert {key: found.config[key] for key in config} == config


def test_one_without_its_layers_is_refused(tmp_path: Path):
    file = sparse(tmp_path / "flux.safetensors", without(FLUX1, "txt_in"))
    with pytest.raises(RequestError, match=r"FLUX\.1 that is not whole: txt_in\.weight"):
        denoiser_in(file)


def test_alone_it_is_refused_with_what_is_missing_and_how_to_give_it(paths: Paths):
    sparse(paths.models / "flux1-dev.safetensors", FLUX1)
    with pytest.raises(RequestError) as told:
        family_of(paths, "flux1-dev.safetensors")
    assert told.value.code is ErrorCode.MODEL_BROKEN
    assert "transformer of FLUX.1 alone" in told.value.message
    assert "not found: text encoder CLIP-L (clip_l.safetensors), text" in told.value.message
    assert "underpaint models add flux1-dev.safetensors --base FOLDER" in told.value.hint
    (listed,) = [row for row in list_models(paths) if row["name"] == "flux1-dev.safetensors"]
    assert "transformer of FLUX.1 alone" in listed["problem"]


def test_the_rest_comes_from_the_likest_model_that_is_known(paths: Paths, tmp_path: Path):
    dev = flux_folder(paths.models / "a dev")
    schnell = flux_folder(tmp_path / "ünder 3. dots" / "schnell", guided=False)
    add_folder(paths, schnell.parent)
    kontext = flux_folder(paths.models / "z kontext", pipeline="FluxKontextPipeline")
    folder(paths.models / "klein", "Flux2KleinPipeline", {"joint_attention_dim": 7680})
    for name, shapes, base in (
        ("flux1-dev.safetensors", FLUX1, dev),
        ("flux1-schnell.safetensors", without(FLUX1, "guidance_in"), schnell),
        ("flux1-kontext-dev.safetensors", FLUX1, kontext),
    ):
        found = denoiser_in(sparse(paths.models / name, shapes))
        assert found is not None
        rest = rest_of(paths, found)
        assert rest.base == base
        assert rest.places["vae"] == base / "vae"
        assert rest.scheduler["shift"] == 7.0


def test_a_relatives_folder_gives_all_but_the_noise_schedule(paths: Paths):
    flux_folder(paths.models / "dev")
    sparse(paths.models / "flux1-schnell.safetensors", without(FLUX1, "guidance_in"))
    seen = glance(paths, paths.models / "flux1-schnell.safetensors")
    found = denoiser_in(paths.models / "flux1-schnell.safetensors")
    assert found is not None
    schedule = rest_of(paths, found).scheduler
    assert seen.family == "flux1"
    assert (schedule["shift"], schedule["use_dynamic_shifting"]) == (1.0, False)


def test_a_folder_of_other_widths_is_not_taken(paths: Paths):
    folder(paths.models / "klein-9b", "Flux2KleinPipeline", {"joint_attention_dim": 12288})
    file = paths.models / "flux-2-klein-4b.safetensors"
    shapes = without(FLUX2, "guidance_in") | {"txt_in.weight": (3072, 7680)}
    sparse(file, shapes | {"img_in.weight": (3072, 128)})
    with pytest.raises(RequestError, match=r"FLUX\.2 alone"):
        family_of(paths, file.name)
    file.with_suffix(".underpaint.json").write_text(json.dumps({"base": "klein-9b"}))
    with pytest.raises(RequestError, match="another width"):
        family_of(paths, file.name)


def run(paths: Paths, monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setenv("UNDERPAINT_DATA", str(paths.data))
    return models_command([str(word) for word in words])


def test_the_user_names_the_folder(paths: Paths, tmp_path: Path, monkeypatch, capsys):
    base = flux_folder(tmp_path / "elsewhere" / "kontext", pipeline="FluxKontextPipeline")
    file = sparse(tmp_path / "unet" / "my merge v1.0.safetensors", FLUX1)
    assert run(paths, monkeypatch, "add", file, "--base", base) == 0
    assert "added" in capsys.readouterr().out
    assert dict(known_models(paths))["my merge v1.0.safetensors"] == file
    assert family_of(paths, "my merge v1.0.safetensors") == "flux1_kontext"


@pytest.mark.parametrize(
    ("pipeline", "told"),
    [("ZImagePipeline", "is of Z-Image"), (None, "which is no model's folder")],
)
def test_an_unfit_base_is_refused_and_not_noted(
    paths: Paths, tmp_path: Path, monkeypatch, capsys, pipeline: str | None, told: str
):
    base = tmp_path / "base"
    if pipeline is not None:
        folder(base, pipeline, {})
    file = sparse(tmp_path / "flux1-dev.safetensors", FLUX1)
    assert run(paths, monkeypatch, "add", file, "--base", base) == 2
    assert told in capsys.readouterr().err
    assert not file.with_suffix(".underpaint.json").exists()


def test_a_file_that_is_added_without_its_rest_says_so(paths, tmp_path, monkeypatch, capsys):
    file = sparse(tmp_path / "flux1-dev.safetensors", FLUX1)
    assert run(paths, monkeypatch, "add", file) == 0
    assert "transformer of FLUX.1 alone" in capsys.readouterr().out


def test_a_shard_is_told_as_one(paths: Paths, tmp_path: Path):
    """Alone, and the folder of them, which is no model either."""
    file = sparse(tmp_path / "shards" / "flux1-dev-00001-of-00003.safetensors", FLUX1)
    with pytest.raises(RequestError, match="is one of 3 shards of a model"):
        family_of(paths, str(file))
    with pytest.raises(RequestError, match="but shards") as told:
        family_of(paths, str(file.parent))
    assert str(file) not in told.value.hint
