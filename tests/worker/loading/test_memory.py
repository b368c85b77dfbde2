"""Running out of memory, for real: less is tried, then the job fails with figures."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import T2IAdapter

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import (
    BY_ATTENTION,
    Control,
    ControlKind,
    ImageRequest,
    Lora,
    Prompt,
    Reference,
    RegionPrompt,
    Sampling,
    View,
)
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.image import run_image
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.networks import Device, weight_bytes
from underpaint_daemon.worker.pipelines.loading.plan import planned
from underpaint_daemon.worker.pipelines.memory import WAITING, Tier, within_memory
from underpaint_daemon.worker.pipelines.threads import threads_for

from helpers.address_space import only_more
from helpers.painting.studio import Recorder, Studio, photo
from helpers.processes import run_helper

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, sampling=Sampling(steps=1)
)
needs_rlimit = pytest.mark.skipif(sys.platform != "linux", reason="address space limits: Linux")


@needs_rlimit
def test_what_cannot_fit_fails_with_a_clear_word_and_the_next_job_runs(studio: Studio) -> None:
    before, told = studio.paint(ASKED)[0], Recorder(credit=False)
    with only_more(300), pytest.raises(UnderpaintError) as caught:
        studio.run(replace(ASKED, width=8192, height=8192), told)
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY
    assert caught.value.retryable
    assert "8192×8192" in caught.value.message
    assert caught.value.details["tiers_tried"] == ["full", "tiled"]
    assert len(told.warnings) == 1
    assert np.array_equal(before, studio.paint(ASKED)[0])


@needs_rlimit
def test_the_next_lower_tier_is_tried_and_can_suffice() -> None:
    """In a process of its own: what a long test run has freed would be taken again."""
    done = run_helper("helpers.painting.lower_tier")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "tier": "tiled",
        "shape": [1, 3, 1024, 1024],
        "warnings": 1,
        "still_tiling": False,
    }


def test_other_failures_are_not_taken_for_lack_of_memory() -> None:
    def attempt(tier: Tier) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        within_memory(attempt, (Tier.FULL, Tier.TILED), print, "A job")


def test_every_tier_paints_the_same_motif(studio: Studio) -> None:
    model = studio.models.load("tiny")
    asked = replace(ASKED, sampling=Sampling(steps=3), loras=(Lora("style"),))
    asked = settle(asked, studio.models.paths)
    full, tiled, visiting, blocks, offloaded, again = (
        run_image(model, asked, {}, tier, Recorder())[0].astype(int) for tier in (*Tier, Tier.FULL)
    )
    assert np.abs(full - tiled).mean() < 1
    assert np.array_equal(tiled, visiting)
    assert np.array_equal(tiled, blocks)
    assert np.array_equal(tiled, offloaded)
    assert np.array_equal(full, again)
    assert model.unet.device.type != "meta"


def test_all_that_acts_inside_the_networks_acts_where_weights_wait_elsewhere(
    studio: Studio, view: View, tmp_path: Path
) -> None:
    """Regions, ControlNets, T2I-Adapters, LoRAs, IP-Adapters and what is looked at, together and
    by themselves."""
    T2IAdapter(
        channels=[16, 32], num_res_blocks=1, downscale_factor=8, adapter_type="full_adapter_xl"
    ).save_pretrained(tmp_path / "adapter")
    left = np.zeros((64, 64), np.uint8)
    left[:, :32] = 255
    regions = (RegionPrompt(Prompt("blue ball"), studio.buffers.add(Kind.MASK, left)),)
    of_its_own = (replace(regions[0], loras=(Lora("style", -1.0),)),)
    picture = Reference(image=studio.buffers.add(Kind.COLOR, photo()))
    looks = (picture, replace(picture, model=BY_ATTENTION))
    networks = (Control(ControlKind.DEPTH), Control(ControlKind.NORMAL))
    adapter = (Control(ControlKind.DEPTH, model=str(tmp_path / "adapter")),)
    plain = replace(ASKED, sampling=Sampling(steps=2), view=view, controls=())
    everything = replace(plain, regions=regions, references=looks, controls=(*networks, *adapter))
    model, found = studio.models.load("tiny"), set()
    for asked in (
        plain,
        replace(plain, regions=regions),
        replace(plain, regions=regions, controls=networks),
        replace(plain, regions=regions, controls=adapter),
        replace(everything, loras=(Lora("style", 1.0, ((0, 1), (1, 0.5))),), regions=of_its_own),
    ):
        whole = settle(asked, studio.models.paths)
        tiled, visiting, blocks, offloaded = (
            run_image(model, whole, studio.buffers, tier, Recorder(credit=False))[0]
            for tier in (Tier.TILED, *WAITING)
        )
        assert np.array_equal(tiled, visiting)
        assert np.array_equal(tiled, blocks)
        assert np.array_equal(tiled, offloaded)
        found.add(tiled.tobytes())
    assert len(found) == 5


def test_what_the_card_has_no_room_for_waits_in_main_memory() -> None:
    card = Device(torch.device("cuda"), torch.float16)
    needed = (
        {"in.weight": 1, "layers.0.weight": 1, "layers.1.weight": 2, "layers.2.weight": 2},
        {"weight": 4},
    )
    assert planned(card, needed, room=10) == card
    assert planned(card, needed, room=9).first is Tier.VISITING
    assert planned(card, needed, room=5).first is Tier.BLOCKS
    assert planned(card, needed, room=4).first is Tier.OFFLOADED
    waiting = replace(card, first=Tier.VISITING)
    assert planned(waiting, needed[1:], room=9) == waiting
    assert waiting.home.type == "cpu"
    assert waiting.tiers == (Tier.VISITING, Tier.BLOCKS, Tier.OFFLOADED)
    assert card.tiers == tuple(Tier)


def test_a_models_need_is_told_before_it_is_loaded(studio: Studio) -> None:
    model = studio.models.load("tiny")
    needed = studio.needed(model.folder)
    assert needed == {name: weight_bytes([model.parts[name]]) for name in needed}
    assert needed.keys() == {"unet", "vae", "text_encoder"}


def test_a_safety_checker_in_the_index_takes_no_memory(studio: Studio, tmp_path: Path) -> None:
    """As Stable Diffusion 1.5 is published: its class is neither diffusers' nor transformers'."""
    source, folder = studio.models.paths.models / "tiny", tmp_path / "published"
    shutil.copytree(source, folder)
    shutil.copytree(folder / "text_encoder", folder / "safety_checker")
    index = json.loads((folder / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (folder / "model_index.json").write_text(json.dumps(index))
    needed = studio.needed(folder)
    assert needed == studio.needed(source)


def test_weights_that_wait_paint_the_same_and_the_artist_is_told(studio: Studio) -> None:
    place = replace(studio.models.place, first=Tier.VISITING)
    waiting = Studio(PipelineRunner(ModelCache(studio.models.paths, place)), studio.buffers)
    told = Recorder(credit=False)
    looks = (Reference(image=studio.buffers.add(Kind.COLOR, photo())),)
    asked = replace(ASKED, references=looks, loras=(Lora("style"),))
    model, whole = studio.models.load("tiny"), settle(asked, studio.models.paths)
    expected = run_image(model, whole, studio.buffers, Tier.TILED, Recorder(credit=False))[0]
    assert np.array_equal(waiting.paint(asked, told)[0], expected)
    assert [line for line in told.warnings if "its networks wait in main memory" in line]
    assert waiting.models.waiting_bytes == waiting.models.load("tiny").nbytes
    assert waiting.models.nbytes == 0


def test_a_small_picture_takes_few_threads_and_leaves_the_rest_to_blender() -> None:
    usual = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        for side, expected in ((64, 1), (128, 1), (192, 2), (512, 4)):
            with threads_for(side * side, torch.device("cpu")):
                assert torch.get_num_threads() == expected
            assert torch.get_num_threads() == 4
        with threads_for(64 * 64, torch.device("meta")):
            assert torch.get_num_threads() == 4, "a GPU's own business"
    finally:
        torch.set_num_threads(usual)
