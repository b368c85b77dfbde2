"""What texture layers reckon without Blender: tiles, mixing, masks, requests."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.layers.compose import (
    Sheet,
    flat_values,
    resampled,
    stacked,
)
from blender_addon.layers.uv_mask import corner_values, faces_mask
from blender_addon.plain.srgb import linear, srgb
from blender_addon.plain.surfaces import (
    Named,
    Slot,
    Surface,
    Target,
    lay_out,
    target_from_json,
    target_to_json,
)
from blender_addon.texture.request import (
    Existing,
    Purpose,
    TextureSettings,
    texture_request,
    texture_settings_of,
)
from underpaint.buffers import Buffers, Kind
from underpaint.requests import MeshRef, Method, Prompt, Sampler, TextureRequest
from underpaint.tree import from_json, to_json

TRIANGLE = np.array([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9]], np.float32)


def layout(*cells: tuple[int, int]) -> np.ndarray:
    return np.concatenate([TRIANGLE + np.array(cell, np.float32) for cell in cells])


def test_materials_on_tiles_of_their_own_keep_their_uvs_bit_for_bit():
    uv = layout((0, 0), (1, 0), (0, 1))
    moved, tiles = lay_out(uv, np.array([0, 1, 1]), 2)
    assert moved is uv
    assert tiles == [((1001, 1001),), ((1002, 1002), (1011, 1011))]


def test_materials_that_share_a_tile_get_one_each_and_the_way_back():
    uv = layout((0, 0), (0, 0), (1, 0))
    moved, tiles = lay_out(uv, np.array([0, 1, 1]), 2)
    assert tiles == [((1001, 1001),), ((1002, 1001), (1003, 1002))]
    assert np.allclose(moved, layout((0, 0), (1, 0), (2, 0)), atol=1e-6)


def test_uvs_outside_every_tile_go_with_the_first_tile():
    uv = layout((0, 0), (-3, 0))
    _, tiles = lay_out(uv, np.array([0, 0]), 1)
    assert tiles == [((1001, 1001),)]
    moved, tiles = lay_out(layout((0, 0), (-3, 0), (0, 0)), np.array([0, 0, 1]), 2)
    assert tiles == [((1001, 1001),), ((1002, 1001),)]
    assert np.allclose(moved, layout((0, 0), (0, 0), (1, 0)), atol=1e-6)


def test_a_target_survives_the_way_through_a_file():
    surface = Surface(Named("M", 7), (Slot(Named("O", 3), 1),), "UV", ((1002, 1001),))
    bare = Surface(None, (Slot(Named("P", 4), 0),), "", ((1001, 1001),))
    target = Target((surface, bare), Purpose.REROLL, "layer")
    assert target_from_json(target_to_json(target)) == target


def sheets(seed: int, count: int = 3, side: int = 16) -> list[Sheet]:
    random = np.random.default_rng(seed)
    return [
        Sheet(
            (random.integers(0, 256, (side, side, 4)) / 255).astype(np.float32),
            float(random.random()),
            random.random((side, side)).astype(np.float32) if i % 2 else None,
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_one_flat_layer_over_anything_is_the_stack_over_it(seed: int):
    parts, size = sheets(seed), (16, 16)
    ground = np.full((1, 1, 4), 0.3 + 0.1 * seed, np.float32)
    wanted = stacked(parts, size, ground)
    again = stacked([Sheet(stacked(parts, size))], size, ground)
    assert np.abs(wanted - again).max() < 2e-3


def test_one_flat_map_over_the_ground_is_the_maps_over_it():
    parts, size = sheets(9), (16, 16)
    values = [part.pixels[..., :3] for part in parts]
    below = np.array([0.5, 0.5, 1.0], np.float32)
    flat = flat_values(values, parts, size, below)
    alpha = stacked(parts, size)[..., 3:]
    wanted = np.broadcast_to(below, (*size, 3))
    for value, part in zip(values, parts, strict=True):
        share = part.pixels[..., 3:] * part.opacity
        share = share if part.mask is None else share * part.mask[..., None]
        wanted = wanted * (1 - share) + value * share
    assert np.abs(below * (1 - alpha) + flat * alpha - wanted).max() < 1e-5


def test_the_tables_are_the_srgb_curve():
    bytes_ = (np.arange(256) / 255).astype(np.float32)
    exact = np.where(bytes_ <= 0.04045, bytes_ / 12.92, ((bytes_ + 0.055) / 1.055) ** 2.4)
    assert np.abs(linear(bytes_) - exact).max() < 1e-6
    assert np.abs(srgb(linear(bytes_)) - bytes_).max() < 0.15 / 255


def test_images_of_other_sizes_are_averaged_down_and_drawn_out():
    ramp = np.linspace(0, 1, 8, dtype=np.float32)[None, :, None].repeat(8, 0)
    half = resampled(ramp, (4, 4))
    assert np.allclose(half[0, :, 0], ramp[0, :, 0].reshape(4, 2).mean(1))
    wide = resampled(ramp, (12, 12))[0, :, 0]
    assert np.all(np.diff(wide) >= 0)
    assert wide[0] == 0
    assert wide[-1] == 1


def test_selected_faces_fill_just_their_texels():
    square = np.array([[0, 0.5], [0.5, 0.5], [0.5, 1], [0, 0.5], [0.5, 1], [0, 1]], float)
    mask = faces_mask(square, 32, margin=0)
    assert mask[:16, :16].min() == 255
    assert (mask > 0).sum() == 256
    assert (faces_mask(square, 32, margin=2) > 0).sum() == 18 * 18 - 3


def test_faces_smaller_than_a_texel_are_not_lost():
    speck = np.array([[0.51, 0.51], [0.511, 0.51], [0.51, 0.511]])
    mask = faces_mask(speck, 16, margin=0)
    assert mask[7, 8] == 255
    assert (mask > 0).sum() == 1


def test_numbers_of_corners_are_drawn_between_them():
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1]], float)
    drawn = corner_values(square, square[:, 1], 32)
    wanted = 1 - (np.arange(32) + 0.5) / 32
    assert np.abs(drawn - wanted[:, None]).max() < 1e-6, "row 0 is at v = 1"
    part = corner_values(square * 0.5, square[:, 0], 32, margin=0)
    assert np.isnan(part[:16]).all(), "and nothing where no face lies"
    assert np.isfinite(part[16:, :16]).all()


def mesh() -> tuple[MeshRef, Buffers]:
    buffers = Buffers()
    shapes = {"position": 3, "normal": 3, "uv": 2}
    refs = {n: buffers.add(Kind.MESH, np.zeros((3, c), np.float32)) for n, c in shapes.items()}
    return MeshRef(**refs, ids=buffers.add(Kind.MESH, np.ones((3, 2), np.int32))), buffers


def test_untouched_texture_settings_ask_for_the_defaults():
    ref, _ = mesh()
    settings = TextureSettings(prompt="moss")
    assert texture_request(settings, ref) == TextureRequest(Prompt("moss"), ref)


def test_texture_settings_survive_the_way_into_a_request_and_back():
    settings = TextureSettings(
        prompt="moss",
        negative="rust",
        model="other",
        method=Method.SEQUENTIAL,
        view_count=4,
        view_size=512,
        size=2048,
        steps=20,
        guidance=7.5,
        sampler=Sampler.EULER,
        seed=5,
        directional_prompts=False,
        upscale=2,
        pbr=True,
        guidance_curve=((0.0, 1.0), (1.0, 0.0)),
    )
    request = from_json(to_json(texture_request(settings, mesh()[0])))
    assert texture_settings_of(request) == settings


def test_what_is_there_goes_into_the_tile_it_lies_on():
    ref, buffers = mesh()
    base = buffers.add(Kind.COLOR, np.zeros((64, 64, 4), np.uint8))
    lock = buffers.add(Kind.MASK, np.zeros((64, 64), np.uint8))
    there = {1001: Existing(base, lock), 1002: Existing(base)}
    request = texture_request(TextureSettings(size=64), ref, None, there, restyle=True)
    assert (request.base, request.lock, request.strength) == (base, lock, 0.6)
    assert [(tile.number, tile.lock) for tile in request.more_tiles] == [(1002, None)]
