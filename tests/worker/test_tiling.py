"""Materials that repeat without a seam, and their maps."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.files.recipe import recipe_in
from underpaint.requests import ImageRequest, Lora, Pbr, Prompt, Sampling, TileAxes
from underpaint_daemon.worker.materials.maps import MAP_NAMES
from underpaint_daemon.worker.materials.material import normal_of_height
from underpaint_daemon.worker.pipelines.latents import decode_latents, encode_images, vae_scale
from underpaint_daemon.worker.pipelines.tiling import (
    circular,
    with_margins,
    wrap_deviations,
    wrap_ratios,
)

from helpers.painting.studio import Studio, picture
from helpers.painting.tiny_model import build_marigold

ASKED = ImageRequest(
    Prompt("red stone"), model="tiny", width=96, height=64, tile=TileAxes.XY, sampling=Sampling()
)
SHIFT = (2, -4)  # whole cells of the networks' coarsest level


def moved(latents: torch.Tensor, factor: int = 1) -> torch.Tensor:
    return torch.roll(latents, [s * factor for s in SHIFT], (2, 3))


def far_off(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max() / b.std())


@pytest.fixture
def model(studio: Studio):
    return studio.models.load("tiny")


@pytest.fixture
def latents() -> torch.Tensor:
    return torch.randn((1, 4, 16, 24), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("tile", [TileAxes.XY, TileAxes.OFF])
def test_no_network_knows_where_the_image_begins(model, latents, tile) -> None:
    """A shifted input gives the shifted output: then nothing can show at the edges."""
    hidden = torch.randn((1, 16, 16), generator=torch.Generator().manual_seed(2))
    control = model.controlnets["depth"]
    hints = torch.rand((1, 3, 64, 96), generator=torch.Generator().manual_seed(3))
    with torch.no_grad(), circular([model.unet, model.vae, control], tile):
        step = [model.unet(x, 500, hidden).sample for x in (latents, moved(latents))]
        image = [decode_latents(model.vae, x) for x in (latents, moved(latents))]
        code = [encode_images(model.vae, x) for x in (image[0], moved(image[0], 4))]
        residual = [
            control(x, 500, hidden, hint).mid_block_res_sample
            for x, hint in ((latents, hints), (moved(latents), moved(hints, 4)))
        ]
    shifted = (
        far_off(step[1], moved(step[0])) < 1e-3,
        far_off(image[1], moved(image[0], 4)) < 1e-3,
        far_off(code[1], moved(code[0])) < 1e-3,
        far_off(residual[1], torch.roll(residual[0], (1, -2), (2, 3))) < 1e-3,
    )
    assert shifted == (tile is TileAxes.XY,) * 4


def test_only_the_axis_that_is_asked_for_wraps(model, latents) -> None:
    with torch.no_grad(), circular([model.vae], TileAxes.X):
        here = decode_latents(model.vae, latents)
        for axis, wraps in ((3, True), (2, False)):
            there = decode_latents(model.vae, torch.roll(latents, 4, axis))
            assert (far_off(there, torch.roll(here, 16, axis)) < 1e-3) is wraps


def test_nothing_is_left_behind(studio: Studio, model, latents) -> None:
    plain = replace(ASKED, tile=TileAxes.OFF)
    before = studio.paint(plain)[0]
    with pytest.raises(KeyboardInterrupt), circular(model.networks, TileAxes.XY):
        raise KeyboardInterrupt
    studio.run(replace(ASKED, loras=(Lora("style"),)))
    assert not [m for n in model.networks for m in n.modules() if "_conv_forward" in vars(m)]
    assert np.array_equal(studio.paint(plain)[0], before)


def test_a_decoder_that_works_in_blocks_gives_the_same_picture(model, latents) -> None:
    with torch.no_grad():
        with circular([model.vae], TileAxes.XY):
            whole = decode_latents(model.vae, latents)
        decoded = with_margins(
            latents, TileAxes.XY, lambda wide: decode_latents(model.vae, wide), vae_scale(model.vae)
        )
    # Group norms see the continued picture, so they differ a little; the seam must not.
    assert decoded.shape == whole.shape
    ratios = wrap_ratios(decoded[0].permute(1, 2, 0).numpy(), 4)
    assert ratios == pytest.approx(wrap_ratios(whole[0].permute(1, 2, 0).numpy(), 4), abs=0.1)


def test_a_seam_stands_out_and_a_picture_that_repeats_has_none() -> None:
    noise = np.random.default_rng(0).standard_normal((256, 320, 3))
    whole = gaussian_filter(noise, (3, 3, 0), mode="wrap")
    for shift in range(0, 160, 16):  # a picture on a torus: its wrap may lie anywhere
        x, y = wrap_deviations(np.roll(whole, (shift, shift), (0, 1)), 4)
        assert max(abs(x), abs(y)) < 4
    x, y = wrap_deviations(whole[:, :256], 4)  # cut off: no longer repeats in x
    assert x > 10
    assert abs(y) < 4


@pytest.mark.slow
@pytest.mark.parametrize("start", [False, True], ids=["from words", "from a picture"])
def test_the_picture_continues_over_its_edges(studio: Studio, start) -> None:
    asked = replace(ASKED, model="starter", width=128, height=128)
    if start:
        y, x = np.mgrid[0:128, 0:128]
        slope = np.stack([x, y, 255 - x], -1).astype(np.uint8)  # as unlike at its edges as can be
        asked = replace(asked, init=studio.buffers.add(Kind.COLOR, slope), strength=0.8)
    seams, plain = [], []
    for seed in range(2):
        for tile, found in ((TileAxes.XY, seams), (TileAxes.OFF, plain)):
            now = replace(asked, tile=tile, sampling=Sampling(seed=seed, steps=4))
            found += wrap_ratios(studio.paint(now)[0], 4)
    assert 0.7 < np.mean(seams) < 1.25  # single lines scatter by a quarter at this size
    assert np.mean(plain) > 1.5


def test_maps_come_as_files_that_say_how_they_were_made(studio: Studio) -> None:
    files = {a.name: a for a in studio.run(replace(ASKED, width=64, pbr=Pbr()))}
    assert {f"{name}.png" for name in MAP_NAMES} < set(files)
    assert picture(files["preview.png"]).shape == (512, 1024, 3)
    report = json.loads(files["material.json"].data)
    assert set(report["maps"]) == set(MAP_NAMES) - {"orm"}
    assert all("estimated" in how for how in report["maps"].values())
    assert report["wrap_x_ratio"] > 0
    assert abs(report["wrap_y_deviation"]) < 5
    maps = {name: picture(files[f"{name}.png"]) for name in MAP_NAMES}
    assert maps["height"].dtype == np.uint16
    assert len(np.unique(maps["height"])) > 1000
    packed = np.dstack([maps["ao"], maps["roughness"], maps["metallic"]])
    assert np.array_equal(maps["orm"], packed)
    length = np.linalg.norm(maps["normal"] / 127.5 - 1, axis=-1)
    assert np.abs(length - 1).max() < 0.02
    assert files["normal.png"].facts["convention"].startswith("tangent space, OpenGL")
    assert files["roughness.png"].facts["made"].startswith("estimated")


def test_a_batch_numbers_its_maps(studio: Studio) -> None:
    made = studio.run(replace(ASKED, batch=2, pbr=Pbr()))
    names = {a.name for a in made}
    for number in range(2):
        (roughness,) = (a for a in made if a.name == f"roughness_{number}.png")
        facts = recipe_in(roughness.data, "result.png")
        assert (facts["index"], facts["seed"]) == (number, ASKED.sampling.seed + number)
    assert {"image_1.png", "normal_1.png", "preview_0.png", "material_1.json"} < names


def test_the_prompt_says_what_is_metal(studio: Studio) -> None:
    for text, metal in (("polished gold", 255), ("red stone", 0)):
        files = {a.name: a for a in studio.run(replace(ASKED, prompt=Prompt(text), pbr=Pbr()))}
        assert (picture(files["metallic.png"]) == metal).all()


def test_normals_lean_away_from_a_ridge() -> None:
    """A ridge along y: left of it normals point left (-x); one along x: above it, up (+y)."""
    across = np.tile(np.exp(-(((np.arange(64) - 32) / 6.0) ** 2)), (64, 1)).astype(np.float32)
    normal = normal_of_height(across, TileAxes.XY)
    assert normal[10, 26, 0] < -0.05 < 0.05 < normal[10, 38, 0]
    normal = normal_of_height(across.T, TileAxes.XY)
    assert normal[26, 10, 1] > 0.05 > -0.05 > normal[38, 10, 1]
    assert np.abs(normal[..., 0]).max() == 0


def test_a_model_that_is_not_there_is_named(studio: Studio) -> None:
    with pytest.raises(RequestError) as refused:
        studio.run(replace(ASKED, pbr=Pbr(model="marigold")))
    assert refused.value.code is ErrorCode.MODEL_MISSING
    with pytest.raises(RequestError) as refused:
        studio.run(replace(ASKED, pbr=Pbr(model="tiny")))
    assert refused.value.code is ErrorCode.MODEL_BROKEN
    assert "MarigoldIntrinsicsPipeline" in refused.value.message


def test_marigold_models_from_disk_make_the_maps_and_they_repeat_too(studio: Studio) -> None:
    models = studio.models.paths.models
    asked = Pbr(
        str(build_marigold(models.parent / "appearance", intrinsics=True)),
        build_marigold(models / "normals", intrinsics=False).name,
    )
    files = {a.name: a for a in studio.run(replace(ASKED, width=64, pbr=asked))}
    made = json.loads(files["material.json"].data)["maps"]
    assert {name for name, how in made.items() if how == "Marigold"} == {
        "base_color",
        "roughness",
        "metallic",
        "normal",
    }
    plain = {a.name: a for a in studio.run(replace(ASKED, width=64, pbr=Pbr()))}
    for name in ("base_color", "roughness", "metallic", "normal"):
        assert not np.array_equal(picture(files[f"{name}.png"]), picture(plain[f"{name}.png"])), (
            name
        )
    assert picture(files["roughness.png"]).std() > 1
