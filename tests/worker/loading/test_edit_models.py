"""InstructPix2Pix, depth2img and SDXL's refiner: recognised as what they are, and used as that."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from underpaint.buffers import BufferRef, Kind
from underpaint.cameras import Camera
from underpaint.errors import RequestError, UnderpaintError
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    Prompt,
    Refiner,
    RegionPrompt,
    Sampling,
    TileAxes,
    UpscaleRequest,
    View,
)
from underpaint_daemon.common.job_contract import JobCancelled
from underpaint_daemon.common.models import family_of

from helpers.painting.ldm_layout import export, export_refiner, export_xl
from helpers.painting.studio import IDENTITY, Recorder, Studio, photo, picture
from helpers.painting.tiny_edits import build_depth, build_edit, build_refiner, build_xl_edit
from helpers.painting.tiny_model import STEPS

ASKED = ImageRequest(Prompt("a red cube", "blue"), width=64, height=64)
DEPTH = (Control(ControlKind.DEPTH),)
BUILD: dict[str, Callable[[Path], Path]] = {
    "sd15_edit": build_edit,
    "sdxl_edit": build_xl_edit,
    "sd2_depth": build_depth,
    "sdxl_refiner": build_refiner,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("edits")
    return {family: str(make(root / family)) for family, make in BUILD.items()}


@pytest.fixture(scope="module")
def start(studio: Studio) -> BufferRef:
    return studio.buffers.add(Kind.COLOR, photo())


def asked(family: str, models: dict[str, str], start: BufferRef, view: View) -> ImageRequest:
    """What the model is made for."""
    request = replace(ASKED, model=models[family])
    if family == "sd2_depth":
        return replace(request, view=view)
    return replace(request, init=start, strength=0.5)


def differ(*pictures: np.ndarray) -> bool:
    return len({picture.tobytes() for picture in pictures}) == len(pictures)


@pytest.mark.parametrize("family", BUILD)
def test_it_paints_the_same_twice_by_words_with_previews_and_stops_when_told(
    studio: Studio, models: dict[str, str], start: BufferRef, view: View, family: str
) -> None:
    request = asked(family, models, start, view)
    assert family_of(studio.models.paths, request.model) == family
    told = Recorder()
    painted = studio.paint(request, told)[0]
    assert painted.shape == (64, 64, 3)
    assert told.previews
    assert np.array_equal(studio.paint(request)[0], painted)
    other = studio.paint(replace(request, prompt=Prompt("a blue ball")))[0]
    unguided = studio.paint(replace(request, sampling=Sampling(guidance=1.0)))[0]
    assert differ(painted, other, unguided)
    many = replace(request, strength=1.0, sampling=Sampling(steps=12))
    with pytest.raises(JobCancelled):
        studio.run(many, Recorder(cancel_at=2))
    enough = Recorder(enough_at=3)
    stopped = studio.paint(many, enough)[0]
    assert enough.steps == 3
    assert not np.array_equal(stopped, studio.paint(many)[0])


@pytest.mark.parametrize("family", ["sd15_edit", "sdxl_edit"])
def test_an_instruction_edits_the_picture_as_far_as_its_guidance_says(
    studio: Studio, models: dict[str, str], start: BufferRef, family: str
) -> None:
    request = replace(ASKED, model=models[family], init=start)
    told = Recorder()
    painted = studio.paint(request, told)[0]
    assert told.steps == STEPS, "it begins from pure noise whatever the strength"
    usual = replace(request, sampling=Sampling(image_guidance=1.5))
    assert np.array_equal(studio.paint(usual)[0], painted)
    closer = studio.paint(replace(request, sampling=Sampling(image_guidance=4.0)))[0]
    another = studio.paint(
        replace(request, init=studio.buffers.add(Kind.COLOR, photo(64, 64)[::-1].copy()))
    )[0]
    odd = replace(request, width=83, height=67)
    assert differ(painted, closer, another)
    assert studio.paint(odd)[0].shape == (67, 83, 3)


def test_depth_goes_into_the_network_itself(
    studio: Studio, models: dict[str, str], start: BufferRef, view: View
) -> None:
    request = replace(ASKED, model=models["sd2_depth"], view=view)
    painted = studio.paint(request)[0]
    depth = studio.buffers[view.depth.sha256]
    aside = replace(view, depth=studio.buffers.add(Kind.DEPTH, np.roll(depth, 20, 1)))
    begun = studio.paint(replace(request, init=start, strength=0.5))[0]
    assert differ(painted, studio.paint(replace(request, view=aside))[0], begun)
    camera = Camera(IDENTITY, IDENTITY, 64, 64, 0.1, 100.0)
    wall = studio.buffers.add(Kind.DEPTH, np.full((64, 64), 4.0, np.float32))
    flat = replace(request, view=View(camera, depth=wall), controls=DEPTH)
    assert studio.paint(flat)[0].std() > 1, "a plane has no range of depths"
    everywhere = studio.buffers.add(Kind.MASK, np.full((64, 64), 255, np.uint8))
    region = RegionPrompt(Prompt("blue stone ball"), everywhere)
    other = studio.paint(replace(request, prompt=region.prompt))[0]
    assert np.array_equal(studio.paint(replace(request, regions=(region,)))[0], other)


def test_the_refiner_finishes_a_picture_as_far_as_its_strength_says(
    studio: Studio, models: dict[str, str], start: BufferRef
) -> None:
    request = replace(ASKED, model=models["sdxl_refiner"], init=start)
    first = studio.buffers[start.sha256].astype(int)
    far = [
        np.abs(studio.paint(replace(request, strength=strength))[0] - first).mean()
        for strength in (0.05, 0.9)
    ]
    assert far[0] < far[1]
    large = UpscaleRequest(Prompt("a red cube"), start, request.model, tile=64, overlap=16)
    assert studio.paint(large)[0].shape == (128, 128, 3)


def test_a_second_model_finishes_every_picture_of_a_request(
    studio: Studio, models: dict[str, str]
) -> None:
    refiner = models["sdxl_refiner"]
    request = replace(ASKED, model="tiny", batch=2, sampling=Sampling(seed=5))
    first = studio.paint(request)
    told = replace(request, refiner=Refiner(refiner, 0.5))
    files = studio.run(told)
    finished = [picture(file) for file in files if file.media == "image/png"]
    for i, image in enumerate(first):
        init = studio.buffers.add(Kind.COLOR, image)
        by_hand = replace(
            ASKED, model=refiner, init=init, strength=0.5, sampling=Sampling(seed=5 + i)
        )
        assert np.array_equal(studio.paint(by_hand)[0], finished[i])
    recipe = json.loads(next(file.data for file in files if file.name == "image_0.json"))
    assert recipe["model"]["refiner"]["family"] == "sdxl_refiner"
    assert recipe["request"]["refiner"]["sampling"]["steps"] == STEPS
    with pytest.raises(RequestError, match="no model 'gone'"):
        studio.run(replace(request, refiner=Refiner("gone")))
    with pytest.raises(RequestError, match="repeat without a seam"):
        studio.run(replace(told, batch=1, tile=TileAxes.X))


def test_a_second_model_finishes_the_spot_that_a_mask_marks(
    studio: Studio, models: dict[str, str], start: BufferRef
) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 8:40] = 255
    hole = studio.buffers.add(Kind.MASK, mask)
    request = InpaintRequest(Prompt("a ball"), start, hole, model="tiny", batch=2, controls=())
    refiner = models["sdxl_refiner"]
    first = studio.paint(request)
    finished = studio.paint(replace(request, refiner=Refiner(refiner, 0.5)))
    before = studio.buffers[start.sha256]
    for i, (image, final) in enumerate(zip(first, finished, strict=True)):
        ref = studio.buffers.add(Kind.COLOR, image)
        by_hand = replace(request, image=ref, model=refiner, batch=1, strength=0.5)
        by_hand = replace(by_hand, sampling=Sampling(seed=i))
        assert np.array_equal(studio.paint(by_hand)[0], final)
        assert np.array_equal(final[mask == 0], before[mask == 0])
        assert not np.array_equal(final, image)
    told = Recorder()
    with pytest.raises(RequestError, match="a picture with a mask"):
        studio.run(replace(request, refiner=Refiner(models["sd15_edit"])), told)
    assert told.steps == 0, "before the first model paints"


@pytest.mark.parametrize("family", BUILD)
def test_a_single_file_is_recognised_and_paints_the_same(
    studio: Studio,
    models: dict[str, str],
    start: BufferRef,
    view: View,
    family: str,
    tmp_path: Path,
) -> None:
    request = asked(family, models, start, view)
    folder = Path(request.model)
    writers = {"sdxl_refiner": export_refiner, "sdxl_edit": export_xl}
    write = writers.get(family, export)
    loaded = studio.models.load(request.model)
    file = write(_Parts(loaded.parts), tmp_path / "one file.safetensors")
    _beside(folder, file)
    assert family_of(studio.models.paths, str(file)) == family
    expected = studio.paint(request)[0]
    assert np.array_equal(studio.paint(replace(request, model=str(file)))[0], expected)


class _Parts:
    """A model's parts, as a pipeline has them."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self.__dict__.update(parts)


def _beside(folder: Path, file: Path) -> None:
    """The miniature's own configurations, where those of the true size are not meant."""
    shutil.copytree(
        folder, file.with_suffix(""), ignore=shutil.ignore_patterns("*.safetensors", "tokenizer*")
    )
    for tokenizer in folder.glob("tokenizer*"):
        shutil.copytree(tokenizer, file.with_suffix("") / tokenizer.name)
    shutil.copy(folder / "underpaint.json", file.with_suffix(".underpaint.json"))


@pytest.mark.parametrize(
    ("family", "change", "told"),
    [
        ("sd15_edit", {"init": None}, "cannot begin from words alone"),
        ("sd15_edit", {"controls": DEPTH}, "no depth ControlNet"),
        ("sd2_depth", {"view": None}, "follows one depth control"),
        ("sd2_depth", {"controls": (Control(ControlKind.NORMAL),)}, "no normal ControlNet"),
        ("sd2_depth", {"sampling": Sampling(image_guidance=2.0)}, "does not weigh the picture"),
        ("sdxl_refiner", {"init": None}, "cannot begin from words alone"),
        ("sdxl_refiner", {"loras": (Lora("style"),)}, "takes no LoRA"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(
    studio: Studio,
    models: dict[str, str],
    start: BufferRef,
    view: View,
    family: str,
    change: dict[str, Any],
    told: str,
) -> None:
    request = replace(asked(family, models, start, view), **{"view": view, **change})
    with pytest.raises(UnderpaintError, match=told) as caught:
        studio.run(request)
    assert caught.value.hint


@pytest.mark.parametrize("family", ["sd15_edit", "sdxl_edit", "sd2_depth"])
def test_masks_are_refused_by_name(
    studio: Studio, models: dict[str, str], start: BufferRef, view: View, family: str
) -> None:
    mask = studio.buffers.add(Kind.MASK, np.full((64, 64), 255, np.uint8))
    request = InpaintRequest(Prompt("a"), start, mask, models[family], view=view)
    with pytest.raises(RequestError, match="a picture with a mask"):
        studio.run(request)
