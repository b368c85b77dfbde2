"""Masks and cut-outs mean what they look like, wherever they are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from underpaint import Buffers, Kind, RequestError, to_json
from underpaint.cli.generate import build_request
from underpaint.cli.main import build_parser
from underpaint.files.imagefile import read_color, read_mask, read_texels

from helpers.pictures import COLOURS, GREYS, saved


def cut_outs(folder: Path) -> tuple[Path, Path]:
    """Two that look alike; what alpha hides is black in one and noise in the other."""
    alpha = np.zeros((64, 64), np.uint8)
    alpha[16:48, 16:48] = 255
    alpha[16, 16:48] = 90
    one = np.zeros((64, 64, 4), np.uint8)
    other = np.random.default_rng(1).integers(0, 255, (64, 64, 4)).astype(np.uint8)
    for picture in (one, other):
        picture[alpha > 0, :3] = (200, 60, 20)
        picture[..., 3] = alpha
    return saved(folder, one, "one.png"), saved(folder, other, "other.png")


@pytest.mark.parametrize(
    "words",
    [("--init", "{}"), ("--reference", "{}"), ("--control", "canny={}"), ("--control", "depth={}")],
)
def test_cut_outs_that_look_alike_give_equal_requests(
    tmp_path: Path, words: tuple[str, str]
) -> None:
    texts = []
    for path in cut_outs(tmp_path):
        given = [word.format(path) for word in words]
        arguments = ["generate", "--prompt", "x", "--out", "o", *given]
        request, _buffers = build_request(build_parser().parse_args(arguments))
        texts.append(to_json(request))
    assert texts[0] == texts[1]


def test_an_opaque_alpha_is_no_alpha_and_a_soft_edge_stays(tmp_path: Path) -> None:
    opaque = saved(tmp_path, np.dstack([COLOURS, np.full_like(GREYS, 255)]))
    assert np.array_equal(read_color(opaque), COLOURS)
    assert read_color(cut_outs(tmp_path)[1])[16, 20].tolist() == [200, 60, 20, 90]


def test_a_texture_keeps_the_texels_that_alpha_hides(tmp_path: Path) -> None:
    stored = np.dstack([COLOURS, np.zeros_like(GREYS)])
    assert np.array_equal(read_texels(saved(tmp_path, stored)), stored)


SPOT = np.zeros((32, 32), np.uint8)
SPOT[8:20, 4:30] = 255
SPOT[8, 4:30] = 128


def planes(*channels: np.ndarray | int) -> np.ndarray:
    return np.dstack([np.broadcast_to(np.uint8(c), SPOT.shape) for c in channels])


@pytest.mark.parametrize(
    "drawn",
    [
        SPOT,
        planes(SPOT, SPOT, SPOT),
        planes(SPOT, 0, 0),
        planes(SPOT, SPOT, 0),
        planes(0, SPOT, 0),
        planes(255, 255, 255, SPOT),
        planes(0, 0, 0, SPOT),
        planes(200, 30, 30, SPOT),
        planes(SPOT, SPOT, SPOT, 255),
    ],
    ids=["grey", "rgb", "red", "yellow", "green", "alpha", "black ink", "red ink", "opaque"],
)
def test_a_mask_is_where_it_is_drawn(tmp_path: Path, drawn: np.ndarray) -> None:
    assert np.array_equal(read_mask(saved(tmp_path, drawn)), SPOT)


def test_black_and_white_on_a_clear_layer_are_both_read(tmp_path: Path) -> None:
    drawn = planes(SPOT, SPOT, SPOT, 255)
    drawn[24:, :, 3] = 0
    drawn[24:, :, :3] = 255  # hidden
    assert np.array_equal(read_mask(saved(tmp_path, drawn)), SPOT)


def test_a_mask_survives_jpeg(tmp_path: Path) -> None:
    path = saved(tmp_path, planes(SPOT, SPOT, SPOT), "m.jpg", quality=85)
    assert np.abs(read_mask(path).astype(int) - SPOT).mean() < 4


def test_a_picture_that_is_no_mask_is_refused_with_the_reason(tmp_path: Path) -> None:
    photo = saved(tmp_path, COLOURS)
    with pytest.raises(RequestError, match="several colours") as told:
        read_mask(photo)
    assert "white" in told.value.hint
    with pytest.raises(RequestError, match="brightest value is 1 of 255"):
        read_mask(saved(tmp_path, (SPOT > 0).astype(np.uint8)))
    with pytest.raises(RequestError, match="wholly transparent"):
        read_mask(saved(tmp_path, planes(255, 255, 255, 0)))


def test_what_is_read_fits_its_buffer(tmp_path: Path) -> None:
    buffers = Buffers()
    assert buffers.add(Kind.COLOR, read_color(cut_outs(tmp_path)[0])).shape == (64, 64, 4)
    assert buffers.add(Kind.MASK, read_mask(saved(tmp_path, SPOT))).shape == (32, 32)
