"""The table of families: whole, told apart by their indexes, refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from underpaint.buffers import Buffers, Kind
from underpaint.cli.parts.references import reference_of
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import (
    BY_ATTENTION,
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    MeshRef,
    Prompt,
    Reference,
    ReferenceRole,
    RegionPrompt,
    TextureRequest,
    TileAxes,
)
from underpaint_daemon.common.abilities import ABILITIES, told_abilities
from underpaint_daemon.common.defaults.family_wants import FAMILY_WANTS
from underpaint_daemon.common.models import inspect
from underpaint_daemon.common.recognition import family_of_pipeline, parts_of
from underpaint_daemon.common.refusals import kinds_without_network, refuse_what_cannot_be

BUFFERS = Buffers()
PICTURE = BUFFERS.add(Kind.COLOR, np.zeros((64, 64, 3), np.uint8))
MASK = BUFFERS.add(Kind.MASK, np.full((64, 64), 255, np.uint8))
IMAGE = ImageRequest(Prompt("a"), "m", 64, 64, controls=())
TEXTURE = TextureRequest(Prompt("a"), MeshRef(PICTURE, PICTURE, PICTURE, PICTURE), "m")
DEPTH = (Control(ControlKind.DEPTH, image=PICTURE),)
REFERENCE = (Reference(ReferenceRole.STYLE, PICTURE),)
LOOKED_AT = (Reference(ReferenceRole.STYLE, PICTURE, model=BY_ATTENTION),)


def test_hosts_are_told_what_a_family_can_do():
    told = {"image", "mask", "references", "ip_adapter", "loras", "negative", "curves"}
    assert set(told_abilities("sdxl")) == told | {"regions", "controls", "attention"}
    assert "attention" not in told_abilities("sdxl", looks=False)
    assert set(told_abilities("sd15_edit")) == {
        *("image", "loras", "negative", "image_guidance", "curves")
    }
    assert set(told_abilities("flux2_klein")) == {"mask", "references", "loras"}


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("StableDiffusion3Pipeline", "sd35"),
        ("StableDiffusion3ControlNetPipeline", "sd35"),
        ("FluxPipeline", "flux1"),
        ("FluxFillPipeline", "flux1_fill"),
        ("FluxKontextPipeline", "flux1_kontext"),
        ("FluxControlPipeline", "flux1_control"),
        ("FluxControlNetPipeline", "flux1"),
        ("Flux2Pipeline", "flux2"),
        ("Flux2KleinPipeline", "flux2_klein"),
        ("QwenImagePipeline", "qwen_image"),
        ("QwenImageEditPipeline", "qwen_edit"),
        ("QwenImageEditPlusPipeline", "qwen_edit_plus"),
        ("ZImagePipeline", "z_image"),
        ("ChromaPipeline", "chroma"),
        ("SanaPipeline", "sana"),
        ("AuraFlowPipeline", "auto"),
        ("Krea2Pipeline", "auto"),
        ("MarigoldNormalsPipeline", None),
        ("WanPipeline", None),
        ("StableVideoDiffusionPipeline", None),
        ("SomethingElse", None),
    ],
)
def test_a_family_is_told_by_its_pipeline(name: str, family: str | None) -> None:
    assert family_of_pipeline(name) == family


def test_every_family_has_its_row_and_its_defaults() -> None:
    assert set(FAMILY_WANTS) == set(ABILITIES)
    for family, able in ABILITIES.items():
        wants = FAMILY_WANTS[family]
        assert wants.sampler in able.samplers
        assert wants.size is not None
        assert wants.size % able.cell == 0
        for name in ("text", "image", "mask"):
            assert getattr(able, name) or name in able.why, (family, name)
        for name in ("control", "references", "texture"):
            assert getattr(able, name) or name in able.why, (family, name)


def test_a_part_that_needs_its_own_code_is_refused(tmp_path: Path) -> None:
    index = {"_class_name": "X", "transformer": ["my_model", "Mine"], "vae": [None, None]}
    with pytest.raises(RequestError, match="my_model") as caught:
        parts_of(tmp_path, index)
    assert "runs no code" in caught.value.hint
    assert parts_of(tmp_path, {"vae": [None, None], "is_distilled": True}) == {}


def test_a_folder_of_a_video_model_is_told_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "WanPipeline"}))
    with pytest.raises(RequestError, match="WanPipeline"):
        inspect("wan", tmp_path)


@pytest.mark.parametrize(
    ("family", "request_", "says"),
    [
        ("flux1_fill", IMAGE, "words alone"),
        ("flux2_klein", ImageRequest(Prompt("a"), "m", 64, 64, init=PICTURE), "picture"),
        ("flux2", InpaintRequest(Prompt("a"), PICTURE, MASK, "m"), "mask"),
        ("chroma", ImageRequest(Prompt("a"), "m", 64, 64, controls=DEPTH), "depth control"),
        ("qwen_image", ImageRequest(Prompt("a"), "m", 64, 64, controls=DEPTH, init=PICTURE),
         "depth control"),
        ("flux1", ImageRequest(Prompt("a"), "m", 64, 64, references=REFERENCE), "reference"),
        ("flux2_klein", ImageRequest(Prompt("a"), "m", references=(Reference(image=PICTURE,
         model="plus"),)), "takes no IP-Adapter"),
        ("flux1_kontext", ImageRequest(Prompt("a"), "m", 64, 64, references=2 * REFERENCE),
         "1 reference"),
        ("qwen_edit", IMAGE, "needs a reference"),
        ("flux1_control", IMAGE, "depth or canny"),
        ("auto", ImageRequest(Prompt("a"), "m", 64, 64, loras=(Lora("x"),)), "LoRA"),
        ("sd35", ImageRequest(Prompt("a"), "m", 64, 64, tile=TileAxes.XY), "seam"),
        ("flux1", ImageRequest(Prompt("a"), "m", loras=(Lora("x", 1.0, ((0.0, 0.5),)),)),
         "change guidance or LoRAs"),
        ("flux1", ImageRequest(Prompt("a"), "m", regions=(RegionPrompt(Prompt("b"), MASK),)),
         "parts of a picture"),
        ("sd15", replace(IMAGE, references=(Reference(ReferenceRole.DEPTH, PICTURE),)),
         "not for its depth"),
        ("z_image", replace(TEXTURE, references=REFERENCE), "reads no reference pictures"),
        ("sdxl", replace(TEXTURE, references=LOOKED_AT * 5), "reads 4 reference pictures at most"),
        ("sdxl", replace(TEXTURE, references=REFERENCE * 2), "takes one IP-Adapter at a time"),
        ("flux2", replace(TEXTURE, references=LOOKED_AT), "does not look at pictures"),
        ("sdxl_refiner", replace(IMAGE, init=PICTURE, references=(replace(REFERENCE[0],
         model="plus"),)), "takes no IP-Adapter"),
        ("flux2", replace(TEXTURE, references=(replace(REFERENCE[0], model="plus"),)),
         "takes no IP-Adapter"),
        ("chroma", TextureRequest(Prompt("a"), MeshRef(PICTURE, PICTURE, PICTURE, PICTURE), "m"),
         "textures by sync"),
    ],
)  # fmt: skip
def test_what_a_family_cannot_is_refused_by_name(family: str, request_, says: str) -> None:
    with pytest.raises(RequestError) as caught:
        refuse_what_cannot_be(request_, family, "m")
    assert says in caught.value.message
    assert ABILITIES[family].title in caught.value.message
    assert caught.value.hint


def test_who_paints_parts_by_prompts_of_their_own_is_told_to_those_who_cannot() -> None:
    asked = ImageRequest(Prompt("a"), "m", 64, 64, regions=(RegionPrompt(Prompt("b"), MASK),))
    with pytest.raises(RequestError) as caught:
        refuse_what_cannot_be(asked, "z_image", "m")
    assert "Stable Diffusion 1.5 and 2 and Stable Diffusion XL" in caught.value.hint
    refuse_what_cannot_be(asked, "sdxl", "m")


def test_form_goes_in_as_references_where_there_are_no_networks() -> None:
    asked = ImageRequest(Prompt("a"), "m", 64, 64, controls=DEPTH, references=REFERENCE)
    refuse_what_cannot_be(asked, "flux2_klein", "m")
    assert ControlKind.DEPTH in kinds_without_network("flux2_klein")
    assert kinds_without_network("flux1") == ()
    with pytest.raises(RequestError) as caught:
        refuse_what_cannot_be(asked, "chroma", "m")
    assert caught.value.code is ErrorCode.CONTROL_MISSING
    named = replace(asked, controls=(replace(DEPTH[0], model="/a/network"),))
    with pytest.raises(RequestError, match="takes no ControlNet: it reads depth as a reference"):
        refuse_what_cannot_be(named, "flux2_klein", "m")


def test_references_of_the_command_line(tmp_path: Path) -> None:
    from PIL import Image

    buffers, file = Buffers(), tmp_path / "a b:c.png"
    Image.new("RGB", (8, 8)).save(file)
    named = reference_of(f"style={file}:0.3", buffers)
    assert (named.role, named.scale) == (ReferenceRole.STYLE, 0.3)
    assert named.image is not None
    adapter = tmp_path / "plus@v2.safetensors"
    through = reference_of(f"subject={file}@{adapter}:0.3", buffers)
    assert (through.image, through.scale, through.model) == (named.image, 0.3, str(adapter))
    assert reference_of(f"{file}@plus", buffers) == Reference(image=named.image, model="plus")
    assert reference_of("depth", buffers) == Reference(ReferenceRole.DEPTH)
    assert reference_of(f"{file}@attention:0.8:0.1:0.9:fidelity=1", buffers) == Reference(
        ReferenceRole.STYLE, named.image, 0.8, BY_ATTENTION, 0.1, 0.9, 1.0
    )
    for wrong in ("mood=x.png", "depth:much", f"{file}:fidelity=much"):
        with pytest.raises(RequestError):
            reference_of(wrong, buffers)
