"""A modular pipeline (blocks that diffusers puts together) as an artist's model."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, Prompt, Sampler, Sampling
from underpaint_daemon.common.abilities import told_abilities
from underpaint_daemon.common.contents.folders import index_of
from underpaint_daemon.common.models import list_models
from underpaint_daemon.tools.miniatures.modular import modular, modular_text
from underpaint_daemon.worker.pipelines.loading.from_disk import load_model

from helpers.painting.studio import Recorder, Studio, photo

INDEX = "modular_model_index.json"
ASKED = ImageRequest(
    Prompt("a red cube", "blue"), "blocks", 64, 64, Sampling(Sampler.EULER, 4, 3.0, 5), controls=()
)


@pytest.fixture(scope="module")
def blocks(paths: Paths) -> Path:
    return modular(paths.models / "blocks")


def test_it_paints_what_diffusers_own_call_paints(studio: Studio, blocks: Path) -> None:
    """Words, what to leave out, guidance, steps and seed all reach the blocks."""
    pipe = diffusers.ModularPipeline.from_pretrained(str(blocks), local_files_only=True)
    pipe.load_components(local_files_only=True)
    asked = {"guidance_scale": 3.0, "enabled": True}  # Z-Image's blocks come with it off
    pipe.guider = type(pipe.guider).from_config(pipe.guider.config, **asked)
    theirs = pipe(
        prompt="a red cube",
        negative_prompt="blue",
        height=64,
        width=64,
        num_inference_steps=4,
        generator=torch.Generator("cpu").manual_seed(5),
        output="images",
    )
    told = Recorder()
    ours = studio.paint(ASKED, told)[0]
    assert np.abs(ours.astype(int) - np.asarray(theirs[0])).max() <= 1
    assert told.steps == 4
    assert told.previews
    for other in (
        replace(ASKED, prompt=Prompt("a red cube", "green")),
        replace(ASKED, sampling=replace(ASKED.sampling, guidance=1.5)),
        replace(ASKED, sampling=replace(ASKED.sampling, seed=6)),
    ):
        assert not np.array_equal(studio.paint(other)[0], ours)


def test_a_picture_to_begin_from_stays_by_its_strength(studio: Studio, blocks: Path) -> None:
    picture = photo()
    start = studio.buffers.add(Kind.COLOR, picture)
    little, much = (
        studio.paint(replace(ASKED, init=start, strength=strength))[0].astype(float)
        for strength in (0.25, 1.0)
    )
    # The miniature's VAE is no mirror: nearer than when all of it is painted anew is what holds.
    assert np.abs(little - picture).mean() < np.abs(much - picture).mean()


@pytest.mark.parametrize("name", ["blocks", "auto"])
def test_that_is_enough_ends_pipelines_that_cannot_be_told(
    studio: Studio, blocks: Path, paths: Paths, name: str
) -> None:
    if name == "auto":
        from underpaint_daemon.tools.miniatures.foreign import auto

        auto(paths.models / name)
    request = replace(ASKED, model=name, sampling=replace(ASKED.sampling, steps=12))
    whole = studio.paint(request)[0].astype(int)
    told = Recorder(enough_at=3)
    early = studio.paint(request, told)[0].astype(int)
    later = studio.paint(request, Recorder(enough_at=11))[0].astype(int)
    assert told.steps == 3
    assert early.shape == whole.shape
    assert early.std() > 1
    assert np.abs(later - whole).mean() < np.abs(early - whole).mean()


def test_it_is_listed_with_what_it_can_and_refuses_the_rest_with_a_way_out(
    studio: Studio, blocks: Path, paths: Paths
) -> None:
    listed = {row["name"]: row for row in list_models(paths)}["blocks"]
    assert (listed["family"], listed["problem"]) == ("modular", "")
    assert set(told_abilities("modular")) == {"image", "negative"}
    assert set(told_abilities("modular_text")) == {"negative"}
    with pytest.raises(RequestError, match="modular pipeline") as caught:
        studio.paint(replace(ASKED, tile="xy"))
    assert "model_index.json" in caught.value.hint


def test_one_that_begins_from_no_picture_says_so(studio: Studio, paths: Paths) -> None:
    modular_text(paths.models / "words")
    start = studio.buffers.add(Kind.COLOR, photo())
    told = Recorder()
    studio.paint(replace(ASKED, model="words"), told)
    assert any("leaves out 'blue'" in warning for warning in told.warnings)
    with pytest.raises(RequestError, match="cannot begin from a picture"):
        studio.paint(replace(ASKED, model="words", init=start))


def test_a_part_that_the_index_leaves_out_is_named(blocks: Path, tmp_path: Path, paths: Paths):
    folder = _changed(blocks, tmp_path / "half", vae=[None, None, {}])
    shutil.rmtree(folder / "vae")
    with pytest.raises(RequestError, match="names no vae, which ZImageModularPipeline needs"):
        load_model(paths, str(folder))


def _changed(blocks: Path, folder: Path, **changes: object) -> Path:
    shutil.copytree(blocks, folder)
    index = json.loads((folder / INDEX).read_text())
    (folder / INDEX).write_text(json.dumps(index | changes))
    return folder


def test_a_part_from_elsewhere_is_found_in_the_cache_or_told(
    blocks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, studio: Studio
) -> None:
    """Blocks of one repository often take their networks from another."""
    own = json.loads((blocks / INDEX).read_text())["vae"]
    spec = own[2] | {"pretrained_model_name_or_path": "maker/other", "subfolder": "vae"}
    folder = _changed(blocks, tmp_path / "lent", vae=[None, None, spec])
    (folder / "vae").rename(tmp_path / "vae")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(RequestError, match="vae from maker/other, which is not on") as caught:
        index_of(folder)
    assert "maker/other" in caught.value.hint
    snapshot = tmp_path / "hub" / "models--maker--other" / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    (tmp_path / "vae").rename(snapshot / "vae")
    request = replace(ASKED, model=str(folder))
    assert np.array_equal(studio.paint(request)[0], studio.paint(ASKED)[0])


def test_blocks_that_bring_their_own_code_are_refused(blocks: Path, tmp_path: Path) -> None:
    folder = _changed(blocks, tmp_path / "custom")
    code = {"auto_map": {"ModularPipelineBlocks": "block.Mine"}}
    (folder / "modular_config.json").write_text(json.dumps(code))
    (folder / "block.py").write_text("raise SystemExit('never run')")
    with pytest.raises(RequestError, match="bring their own code") as caught:
        index_of(folder)
    assert "runs no code" in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"_class_name": "WanModularPipeline"}, "a model of videos"),
        ({"_class_name": "QwenImageEditModularPipeline"}, "begins from pictures"),
        ({"_class_name": "SomeoneElsesModularPipeline"}, "does not know"),
        ({"_blocks_class_name": "SomeoneElsesBlocks"}, "does not know"),
        ({"_blocks_class_name": "DDIMScheduler"}, "which are none"),
        ({"_class_name": "OnnxStableDiffusionPipeline"}, "other programs"),
    ],
)
def test_what_is_not_known_or_no_painter_is_told_by_name(
    blocks: Path, tmp_path: Path, paths: Paths, changes: dict[str, str], told: str
) -> None:
    folder = _changed(blocks, tmp_path / "odd", **changes)
    with pytest.raises(RequestError, match=told) as caught:
        load_model(paths, str(folder))
    assert caught.value.code is ErrorCode.MODEL_BROKEN
    assert next(iter(changes.values())) in caught.value.message
