"""Every family on a miniature of its true architecture, through a real daemon and its worker.

`underpaint eval families` prints the same as a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from underpaint.buffers import Buffers, Kind
from underpaint.client import Client, connect
from underpaint.paths import Paths
from underpaint.requests import (
    ImageRequest,
    Lora,
    ObjectPrompt,
    Prompt,
    RegionPrompt,
    TextureRequest,
)
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.tools.bench.harness import own_daemon
from underpaint_daemon.tools.evals.families import DaemonPainter, measured
from underpaint_daemon.tools.evals.family_memory import kept_in_memory
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.tools.miniatures import MINIATURES

from helpers.meshes.sync_scene import torus, two_objects
from helpers.painting.tints import save_tint

pytestmark = pytest.mark.slow
# They encode each view's picture at a million pixels, whatever its size: a minute of a processor.
# `eval families` paints their textures; here tests/texturing/test_pipeline_denoiser.py does.
LARGE_PICTURES = ("qwen_edit", "qwen_edit_plus")


# One of each kind of VAE and text encoder; `eval families` tries all.
KEPT = ("sd35", "flux2_klein", "qwen_image", "z_image", "sana")


# One that is called by us, and one by its pipeline.
WORN = ("sdxl", "flux1")


@pytest.fixture(scope="module")
def daemon() -> Iterator[tuple[Client, Paths]]:
    with own_daemon() as paths, connect(paths, start=False, client="test") as client:
        yield client, paths


def test_every_family_has_a_miniature_to_be_tried_on() -> None:
    variants = {"flux1_schnell": "flux1", "modular_flux": "modular", "modular_sdxl": "modular"}
    assert {variants.get(name, name) for name in MINIATURES} == set(ABILITIES)


@pytest.mark.parametrize("name", MINIATURES)
def test_a_family_can_what_the_table_says_and_refuses_the_rest(
    daemon: tuple[Client, Paths], name: str
) -> None:
    client, paths = daemon
    MINIATURES[name](paths.models / name)
    without = {"texture"} if name in LARGE_PICTURES else set[str]()
    without |= {"part_lora"} if name == "sd2_depth" else set()  # as of SD 2; `eval families` has it
    found = measured(client, paths, name, without if name in WORN else without | {"object_lora"})
    if name in KEPT:
        found |= kept_in_memory(paths, name)
    assert [ability for ability, holds in found.items() if not holds] == []


def test_a_lora_of_a_part_or_an_object_paints_its_colour_there_and_nowhere_else(
    daemon: tuple[Client, Paths],
) -> None:
    """Measured on the starter, with a LoRA that paints red whatever the words say."""
    client, paths = daemon
    red = (Lora(str(red_of_the_starter(paths.data / "red.safetensors"))),)
    buffers = Buffers()
    painter, side = DaemonPainter(client, buffers), 128
    left = np.zeros((side, side), np.uint8)
    left[:, : side // 2] = 255
    part = RegionPrompt(Prompt(), buffers.add(Kind.MASK, left), loras=red)
    picture = ImageRequest(Prompt("grey stone"), width=side, height=side, controls=())
    plain, whole, half = (
        redness(painter.paint(one))
        for one in (picture, replace(picture, loras=red), replace(picture, regions=(part,)))
    )
    inside, outside = slice(0, side // 2 - 8), slice(side // 2 + 8, side)
    assert (whole - plain).mean() > 40, "it paints red"
    assert (half - plain)[:, inside].mean() > 0.9 * (whole - plain)[:, inside].mean()
    assert abs(half - plain)[:, outside].mean() < 0.05 * (whole - plain)[:, outside].mean()

    ring = TextureRequest(
        Prompt("grey stone"), mesh_ref(two_objects(torus(24, 12)), buffers), size=side,
        view_size=side, view_count=4,
    )  # fmt: skip
    worn = replace(ring, object_prompts=(ObjectPrompt(2, Prompt(), loras=red),))
    plain, whole, half = (
        redness(painter.paint(one)) for one in (ring, replace(ring, loras=red), worn)
    )
    # Its UV map goes around it: the second object is where u is near 0 and near 1.
    first = slice(round(0.3 * side), round(0.7 * side))
    second = np.r_[0 : round(0.2 * side), round(0.8 * side) : side]
    assert abs(whole - plain).mean() > 20, "strong enough to see"
    assert abs(half - whole)[:, second].mean() < 0.1 * abs(whole - plain)[:, second].mean()
    assert abs(half - plain)[:, first].mean() < 0.1 * abs(whole - plain)[:, first].mean()


def red_of_the_starter(file: Path) -> Path:
    with torch.no_grad():
        unet = UNet2DConditionModel.from_pretrained(starter_folder() / "unet")
        vae = AutoencoderKL.from_pretrained(starter_folder() / "vae")
        return save_tint(unet, vae, (1.0, 0.0, 0.0), file, 8.0)


def redness(picture: np.ndarray) -> np.ndarray:
    channels = picture.astype(float)
    return channels[..., 0] - channels[..., 1:3].mean(-1)
