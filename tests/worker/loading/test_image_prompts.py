"""IP-Adapters as they are published: plain, plus, full face; their encoder found where it lies."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from underpaint.buffers import BufferRef, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import BY_ATTENTION, ImageRequest, Method, Prompt, Reference, ReferenceRole
from underpaint_daemon.common.adapter_files import Form, recognise_adapter
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.common.places import add_folder, forget_folder
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.worker.pipelines.references.image_prompt import _read_picture

from helpers.meshes.sync_scene import torus, two_objects
from helpers.painting.image_adapters import adapter, encoder
from helpers.painting.studio import Studio, photo
from helpers.painting.texture_studio import Studio as TextureStudio
from helpers.painting.tiny_model import build, build_xl

ASKED = ImageRequest(Prompt("a red cube"), width=64, height=64)


@pytest.fixture(scope="module")
def bare(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Models without an IP-Adapter of their own."""
    root = tmp_path_factory.mktemp("bare")
    shutil.rmtree(build(root / "sd15") / "ip_adapter")
    return {"sd15": str(root / "sd15"), "sdxl": str(build_xl(root / "sdxl"))}


@pytest.fixture(scope="module")
def picture(studio: Studio) -> BufferRef:
    return studio.buffers.add(Kind.COLOR, photo(90, 60, channels=4))


def unet_of(studio: Studio, model: str):
    return studio.models.load(model).unet


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
@pytest.mark.parametrize("form", list(Form))
def test_every_form_acts_by_its_weight_and_leaves_no_trace(
    studio: Studio,
    bare: dict[str, str],
    picture: BufferRef,
    tmp_path: Path,
    family: str,
    form: Form,
) -> None:
    asked = replace(ASKED, model=bare[family])
    file = adapter(
        unet_of(studio, bare[family]), form, tmp_path / "my adapters" / "a@b=1.safetensors"
    )
    encoder(tmp_path / "my adapters" / "image_encoder")
    assert recognise_adapter(file).form is form
    before = studio.paint(asked)[0]
    through = Reference(ReferenceRole.STYLE, picture, 0.8, str(file))
    shown = studio.paint(replace(asked, references=(through,)))[0]
    fainter = studio.paint(replace(asked, references=(replace(through, scale=0.1),)))[0]
    other = studio.buffers.add(Kind.COLOR, photo(60, 90))
    another = studio.paint(replace(asked, references=(replace(through, image=other),)))[0]
    early = studio.paint(replace(asked, references=(replace(through, end=0.5),)))[0]
    assert len({one.tobytes() for one in (before, shown, fainter, another, early)}) == 5
    assert np.array_equal(studio.paint(asked)[0], before)


def test_a_picture_is_read_as_diffusers_reads_it(
    studio: Studio, bare: dict[str, str], tmp_path: Path
) -> None:
    model = studio.models.load(bare["sd15"])
    network = encoder(tmp_path / "image_encoder")
    small = photo(32, 32)
    sides = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    pipe = StableDiffusionPipeline.from_pretrained(
        bare["sd15"], image_encoder=network, feature_extractor=CLIPImageProcessor(**sides)
    )
    for form in (Form.PLAIN, Form.PLUS):
        file = adapter(model.unet, form, tmp_path / f"{form}.safetensors")
        none, shown = _read_picture(model, recognise_adapter(file), small)
        theirs, nothing = pipe.encode_image(Image.fromarray(small), "cpu", 1, form is Form.PLUS)
        assert torch.allclose(shown[:, 0], theirs, atol=1e-4), form
        assert torch.allclose(none[:, 0], nothing, atol=1e-4), form


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_a_texture_takes_over_the_look_of_a_picture_and_leaves_no_trace(
    studio: Studio, bare: dict[str, str], picture: BufferRef, tmp_path: Path, family: str
) -> None:
    """Each method's views are painted after it, by its weight; the recipe knows the adapter."""
    file = adapter(unet_of(studio, bare[family]), Form.PLUS, tmp_path / "plus.safetensors")
    encoder(tmp_path / "image_encoder")
    mesh = mesh_ref(two_objects(torus(16, 8)), studio.buffers)
    desk = TextureStudio(studio.models, mesh, studio.buffers)
    told = {"model": bare[family], "controls": (), "view_count": 2}
    if family == "sd15":
        told |= {"method": Method.GRID_SYNC}
    through = Reference(ReferenceRole.STYLE, picture, 0.8, str(file))
    before = desk.run(**told)
    shown = desk.run(**told, references=(through,))
    fainter = desk.run(**told, references=(replace(through, scale=0.1),))
    textures = {files["texture.png"] for files in (before, shown, fainter)}
    assert len(textures) == 3
    assert desk.run(**told)["texture.png"] == before["texture.png"]
    assert str(file) in json.loads(shown["texture.json"])["model"]["files"]


def test_the_encoder_is_found_where_it_lies(
    studio: Studio, bare: dict[str, str], picture: BufferRef, tmp_path: Path, paths: Paths
) -> None:
    unet = unet_of(studio, bare["sd15"])
    network = encoder(tmp_path / "made")
    small = CLIPVisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=1,
        image_size=32, patch_size=8, projection_dim=8,
    )  # fmt: skip
    pictures = []
    for name, adapters, place in (
        ("beside", "x", "x/image_encoder"),
        ("published", "repo/sdxl_models", "repo/models/image_encoder"),
        ("one file", "Comfy/ipadapter", "Comfy/clip_vision/ViT-H.safetensors"),
    ):
        root = tmp_path / name
        file = adapter(unet, Form.PLUS, root / adapters / "plus.safetensors")
        # One that does not fit lies nearer.
        CLIPVisionModelWithProjection(small).save_pretrained(
            root / adapters / "clip_vision" / "wrong"
        )
        target = root / place
        if target.suffix:
            target.parent.mkdir(parents=True)
            names = {
                n if n.startswith("vi") else f"vision_model.{n}": t.clone()
                for n, t in network.state_dict().items()
            }
            save_file(names, target)
        else:
            shutil.copytree(tmp_path / "made", target)
        asked = replace(
            ASKED, model=bare["sd15"], references=(Reference(image=picture, model=str(file)),)
        )
        pictures.append(studio.paint(asked)[0].tobytes())
    assert len(set(pictures)) == 1
    file = adapter(unet, Form.PLUS, tmp_path / "alone" / "deep" / "plus.safetensors")
    with pytest.raises(RequestError, match="64 wide") as caught:
        studio.paint(replace(asked, references=(Reference(image=picture, model=str(file)),)))
    assert caught.value.code is ErrorCode.CONTROL_MISSING
    assert "image_encoder" in caught.value.hint


def test_one_among_the_models_serves_those_that_it_fits_and_the_recipe_says_so(
    studio: Studio, bare: dict[str, str], picture: BufferRef, paths: Paths
) -> None:
    file = adapter(
        unet_of(studio, bare["sd15"]), Form.PLUS, paths.models / "ipadapter" / "plus.safetensors"
    )
    encoder(paths.models / "clip_vision" / "ViT-H")
    asked = replace(ASKED, references=(Reference(image=picture),))
    try:
        (recipe,) = (
            a for a in studio.run(replace(asked, model=bare["sd15"])) if a.name == "image_0.json"
        )
        told = json.loads(recipe.data)
        assert told["request"]["references"][0]["model"] == str(file)
        assert str(file) in told["model"]["files"]
        wider = settle(replace(asked, model=bare["sdxl"]), paths)
        assert wider.references[0].model == BY_ATTENTION, "it fits no other family"
        named = replace(
            asked, model=bare["sdxl"], references=(Reference(image=picture, model="plus"),)
        )
        with pytest.raises(RequestError, match="another family"):
            studio.run(named)
    finally:
        shutil.rmtree(file.parent)
        shutil.rmtree(paths.models / "clip_vision")


def test_one_in_the_folders_of_another_program_serves_once_they_were_added(
    studio: Studio, bare: dict[str, str], picture: BufferRef, paths: Paths, tmp_path: Path
) -> None:
    file = adapter(
        unet_of(studio, bare["sd15"]), Form.PLUS, tmp_path / "ipadapter" / "a.safetensors"
    )
    encoder(tmp_path / "clip_vision" / "ViT-H")
    asked = replace(ASKED, model=bare["sd15"], references=(Reference(image=picture),))
    add_folder(paths, tmp_path)
    try:
        settled = settle(asked, paths)
    finally:
        forget_folder(paths, tmp_path)
    assert settled.references[0].model == str(file)
    assert not np.array_equal(
        studio.paint(settled)[0], studio.paint(replace(settled, references=()))[0]
    )


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"ip_adapter.0.to_q_lora.down.weight": (4, 4)}, "FaceID"),
        ({"image_proj.perceiver_resampler.proj_in.weight": (4, 4)}, "FaceID"),
        ({"lora_unet_x.lora_up.weight": (4, 4)}, "is no IP-Adapter"),
        ({"ip_adapter.1.to_k_ip.weight": (4, 4), "image_proj.x": (2,)}, "of a kind"),
    ],
)
def test_what_is_no_adapter_of_a_known_kind_is_told_by_name(
    tmp_path: Path, tensors: dict[str, tuple[int, ...]], told: str
) -> None:
    file = tmp_path / "ip adapter faceid.safetensors"
    save_file({name: torch.ones(shape) for name, shape in tensors.items()}, file)
    with pytest.raises(RequestError, match=told) as caught:
        recognise_adapter(file)
    assert caught.value.code is ErrorCode.MODEL_BROKEN
    with pytest.raises(RequestError, match="safetensors"):
        recognise_adapter(tmp_path / "ip-adapter_sd15.bin")
