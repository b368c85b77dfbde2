"""What is known here of diffusers' pipelines by their names is what the diffusers that is installed
has: one that it gains, loses or changes is named."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import pytest

from underpaint.errors import RequestError
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint_daemon.common.contents import foreign
from underpaint_daemon.common.defaults.foreign_wants import foreign_wants
from underpaint_daemon.common.recognition import family_of_pipeline
from underpaint_daemon.worker.pipelines.families.auto import foreign_family, from_pictures
from underpaint_daemon.worker.pipelines.foreign.classes import needed_by, uncallable

from helpers.foreign_models import (
    amused,
    bria,
    cogview4,
    deepfloyd,
    kolors,
    lumina2,
    pixart,
    sana_sprint,
)
from helpers.painting.studio import Recorder, Studio

# Tried, or held to paint pictures from words by what they are called with: without `Pipeline`.
_NAMES = """
AltDiffusion Amused AuraFlow Bria BriaFibo BriaFibo2 CogView3Plus CogView4 CogView4Control
Cosmos2TextToImage DreamLite DreamLiteMobile ErnieImage Flux2KleinKV GlmImage HiDreamImage
HunyuanDiT HunyuanDiTPAG HunyuanImage IF Ideogram4 Kandinsky3 Kandinsky5T2I KandinskyCombined
KandinskyV22Combined Kolors KolorsPAG Krea2 LDMTextToImage LongCatImage Lumina Lumina2
NucleusMoEImage OmniGen OvisImage PRX PRXPixel PixArtAlpha PixArtSigma PixArtSigmaPAG QwenImage21
SanaPAG SanaSprint SemanticStableDiffusion StableCascadeCombined StableDiffusion3PAG StableUnCLIP
UnCLIP UniDiffuser VQDiffusion VersatileDiffusionTextToImage WuerstchenCombined ZImageOmni
"""
PAINTERS = frozenset(_NAMES.split())
# Whose parts are Stable Diffusion's: they are painted with as any other model of it.
OF_STABLE_DIFFUSION = ("StableDiffusion", "LatentConsistencyModel")
LIKE_IT = "StableDiffusion3"


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """Every pipeline that is foreign here, by its name without `Pipeline`."""
    names = [name for name in dir(diffusers) if name.endswith("Pipeline")]
    assert len(names) > 100
    found = dict[str, Any]()
    for name in names:
        own = name.startswith(OF_STABLE_DIFFUSION) and not name.startswith(LIKE_IT)
        kind = getattr(diffusers, name)
        if inspect.isclass(kind) and not own and not name.endswith("ModularPipeline"):
            found[name.removesuffix("Pipeline")] = kind
    return found


def painters(known: dict[str, Any]) -> dict[str, str]:
    families = {name: family_of_pipeline(f"{name}Pipeline") for name in known}
    return {name: one for name, one in families.items() if one in ("auto", "auto_image")}


def test_pipelines_that_diffusers_gained_or_lost_are_named(known: dict[str, Any]) -> None:
    found = set(painters(known))
    assert found - PAINTERS == set(), "new: what are they? (contents/foreign.py)"
    assert PAINTERS - found == set(), "gone, or taken for something else"
    listed = [*foreign._FROM_PICTURES, *PAINTERS]
    assert [name for name in listed if name not in known] == []
    assert [name for name in foreign._PAINTS_YET if not hasattr(diffusers, name)] == []


def test_what_is_taken_for_a_painter_can_be_called_with_words(known: dict[str, Any]) -> None:
    told = {
        name: uncallable(known[name])
        for name in painters(known)
        if not hasattr(known[name], "_backends")  # a stand-in: it needs packages that are not here
    }
    assert {name: problem for name, problem in told.items() if problem} == {}


@pytest.mark.parametrize(
    ("name", "package"),
    [("OmniGen", "torchvision"), ("PRX", "ftfy"), ("KolorsPAG", "sentencepiece")],
)
def test_what_needs_a_package_that_is_not_here_is_refused_before_it_is_loaded(
    tmp_path: Path, name: str, package: str
) -> None:
    if find_spec(package) is not None:
        pytest.skip(f"{package} is here")
    with pytest.raises(RequestError, match=package):
        foreign_family("auto", {"_class_name": f"{name}Pipeline"}, tmp_path)


def test_a_part_that_its_makers_leave_out_is_asked_for_by_name(tmp_path: Path) -> None:
    """HiDream's fourth text encoder: Llama, which its folder names as nothing."""
    kind = "HiDreamImagePipeline"
    parts = {name: ["transformers", "A"] for name in needed_by(getattr(diffusers, kind))}
    index = {"_class_name": kind, **parts, "text_encoder_4": [None, None]}
    with pytest.raises(RequestError, match="names no text_encoder_4") as caught:
        foreign_family("auto", index, tmp_path)
    assert "model_index.json" in (caught.value.hint or "")


def test_those_that_begin_from_pictures_have_a_way_to(known: dict[str, Any]) -> None:
    families = painters(known)
    said = {name for name, family in families.items() if family == "auto_image"}
    able = {
        name
        for name in families
        if hasattr(known[name], "_backends") or from_pictures(f"{name}Pipeline")
    }
    assert said - able == set()
    kolors = {name for name in able if hasattr(known[name], "_backends")}
    assert able - said - kolors == set()


def test_steps_and_guidance_are_those_that_diffusers_has_for_each(known: dict[str, Any]) -> None:
    """Where its call says any: a few leave it to their presets."""
    named = ("guidance_scale", "true_cfg_scale", "prior_guidance_scale", "distilled_guidance_scale")
    here = {name: known[name] for name in painters(known) if not hasattr(known[name], "_backends")}
    for name, kind in here.items():
        wants = foreign_wants(Path(), {"_class_name": f"{name}Pipeline"})
        call = inspect.signature(kind.__call__).parameters
        scales = [call[one].default for one in named if one in call]
        scale = next((one for one in scales if one is not None), wants.guidance)
        steps = (
            call["num_inference_steps"].default if "num_inference_steps" in call else wants.steps
        )
        assert (wants.steps, wants.guidance) == (steps, scale), name
        assert steps


def asked(
    model: Path, steps: int, words: str = "a red cube", against: str = "", guidance: float = 4.5
) -> ImageRequest:
    sampling = Sampling(steps=steps, guidance=guidance)
    return ImageRequest(Prompt(words, against), str(model), 64, 64, sampling, controls=())


@pytest.mark.parametrize("make", [pixart, cogview4, kolors, deepfloyd, bria, lumina2])
def test_words_act_and_what_not_to_paint_where_there_is_any(
    studio: Studio, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    model = make(tmp_path / "published")

    def painted(**how: Any) -> bytes:
        return studio.paint(asked(model, 2, **how))[0].tobytes()

    without = painted()
    assert without != painted(words="a green ball")
    assert without != painted(against="a blurry photo")
    assert painted(guidance=1.0) == painted(guidance=1.0, against="a blurry photo") != without


def test_a_schedule_that_says_nothing_of_noise_paints_with_previews(studio: Studio, tmp_path: Path):
    """Sana Sprint's, of consistency, in other steps than the two that diffusers calls it with."""
    sana_sprint(tmp_path / "sprint")
    told = Recorder()
    assert studio.paint(asked(tmp_path / "sprint", 3), told)[0].std() > 1
    assert told.previews[0][0] == 1


def test_what_is_enough_has_no_patch_left_that_no_decoder_knows(studio: Studio, tmp_path: Path):
    """Amused's: patches that are not painted yet have a number beyond the decoder's."""
    amused(tmp_path / "amused")
    assert studio.paint(asked(tmp_path / "amused", 4), Recorder(enough_at=1))[0].std() > 1
