"""What was given as a model and is none: told by its bytes, its tensors' names, or its folder."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.contents.folders import index_of
from underpaint_daemon.common.contents.headers import header
from underpaint_daemon.common.model_files import check_network, read_json
from underpaint_daemon.common.places import snapshot_of
from underpaint_daemon.common.recognition import family_of_index
from underpaint_daemon.common.single_files import recognise

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
PAGE = b"<!DOCTYPE html>\n<html><body>Log in</body></html>"


def safetensors(file: Path, names: Iterable[str], kind: str = "F16") -> Path:
    """A file with a matrix of zeros under each name."""
    wide = 1 if kind in ("U8", "I8") else 2
    entries = {
        name: {"dtype": kind, "shape": [2, 2], "data_offsets": [4 * wide * i, 4 * wide * (i + 1)]}
        for i, name in enumerate(names)
    }
    told = json.dumps(entries).encode()
    data = bytes(4 * wide * len(entries))
    file.write_bytes(len(told).to_bytes(8, "little") + told + data)
    return file


def refusal(read: object, *given: object) -> RequestError:
    assert callable(read)
    with pytest.raises(RequestError) as caught:
        read(*given)
    assert caught.value.code is ErrorCode.MODEL_BROKEN
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (POINTER, "Git LFS pointer"),
        (PAGE, "a web page"),
        (b"\n\n  <html lang=en>", "a web page"),
        (b'{"error": "Unauthorized", "message": "log in"}', 'a text, not a model: \'{"error"'),
        (b"Invalid username or password.", "a text, not a model: 'Invalid username"),
        (b"", "is empty"),
        (pickle.dumps({"a": 1}), "a pickled checkpoint"),
        (pickle.dumps({"a": 1}, 2), "a pickled checkpoint"),
        (b"GGUF\x01\x00\x00\x00" + bytes(99), "a damaged GGUF file: its version is 1"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(99), "a packed archive"),
        (b"Rar!\x1a\x07" + bytes(99), "a packed archive"),
        (b"\x1f\x8b\x08" + bytes(99), "a packed archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "a picture"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00cut", "not a safetensors file"),
    ],
)
def test_a_file_under_a_false_name_is_told_by_its_bytes(tmp_path: Path, data: bytes, told: str):
    file = tmp_path / "скачано v1.0 (1).safetensors"
    file.write_bytes(data)
    assert told in refusal(header, file).message


def test_archives_are_told_apart(tmp_path: Path):
    for name, told in (("archive/data.pkl", "pickled"), ("model/readme.txt", "packed archive")):
        with zipfile.ZipFile(tmp_path / "a.ckpt", "w") as archive:
            archive.writestr(name, b"x" * 100)
        assert told in refusal(header, tmp_path / "a.ckpt").message


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["lora_unet_x.lora_down.weight"], "is a LoRA"),
        (["lycoris_x.hada_w1_a"], "is a LoRA"),
        (["base_model.model.x.lora_A.weight"], "is a LoRA"),
        (["lllite_unet_x.depth.weight"], "ControlNet-LLLite"),
        (["single_transformer_blocks.0.mlp_fc1.qweight", "x.wscales", "x.lora_up"], "Nunchaku"),
        (["conv_in.weight", "down_blocks.0.x.weight", "up_blocks.0.x.weight"], "is the UNet"),
        (["lora_controlnet", "input_blocks.0.0.weight"], "ControlNet-LoRA"),
        (["controlnet_cond_embedding.conv_in.weight"], "is a ControlNet"),
        (["input_hint_block.0.weight", "zero_convs.0.0.weight"], "is a ControlNet"),
        (["double_blocks.0.x.weight", "controlnet_blocks.0.weight"], "XLabs"),
        (["adapter.body.0.resnets.0.block1.weight"], "is a T2I-Adapter"),
        (["image_proj.proj.weight", "ip_adapter.1.to_k_ip.weight"], "is an IP-Adapter"),
        (["emb_params"], "textual inversion"),
        (["clip_l", "clip_g"], "textual inversion of SDXL"),
        (["encoder.conv_in.weight", "decoder.conv_in.weight"], "is a VAE"),
        (["first_stage_model.decoder.conv_in.weight"], "is a VAE"),
        (["text_model.embeddings.token_embedding.weight"], "is a text encoder (CLIP)"),
        (["encoder.block.0.layer.0.SelfAttention.q.weight", "shared.weight"], "(T5)"),
        (["vision_model.embeddings.class_embedding"], "is an image encoder"),
        (["model.layers.0.self_attn.q_proj.weight"], "is a language model"),
        (["model.1.sub.0.RDB1.conv1.0.weight", "model.0.weight"], "upscaling network"),
        (["conv_first.weight", "body.0.rdb1.conv1.weight"], "upscaling network"),
        (["model.diffusion_model.double_blocks.0.x.weight"], "is a FLUX checkpoint"),
        (["layers.0.x.weight", "cap_embedder.0.weight"], "is a Lumina"),
        (["distilled_guidance_layer.in_proj.weight", "nerf_blocks.0.weight"], "Chroma Radiance"),
        (["transformer_blocks.0.x.weight", "txt_norm.weight"], "is a Qwen-Image"),
        (["blocks.0.self_attn.q.weight", "patch_embedding.weight"], "is a Wan"),
        (["joint_blocks.0.x.weight"], "is a Stable Diffusion 3"),
        (["model_ema.diffusion_modelout2weight", "first_stage_model.x"], "averaged weights"),
        (["clip_txt_pooled_mapper.weight", "down_blocks.0.x.weight"], "Stable Cascade"),
        (["down_blocks.0.resnets.0.conv1.weight"], "one network of a model"),
        ([], "no checkpoint of a family"),
    ],
)
def test_another_kind_of_file_is_told_by_its_tensors(tmp_path: Path, names: list[str], told: str):
    file = safetensors(tmp_path / "a.safetensors", names)
    assert told in refusal(recognise, file).message


def folder(root: Path, **files: object) -> Path:
    """A folder with JSON files."""
    root.mkdir(parents=True, exist_ok=True)
    for name, told in files.items():
        (root / f"{name}.json").write_text(json.dumps(told))
    return root


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"config": {"_class_name": "AutoencoderKL"}}, "is a VAE"),
        ({"config": {"_class_name": "ControlNetModel"}}, "is a ControlNet"),
        ({"config": {"_class_name": "UNet2DConditionModel"}}, "is one network"),
        ({"config": {"architectures": ["LlamaForCausalLM"]}}, "LlamaForCausalLM, of transformers"),
        ({"config": {}}, "is one network"),
        ({"modular_config": {}}, "a modular pipeline's blocks alone"),
        ({"adapter_config": {}}, "is a LoRA's folder"),
        ({"scheduler_config": {}}, "a scheduler alone"),
        ({"tokenizer_config": {}}, "a tokenizer alone"),
        ({}, "no model_index.json"),
    ],
)
def test_a_folder_that_is_no_model_is_told_by_what_lies_in_it(tmp_path: Path, files, told: str):
    assert told in refusal(index_of, folder(tmp_path / "a b.c", **files)).message


def test_a_folder_around_a_file_names_the_file(tmp_path: Path):
    (tmp_path / "old.ckpt").write_bytes(b"x")
    assert "a pickled file old.ckpt" in refusal(index_of, tmp_path).message
    safetensors(tmp_path / "dream.safetensors", ["a"])
    told = refusal(index_of, tmp_path)
    assert "a file dream.safetensors" in told.message
    assert str(tmp_path / "dream.safetensors") in told.hint


def test_links_into_a_cleared_cache_are_told(tmp_path: Path):
    for name in ("model_index.json", "a.safetensors", "config.json"):
        (tmp_path / name).symlink_to(tmp_path / "blobs" / "gone")
    assert "cache that it was in has been cleared" in refusal(index_of, tmp_path).message
    assert "cleared" in refusal(header, tmp_path / "a.safetensors").message
    assert "cleared" in refusal(check_network, tmp_path).message


def test_a_pointer_or_a_page_in_place_of_a_config_is_told(tmp_path: Path):
    file = tmp_path / "config.json"
    for data, told in ((POINTER, "LFS"), (PAGE, "web page"), (b"", "empty"), (b"{", "read")):
        file.write_bytes(data)
        assert told in refusal(read_json, file).message


def test_shards_that_an_index_names_must_be_there(tmp_path: Path):
    folder(tmp_path, config={})
    names = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": names[0], "b": names[1]}}))
    safetensors(tmp_path / names[0], ["a"])
    assert f"{names[1]} is missing" in refusal(check_network, tmp_path).message
    safetensors(tmp_path / names[1], ["b"])
    check_network(tmp_path)
    index.write_text("[]")
    refusal(check_network, tmp_path)
    index.write_text("{}")
    assert "names no weights" in refusal(check_network, tmp_path).message
    index.unlink()
    assert "no index of its shards" in refusal(check_network, tmp_path).message


def test_weights_quantised_by_what_is_not_installed_are_told(tmp_path: Path):
    safetensors(tmp_path / "model.safetensors", ["a.weight"], "U8")
    folder(tmp_path, config={})
    assert "whole numbers (U8)" in refusal(check_network, tmp_path).message
    folder(tmp_path, config={"quantization_config": {"quant_method": "no_such_method"}})
    told = refusal(check_network, tmp_path)
    assert "quantised by no_such_method, which is not installed" in told.message


def test_a_repository_of_the_hubs_cache_means_its_model(tmp_path: Path):
    root = tmp_path / "models--me--tiny"
    old, new = (root / "snapshots" / name for name in ("aaa", "bbb"))
    for one in (old, new):
        one.mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("aaa")
    assert snapshot_of(root) == snapshot_of(root / "snapshots") == old
    assert snapshot_of(old) == old
    assert snapshot_of(tmp_path / "other") == tmp_path / "other"


def test_a_config_with_a_word_for_a_number_is_told(tmp_path: Path):
    folder(tmp_path, model_index={"_class_name": "StableDiffusionPipeline"})
    folder(tmp_path / "unet", config={"in_channels": "four"})
    told = refusal(lambda: family_of_index(tmp_path, index_of(tmp_path)))
    assert "in_channels: 'four', no number" in told.message
