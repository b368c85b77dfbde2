"""Models of other programs are found and used where they lie."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import pytest

from underpaint.errors import RequestError
from underpaint.paths import Paths
from underpaint_daemon.common.models import describe, list_models, model_folder
from underpaint_daemon.common.places import (
    add_folder,
    extra_models,
    forget_folder,
    known_places,
    models_in,
)

from helpers.sparse_files import sparse


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(runtime=tmp_path / "run", data=tmp_path / "data", cache=tmp_path / "cache")


def checkpoint(file: Path) -> Path:
    """A safetensors file of no tensors: found, and told to be no model."""
    file.parent.mkdir(parents=True, exist_ok=True)
    header = json.dumps({}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header)
    return file


def folder(place: Path, name: str = "FluxPipeline") -> Path:
    place.mkdir(parents=True)
    (place / "model_index.json").write_text(json.dumps({"_class_name": name}))
    return place


def test_other_programs_folders_are_known(tmp_path: Path) -> None:
    made = [
        tmp_path / ".cache/huggingface/hub",
        tmp_path / "ComfyUI/models",
        tmp_path / "stable-diffusion-webui/models",
        tmp_path / "invokeai/models",
        tmp_path / "Fooocus/models",
    ]
    for place in made:
        place.mkdir(parents=True)
    found = known_places({}, tmp_path)
    assert [place.folder for place in found] == made
    moved = tmp_path / "elsewhere" / "hub"
    moved.mkdir(parents=True)
    assert known_places({"HF_HOME": str(moved.parent)}, tmp_path)[0].folder == moved


def test_models_are_found_in_each_layout_and_parts_are_not(tmp_path: Path) -> None:
    hub = tmp_path / "hub" / "models--maker--fine"
    old, new = folder(hub / "snapshots" / "aaa"), folder(hub / "snapshots" / "bbb")
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text("aaa")
    assert list(models_in(tmp_path / "hub")) == [("maker--fine", old)]
    (hub / "refs" / "main").write_text("bbb\n")
    assert list(models_in(tmp_path / "hub")) == [("maker--fine", new)]

    packed = tmp_path / "hub" / "models--maker--packed" / "snapshots" / "ccc"
    packed.mkdir(parents=True)
    (packed / "flux1-dev-Q4_0.gguf").write_bytes(b"GGUF")
    (packed / "README.md").write_text("")
    found = dict(models_in(tmp_path / "hub"))
    assert found["flux1-dev-Q4_0.gguf"] == packed / "flux1-dev-Q4_0.gguf"
    assert len(found) == 2

    comfy = tmp_path / "comfy"
    whole = checkpoint(comfy / "checkpoints" / "sub" / "dream v1.safetensors")
    checkpoint(comfy / "loras" / "style.safetensors")
    checkpoint(comfy / "controlnet" / "depth.safetensors")
    checkpoint(comfy / "vae" / "vae.safetensors")
    shaped = folder(comfy / "diffusers" / "mine")
    assert list(models_in(comfy)) == [("dream v1.safetensors", whole), ("mine", shaped)]


def test_added_folders_are_listed_used_by_name_and_forgotten(paths: Paths, tmp_path: Path) -> None:
    mine = folder(tmp_path / "ünder 3 dots: x" / "fine", "FluxPipeline")
    assert add_folder(paths, mine.parent)
    assert not add_folder(paths, mine.parent)
    assert dict(extra_models(paths)) == {"fine": mine}
    assert model_folder(paths, "fine") == mine
    assert "fine" in [model["name"] for model in list_models(paths)]
    assert forget_folder(paths, mine.parent)
    assert not forget_folder(paths, mine.parent)
    assert mine.is_dir()
    with pytest.raises(RequestError):
        model_folder(paths, "fine")


def test_many_files_are_looked_into_once(paths: Paths, tmp_path: Path) -> None:
    """A listing is asked for at each start of Blender: later ones read nothing again."""
    models = tmp_path / "ComfyUI" / "models"
    start = "model.diffusion_model.input_blocks"
    shapes = {f"{start}.{i}.0.weight": (4, 4) for i in range(2000)}
    shapes |= {"cond_stage_model.transformer.x": (1,), "first_stage_model.x": (1,)}
    files = [sparse(models / "checkpoints" / f"mix {i}.safetensors", shapes) for i in range(12)]
    add_folder(paths, models)
    spent = [time.process_time()]
    for _ in range(2):
        assert {describe(paths, name, file).problem for name, file in models_in(models)} == {""}
        spent.append(time.process_time())
    assert spent[2] - spent[1] < 0.5 * (spent[1] - spent[0])
    checkpoint(files[0])
    changed = {row["name"]: row["problem"] for row in list_models(paths)}
    assert changed.pop(files[0].name)
    assert not any(changed.values())


def test_ones_own_model_of_the_same_name_comes_first(paths: Paths, tmp_path: Path) -> None:
    own, other = folder(paths.models / "fine"), folder(tmp_path / "others" / "fine")
    add_folder(paths, other.parent)
    assert model_folder(paths, "fine") == own
    names = [model["name"] for model in list_models(paths)]
    assert names.count("fine") == 1


def test_a_spoilt_list_is_told(paths: Paths) -> None:
    paths.data.mkdir(parents=True)
    (paths.data / "model_folders.json").write_text("{")
    with pytest.raises(RequestError, match=r"model_folders\.json"):
        list_models(paths)
