"""Files with a UNet alone: told by names and widths, given the rest of a model by another of its
make, folder or checkpoint, or refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from underpaint.errors import RequestError
from underpaint.paths import Paths
from underpaint_daemon.common.defaults.model_defaults import model_defaults
from underpaint_daemon.common.denoisers.files import denoiser_in
from underpaint_daemon.common.denoisers.rest import rest_of
from underpaint_daemon.common.models import family_of, list_models
from underpaint_daemon.common.needs import weights_of_parts
from underpaint_daemon.common.places import add_folder
from underpaint_daemon.tools.hub.cli import main as models_command

from helpers.sparse_files import sparse

Shapes = dict[str, tuple[int, ...]]


def unet(width: int, channels: int = 4, added: int = 0, *, original: bool = False) -> Shapes:
    """What tells a UNet: of diffusers' names, or of those that ComfyUI writes."""
    if original:
        names = ["input_blocks.0.0", "out.2", "output_blocks.0.0.out_layers.3", "label_emb.0.0"]
        read = "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"
    else:
        names = ["conv_in", "conv_out", "up_blocks.0.resnets.0.conv1", "add_embedding.linear_1"]
        read = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    first, last, other, sizes = (f"{name}.weight" for name in names)
    found: Shapes = {first: (320, channels, 3, 3), last: (4, 320, 3, 3), other: (320, 320, 3, 3)}
    found[read] = (640, width)
    return found | ({sizes: (1280, added)} if added else {})


XL = unet(2048, added=2816)


def checkpoint(file: Path, kind: str = "xl", *more: str) -> Path:
    """A whole checkpoint, as far as its header tells."""
    width, text = {
        "xl": (2048, "conditioner.embedders.1.model."),
        "sd15": (768, "cond_stage_model.transformer."),
        "sd2": (1024, "cond_stage_model.model."),
    }[kind]
    parts = {f"model.diffusion_model.{name}": s for name, s in unet(width, original=True).items()}
    others: Shapes = {f"{text}a.weight": (8, 8), "first_stage_model.a.weight": (4, 4)}
    return sparse(file, parts | others | dict.fromkeys(more, (1,)))


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(runtime=tmp_path / "run", data=tmp_path / "data", cache=tmp_path / "cache")


def rest(paths: Paths, file: Path) -> Any:
    found = denoiser_in(file)
    assert found is not None
    return rest_of(paths, found)


@pytest.mark.parametrize(
    ("shapes", "make", "family"),
    [
        (unet(768), "Stable Diffusion 1.5", "sd15"),
        (unet(768, 9), "Stable Diffusion 1.5", "sd15"),
        (unet(768, 8), "Stable Diffusion 1.5", "sd15_edit"),
        (unet(1024), "Stable Diffusion 2", "sd15"),
        (unet(1024, 5), "Stable Diffusion 2", "sd2_depth"),
        (XL, "Stable Diffusion XL", "sdxl"),
        (unet(2048, 8, 2816), "Stable Diffusion XL", "sdxl_edit"),
        (unet(1280, 4, 2560), "Stable Diffusion XL's refiner", "sdxl_refiner"),
        (unet(2048, 4, 2816, original=True), "Stable Diffusion XL", "sdxl"),
    ],
)
def test_a_unet_is_told_by_the_text_that_it_reads(
    tmp_path: Path, shapes: Shapes, make: str, family: str
) -> None:
    prefixes = ("", "model.diffusion_model.") if "out.2.weight" in shapes else ("", "unet.")
    for prefix in prefixes:
        found = denoiser_in(sparse(tmp_path / "unet.safetensors", shapes, prefix))
        assert found is not None
        assert (found.make.name, found.family) == (make, family)


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        (unet(768, 7), "is an upscaling model"),
        (
            {name.replace("attn2", "attn1"): shape for name, shape in unet(768).items()},
            "reads words",
        ),
        (unet(768) | {"a.motion_modules.0.x.weight": (1,)}, "is a video model"),
        (XL | {"edm_mean": (1,)}, "EDM"),
    ],
)
def test_one_that_nothing_here_paints_with_is_refused(
    paths: Paths, shapes: Shapes, told: str
) -> None:
    checkpoint(paths.models / "base.safetensors")
    sparse(paths.models / "mine.safetensors", shapes)
    with pytest.raises(RequestError, match=told):
        family_of(paths, "mine.safetensors")


def test_without_another_model_of_its_make_it_says_what_to_do(paths: Paths) -> None:
    sparse(paths.models / "sdxl_lightning_4step_unet.safetensors", XL)
    checkpoint(paths.models / "dream.safetensors", "sd15")
    with pytest.raises(RequestError) as told:
        family_of(paths, "sdxl_lightning_4step_unet.safetensors")
    assert "is the UNet of Stable Diffusion XL alone" in told.value.message
    assert "models add sdxl_lightning_4step_unet.safetensors --base FILE" in told.value.hint
    (listed,) = [row for row in list_models(paths) if "lightning" in row["name"]]
    assert "is the UNet of Stable Diffusion XL alone" in listed["problem"]


def test_with_a_checkpoint_it_is_a_model_with_the_defaults_of_its_name(
    paths: Paths, tmp_path: Path
) -> None:
    name = "sdxl_lightning_4step_unet.safetensors"
    file = sparse(paths.models / name, XL)
    base = checkpoint(tmp_path / "ComfyUI" / "checkpoints" / "sd_xl_base_1.0.safetensors")
    add_folder(paths, base.parents[1])
    assert rest(paths, file).base == base
    found = model_defaults(paths, name)
    assert (found.told, found.steps, found.guidance, found.size) == ("Lightning", 4, 1.0, 1024)
    (listed,) = [row for row in list_models(paths) if row["name"] == name]
    assert (listed["family"], listed["problem"]) == ("sdxl", "")
    own = file.stat().st_size
    size = listed["size_mb"] * 1e6
    assert own - 1e5 < size < own + base.stat().st_size - 1e6, "of the base its other parts alone"
    assert weights_of_parts(paths, file, 2).keys() == {"unet", "vae", "text_encoder"}


def test_checkpoints_that_lie_beside_it_in_comfyui_are_known(paths: Paths, tmp_path: Path) -> None:
    models = tmp_path / "ComfyUI" / "models"
    base = checkpoint(models / "checkpoints" / "xl" / "juggernaut.safetensors")
    file = sparse(models / "unet" / "distilled" / "dmd2_sdxl.safetensors", XL)
    assert rest(paths, file).base == base


def test_the_likest_model_is_taken(paths: Paths) -> None:
    for name in ("a_turbo", "noobaiXL_v11", "sd_xl_base_1.0", "zavychromaxl"):
        checkpoint(paths.models / f"{name}.safetensors")
    checkpoint(paths.models / "a_vpred.safetensors", "xl", "v_pred")
    checkpoint(paths.models / "dream.safetensors", "sd15")
    for name, key, base in (
        ("sdxl_lightning_4step_unet", None, "sd_xl_base_1.0"),
        ("noobaiXL_hyper_8step", None, "noobaiXL_v11"),
        ("my_unet", "v_pred", "a_vpred"),
    ):
        shapes = XL | ({key: (1,)} if key else {})
        found = rest(paths, sparse(paths.models / f"{name}.safetensors", shapes))
        assert found.base.stem == base
        predicted = "v_prediction" if key else "epsilon"
        assert found.scheduler["prediction_type"] == predicted


def test_what_it_predicts_can_be_said_beside_it(paths: Paths) -> None:
    checkpoint(paths.models / "xl.safetensors")
    file = sparse(paths.models / "mine.safetensors", XL)
    said = {"prediction": "v_prediction", "zero_snr": True}
    file.with_suffix(".underpaint.json").write_text(json.dumps(said))
    schedule = rest(paths, file).scheduler
    assert (schedule["prediction_type"], schedule["rescale_betas_zero_snr"]) == (
        "v_prediction",
        True,
    )


def test_it_predicts_what_its_make_does_and_not_what_a_model_does_that_was_only_found(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = checkpoint(paths.models / "a_vpred.safetensors", "xl", "v_pred", "ztsnr")
    file = sparse(paths.models / "my_unet.safetensors", XL)
    found = rest(paths, file)
    assert found.base == base, "no other is here"
    assert found.scheduler["prediction_type"] == "epsilon"
    assert not found.scheduler.get("rescale_betas_zero_snr")
    assert found.scheduler["timestep_spacing"] == "leading"
    assert run(paths, monkeypatch, "add", file, "--base", base) == 0
    named = rest(paths, file).scheduler
    assert (named["prediction_type"], named["rescale_betas_zero_snr"]) == ("v_prediction", True)


def test_of_stable_diffusion_2_both_kinds_are_usual_and_the_found_model_tells_which(
    paths: Paths,
) -> None:
    base = checkpoint(paths.models / "two.safetensors", "sd2")
    file = sparse(paths.models / "my_unet.safetensors", unet(1024))
    assert rest(paths, file).scheduler["prediction_type"] == "v_prediction"
    base.with_suffix(".underpaint.json").write_text('{"prediction": "epsilon"}')
    assert rest(paths, file).scheduler["prediction_type"] == "epsilon"


CLIP_L = {
    "text_model.embeddings.token_embedding.weight": (49408, 768),
    "text_model.final_layer_norm.weight": (768,),
}
CLIP_G = {
    "text_model.embeddings.token_embedding.weight": (49408, 1280),
    "text_model.final_layer_norm.weight": (1280,),
}
VAE = {"decoder.conv_in.weight": (512, 4, 3, 3), "post_quant_conv.weight": (4, 4, 1, 1)}


def test_without_another_model_comfyuis_files_are_its_other_parts(tmp_path: Path) -> None:
    paths = Paths(runtime=tmp_path / "run", data=tmp_path / "data", cache=tmp_path / "cache")
    models = tmp_path / "ComfyUI" / "models"
    file = sparse(models / "unet" / "sdxl_lightning_4step_unet.safetensors", XL)
    first = sparse(models / "text_encoders" / "clip_l.safetensors", CLIP_L)
    second = sparse(models / "clip" / "clip_g.safetensors", CLIP_G)
    sparse(models / "vae" / "ae.safetensors", {"decoder.conv_in.weight": (512, 16, 3, 3)})
    sparse(models / "vae" / "a_sd15.safetensors", VAE)
    with pytest.raises(RequestError, match="no other model of it is known"):
        rest(paths, file)
    vae = sparse(models / "vae" / "sdxl_vae.safetensors", VAE)
    add_folder(paths, models)
    found = rest(paths, file)
    assert found.scheduler["prediction_type"] == "epsilon"
    assert {found.places[name] for name in ("text_encoder", "text_encoder_2", "vae")} == {
        first,
        second,
        vae,
    }
    [listed] = [row for row in list_models(paths) if row["name"] == file.name]
    assert (listed["family"], listed["problem"], listed["native_size"]) == ("sdxl", "", 1024)
    older = sparse(models / "unet" / "old.safetensors", unet(768))
    assert rest(paths, older).places["vae"].name == "a_sd15.safetensors"
    base = checkpoint(models / "checkpoints" / "sd_xl_base_1.0.safetensors")
    assert rest(paths, file).base == base, "a whole model knows more of itself"


def run(paths: Paths, monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setenv("UNDERPAINT_DATA", str(paths.data))
    return models_command([str(word) for word in words])


def test_the_user_names_a_checkpoint(paths, tmp_path, monkeypatch, capsys) -> None:
    checkpoint(paths.models / "sd_xl_base.safetensors")
    file = sparse(tmp_path / "unet" / "mine v1.0.safetensors", XL)
    named = checkpoint(tmp_path / "elsewhere" / "pony.safetensors")
    assert run(paths, monkeypatch, "add", file, "--base", named) == 0
    assert "added" in capsys.readouterr().out
    assert rest(paths, file).base == named
    assert run(paths, monkeypatch, "add", file, "--base", "sd_xl_base.safetensors") == 0
    assert rest(paths, file).base.name == "sd_xl_base.safetensors"


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("sd15", "is of Stable Diffusion 1.5 and 2; the UNet in unet.safetensors is of"),
        ("unet", "is the UNet of a model alone"),
        (None, "neither a model's folder nor a checkpoint"),
    ],
)
def test_an_unfit_base_is_refused_and_not_noted(
    paths, tmp_path, monkeypatch, capsys, kind: str | None, told: str
) -> None:
    base, file = tmp_path / "base.safetensors", sparse(tmp_path / "unet.safetensors", XL)
    if kind == "unet":
        sparse(base, XL)
    elif kind is not None:
        checkpoint(base, kind)
    assert run(paths, monkeypatch, "add", file, "--base", base) == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert not file.with_suffix(".underpaint.json").exists()


def test_stable_diffusion_2_is_no_base_for_1_5(paths: Paths) -> None:
    checkpoint(paths.models / "two.safetensors", "sd2")
    file = sparse(paths.models / "mine.safetensors", unet(768))
    file.with_suffix(".underpaint.json").write_text(json.dumps({"base": "two.safetensors"}))
    with pytest.raises(RequestError, match=r"of another width \(1024, not 768\)"):
        family_of(paths, file.name)
