"""What a model wants: by hand, its file, its distillation, its family; and what it cannot do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from underpaint import Buffers, Camera, Kind, MeshRef, Paths, RequestError, TextureRequest, View
from underpaint.errors import ErrorCode
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    Prompt,
    Sampler,
    Sampling,
    Spacing,
    TileAxes,
)
from underpaint.tree import to_json
from underpaint_daemon.common.defaults.model_defaults import model_defaults
from underpaint_daemon.common.defaults.remarks import remarks
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.common.places import add_folder

IDENTITY = tuple(np.eye(4).flatten().tolist())
SIZES = {"StableDiffusion": (64, 768), "StableDiffusionXL": (128, 2048)}


def a_view(buffers: Buffers, width: int = 64, height: int = 64) -> View:
    depth = buffers.add(Kind.DEPTH, np.ones((height, width), np.float32))
    normal = buffers.add(Kind.NORMAL, np.full((height, width, 3), 128, np.uint8))
    return View(Camera(IDENTITY, IDENTITY, width, height, 0.1, 10.0), depth, normal)


def a_texture(buffers: Buffers, model: str) -> TextureRequest:
    parts = [buffers.add(Kind.MESH, np.zeros((3, n), np.float32)) for n in (3, 3, 2)]
    ids = buffers.add(Kind.MESH, np.zeros((3, 2), np.int32))
    return TextureRequest(Prompt("moss"), MeshRef(*parts, ids), model=model)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(runtime=tmp_path / "run", data=tmp_path, cache=tmp_path / "cache")


def written(folder: Path, name: str, data: object) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(data))


def a_model(
    paths: Paths,
    name: str,
    pipeline: str = "StableDiffusion",
    controls: tuple[str, ...] = (),
    scheduler: str = "DDIMScheduler",
    **unet: object,
) -> Path:
    """A model's folder as its configs describe it."""
    folder, (cells, text) = paths.models / name, SIZES[pipeline]
    channels = {"block_out_channels": [320, 640, 1280], "cross_attention_dim": text}
    written(folder, "model_index.json", {"_class_name": f"{pipeline}Pipeline"})
    written(folder, "unet/config.json", {"sample_size": cells, **channels, **unet})
    written(folder, "vae/config.json", {"block_out_channels": [1, 2, 4, 4]})
    written(folder, "scheduler/scheduler_config.json", {"_class_name": scheduler})
    for kind in controls:
        written(folder, f"controlnet_{kind}/config.json", {"_class_name": "ControlNetModel"})
    return folder


def a_controlnet(paths: Paths, name: str, pipeline: str = "StableDiffusion") -> Path:
    channels = {"block_out_channels": [320, 640, 1280], "cross_attention_dim": SIZES[pipeline][1]}
    written(paths.models / name, "config.json", {"_class_name": "ControlNetModel", **channels})
    return paths.models / name


def settled(paths: Paths, model: str, **fields: object) -> ImageRequest:
    request = settle(ImageRequest(Prompt("a"), model=model, **fields), paths)
    assert isinstance(request, ImageRequest)
    return request


def test_families_paint_at_their_own_size_with_their_own_steps(paths: Paths) -> None:
    a_model(paths, "realistic")
    a_model(paths, "big", "StableDiffusionXL")
    small, big = settled(paths, "realistic"), settled(paths, "big")
    assert (small.width, small.height, big.width, big.height) == (512, 512, 1024, 1024)
    assert (small.sampling.steps, small.sampling.guidance) == (25, 7.0)
    assert (big.sampling.steps, big.sampling.guidance) == (25, 6.0)
    assert small.sampling.sampler is Sampler.DPMPP_2M_KARRAS


def starter_sampling() -> Sampling:
    """What the starter's own file asks for."""
    told = json.loads((starter_folder() / "underpaint.json").read_text())
    sharpen, spacing = told.get("sharpen"), Spacing(told["spacing"])
    return Sampling(
        Sampler(told["sampler"]), told["steps"], told["guidance"], spacing=spacing, sharpen=sharpen
    )


def test_the_starter_says_itself_what_it_wants(paths: Paths) -> None:
    request = settled(paths, "starter", view=a_view(Buffers()))
    assert request.sampling == starter_sampling()
    assert (request.width, request.height) == (256, 256)
    assert request.controls
    assert request.controls[0] == Control(ControlKind.DEPTH)


@pytest.mark.parametrize(
    ("name", "pipeline", "told", "sampler", "steps", "guidance"),
    [
        ("LCM_Dreamshaper", "StableDiffusion", "LCM", Sampler.LCM, 4, 1.5),
        ("sdxl-turbo", "StableDiffusionXL", "Turbo", Sampler.EULER_A, 4, 1.0),
        ("DreamShaperXL_v2.1-Turbo", "StableDiffusionXL", "Turbo", Sampler.EULER_A, 6, 2.0),
        (
            "juggernautXL_v9Rdphoto2Lightning",
            "StableDiffusionXL",
            "Lightning",
            Sampler.EULER,
            4,
            1.0,
        ),
        ("sdxl_lightning_8step", "StableDiffusionXL", "Lightning", Sampler.EULER, 8, 1.0),
        ("Hyper-SDXL-2steps", "StableDiffusionXL", "Hyper", Sampler.DDIM, 2, 1.0),
        ("sdxl-dmd2-4step", "StableDiffusionXL", "DMD", Sampler.LCM, 4, 1.0),
        ("HyperRealistic", "StableDiffusion", "", Sampler.DPMPP_2M_KARRAS, 25, 7.0),
        ("turbocharged-cars", "StableDiffusion", "", Sampler.DPMPP_2M_KARRAS, 25, 7.0),
        ("🎨", "StableDiffusion", "", Sampler.DPMPP_2M_KARRAS, 25, 7.0),
        ("苔", "StableDiffusionXL", "", Sampler.DPMPP_2M_KARRAS, 25, 6.0),
    ],
)
def test_models_for_few_steps_are_known_by_their_names(
    paths: Paths,
    name: str,
    pipeline: str,
    told: str,
    sampler: Sampler,
    steps: int,
    guidance: float,
) -> None:
    a_model(paths, name, pipeline)
    found = model_defaults(paths, name)
    assert (found.told, found.sampler) == (told, sampler)
    assert (found.steps, found.guidance) == (steps, guidance)


def test_a_model_in_hugging_faces_cache_is_known_by_its_own_name(paths: Paths) -> None:
    snapshot = "hub/models--stabilityai--sdxl-turbo/snapshots/f00"
    a_model(paths, snapshot, "StableDiffusionXL")
    add_folder(paths, paths.models / "hub")
    assert model_defaults(paths, "stabilityai--sdxl-turbo").told == "Turbo"
    assert model_defaults(paths, str(paths.models / snapshot)).told == "Turbo"


def test_a_scheduler_tells_what_a_name_does_not(paths: Paths) -> None:
    a_model(paths, "plain", scheduler="LCMScheduler", time_cond_proj_dim=256)
    found = model_defaults(paths, "plain")
    assert (found.sampler, found.steps, found.guidance) == (Sampler.LCM, 4, 8.0)


def test_a_lora_for_few_steps_changes_the_sampling_with_it(paths: Paths) -> None:
    a_model(paths, "big", "StableDiffusionXL")
    lora = Lora("/loras/sdxl_lightning_4step_lora.safetensors")
    assert settled(paths, "big", loras=(lora,)).sampling == Sampling(
        Sampler.EULER, 4, 1.0, spacing=Spacing.TRAILING
    )
    off = settled(paths, "big", loras=(replace(lora, weight=0.0),))
    assert off.sampling.steps == 25


def test_a_models_own_file_comes_before_what_its_name_says(paths: Paths) -> None:
    folder = a_model(paths, "my-lightning", "StableDiffusionXL")
    written(folder, "underpaint.json", {"steps": 6, "guidance": 1.8, "size": 896})
    found = settled(paths, "my-lightning")
    assert (found.width, found.sampling.steps, found.sampling.guidance) == (896, 6, 1.8)
    assert found.sampling.sampler is Sampler.EULER


def test_more_steps_than_a_model_knows_are_taken_with_a_remark(paths: Paths) -> None:
    folder = a_model(paths, "few")
    written(folder, "underpaint.json", {"steps": 1, "most_steps": 4})
    asked = [settled(paths, "few", sampling=Sampling(steps=steps)) for steps in (None, 4, 5)]
    assert [request.sampling.steps for request in asked] == [1, 4, 5]
    few = model_defaults(paths, "few")
    told = [remarks(request, few) for request in asked]
    assert told[:2] == [[], []]
    assert "best in 1 step; beyond 4 steps" in told[2][0]
    a_model(paths, "any")
    any_steps = settled(paths, "any", sampling=Sampling(steps=150))
    assert remarks(any_steps, model_defaults(paths, "any")) == []


def test_what_was_set_by_hand_stays_and_a_settled_request_stays_as_it_is(paths: Paths) -> None:
    a_model(paths, "sdxl-turbo", "StableDiffusionXL", ("depth",))
    asked = {"sampling": Sampling(Sampler.DDIM, 30, 5.0, 3), "width": 640, "height": 384}
    found = settled(paths, "sdxl-turbo", view=a_view(Buffers()), controls=(), **asked)
    assert (found.width, found.height, found.controls) == (640, 384, ())
    assert (found.sampling.sampler, found.sampling.steps) == (Sampler.DDIM, 30)
    assert to_json(settle(found, paths)) == to_json(found)


def test_the_proportions_are_those_of_the_view(paths: Paths) -> None:
    a_model(paths, "realistic")
    wide = settled(paths, "realistic", view=a_view(Buffers(), 1920, 1080))
    assert (wide.width, wide.height) == (688, 384)
    one = settled(paths, "realistic", view=a_view(Buffers(), 1920, 1080), width=960)
    assert (one.width, one.height) == (960, 544)
    init = Buffers().add(Kind.COLOR, np.zeros((300, 200, 3), np.uint8))
    tall = settled(paths, "realistic", init=init)
    assert (tall.width, tall.height) == (416, 624)


def test_a_wrong_file_is_named_with_its_field(paths: Paths) -> None:
    folder = a_model(paths, "odd")
    written(folder, "underpaint.json", {"sampler": "quick"})
    with pytest.raises(RequestError) as caught:
        settled(paths, "odd")
    assert caught.value.code is ErrorCode.MODEL_BROKEN
    assert "underpaint.json" in caught.value.message
    assert "sampler is 'quick'" in caught.value.message


def test_a_sampler_that_a_model_cannot_do_is_refused_with_those_it_can(paths: Paths) -> None:
    folder = a_model(paths, "odd")
    written(folder, "underpaint.json", {"sampler": "lcm", "samplers": ["lcm", "ddim"]})
    with pytest.raises(RequestError) as caught:
        settled(paths, "odd", sampling=Sampling(Sampler.EULER))
    assert caught.value.code is ErrorCode.UNKNOWN_SAMPLER
    assert "lcm, ddim" in caught.value.message


def test_a_control_that_a_model_lacks_is_refused_with_those_it_has(paths: Paths) -> None:
    a_model(paths, "realistic", controls=("depth", "canny"))
    asked = {"view": a_view(Buffers()), "controls": (Control(ControlKind.NORMAL),)}
    with pytest.raises(RequestError) as caught:
        settled(paths, "realistic", **asked)
    assert caught.value.code is ErrorCode.CONTROL_MISSING
    assert "depth, canny" in caught.value.message


def test_a_fitting_controlnet_among_the_models_is_taken(paths: Paths) -> None:
    a_model(paths, "realistic")
    a_model(paths, "big", "StableDiffusionXL")
    small = a_controlnet(paths, "control_v11f1p_sd15_depth")
    big = a_controlnet(paths, "controlnets/controlnet-depth-sdxl-1.0", "StableDiffusionXL")
    asked = (Control(ControlKind.DEPTH, 0.8),)
    view = a_view(Buffers())
    for model, folder in (("realistic", small), ("big", big)):
        expected = (replace(asked[0], model=str(folder)),)
        assert settled(paths, model, view=view, controls=asked).controls == expected
        by_itself = settled(paths, model, view=view).controls
        assert by_itself == (Control(ControlKind.DEPTH, model=str(folder)),)


def test_controls_of_their_own_accord_need_a_view_that_feeds_them(paths: Paths) -> None:
    a_model(paths, "realistic", controls=("depth", "normal"))
    view = a_view(Buffers())
    assert settled(paths, "realistic").controls == ()
    only_depth = settled(paths, "realistic", view=replace(view, normal=None)).controls
    assert only_depth == (Control(ControlKind.DEPTH),)
    assert settled(paths, "realistic", tile=TileAxes.XY).controls == ()


def test_textures_are_seen_at_the_models_size_and_want_a_form_to_follow(paths: Paths) -> None:
    a_model(paths, "realistic", controls=("depth",))
    a_model(paths, "bare")
    texture = settle(a_texture(Buffers(), "realistic"), paths)
    assert isinstance(texture, TextureRequest)
    assert (texture.view_size, texture.controls) == (512, (Control(ControlKind.DEPTH),))
    with pytest.raises(RequestError) as caught:
        settle(a_texture(Buffers(), "bare"), paths)
    assert caught.value.code is ErrorCode.CONTROL_MISSING
    assert "depth ControlNet" in caught.value.hint


def test_repainting_is_settled_too(paths: Paths) -> None:
    buffers = Buffers()
    image = buffers.add(Kind.COLOR, np.zeros((64, 64, 3), np.uint8))
    mask = buffers.add(Kind.MASK, np.zeros((64, 64), np.uint8))
    found = settle(InpaintRequest(Prompt("a"), image, mask), paths)
    assert found.sampling == starter_sampling()
    assert found.controls == ()
