"""Inpainting: what the mask keeps is kept exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from underpaint.buffers import Kind
from underpaint.requests import Control, ControlKind, InpaintRequest, Prompt
from underpaint_daemon.worker.pipelines.canvas import around, fade

from helpers.painting.studio import Recorder, Studio, ball_view, photo

SIZES = [(64, 64, 3), (77, 91, 3), (50, 130, 4), (41, 30, 3)]


def hole(height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2, width // 3 : -5] = 255
    mask[height // 2 : height // 2 + 4, width // 3 : -5] = 100
    return mask


def asked(studio: Studio, image: np.ndarray, mask: np.ndarray) -> InpaintRequest:
    return InpaintRequest(
        Prompt("a blue ball"),
        image=studio.buffers.add(Kind.COLOR, image),
        mask=studio.buffers.add(Kind.MASK, mask),
        model="tiny",
    )


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("padding", [None, 6])
def test_pixels_outside_the_mask_are_unchanged(
    studio: Studio, shape: tuple[int, int, int], padding: int | None
) -> None:
    image, mask = photo(shape[1], shape[0], shape[2]), hole(*shape[:2])
    painted = studio.paint(replace(asked(studio, image, mask), padding=padding))[0]
    assert painted.shape == image.shape
    assert np.array_equal(painted[mask == 0], image[mask == 0])
    inside = np.abs(painted[mask == 255][:, :3].astype(int) - image[mask == 255][:, :3])
    assert inside.mean() > 5


def test_controls_act_inside_the_mask_at_any_view_size(studio: Studio) -> None:
    image, mask = photo(90, 70), hole(70, 90)
    view = ball_view(studio.buffers, 128, 100)
    controls = (Control(ControlKind.DEPTH), Control(ControlKind.NORMAL))
    base = replace(asked(studio, image, mask), padding=8, view=view)
    controlled = studio.paint(replace(base, controls=controls))[0]
    assert np.array_equal(controlled[mask == 0], image[mask == 0])
    assert not np.array_equal(controlled, studio.paint(base)[0])


def test_an_empty_mask_or_no_strength_gives_the_image_back(studio: Studio) -> None:
    image = photo()
    empty = asked(studio, image, np.zeros((64, 64), np.uint8))
    assert np.array_equal(studio.paint(empty)[0], image)
    still = replace(asked(studio, image, hole(64, 64)), strength=0.0)
    assert np.array_equal(studio.paint(still)[0], image)


def test_a_full_mask_repaints_everything(studio: Studio) -> None:
    image = photo()
    painted = studio.paint(asked(studio, image, np.full((64, 64), 255, np.uint8)))[0]
    assert (painted != image).any(-1).mean() > 0.9


def test_feather_fades_in_inside_the_mask_only() -> None:
    mask = hole(64, 64)
    weight = fade(mask, 6)
    assert (weight[mask == 0] == 0).all()
    row = weight[24, 21:60]
    assert 0 < row[0] < row[2] < row[5] < 1
    assert row[10] == 1
    assert np.array_equal(fade(mask, 0) > 0, mask > 0)


def test_padding_works_on_the_spot_at_the_models_own_resolution() -> None:
    mask = np.zeros((400, 600), np.uint8)
    mask[100:120, 200:230] = 255
    canvas = around(mask, 10, native=256)
    assert canvas.box == (90, 190, 130, 240)
    assert max(canvas.work) == 256
    picture = photo(256, 208)
    assert canvas.back(picture).shape == (40, 50, 3)


def test_previews_show_the_whole_image(studio: Studio) -> None:
    image, mask = photo(96, 64), hole(64, 96)
    told = Recorder()
    studio.run(replace(asked(studio, image, mask), padding=4), told)
    shown = told.previews[-1][1]
    assert shown.shape == image.shape
    assert np.array_equal(shown[mask == 0], image[mask == 0])


def test_the_same_inpainting_twice_is_bit_equal(studio: Studio) -> None:
    request = asked(studio, photo(), hole(64, 64))
    assert np.array_equal(studio.paint(request)[0], studio.paint(request)[0])
