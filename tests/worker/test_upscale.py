"""Upscaling: tiles without seams, bounded by the tile; and outpainting, which keeps every pixel."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from underpaint.buffers import Buffers, Kind
from underpaint.cli.enlarge import outpaint_request, upscale_request
from underpaint.cli.main import build_parser
from underpaint.errors import ErrorCode, RequestError
from underpaint.pictures.outpaint import Sides, grown, outpaint, sides_for
from underpaint.requests import Control, ControlKind, InpaintRequest, Prompt, UpscaleRequest
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.common.job_contract import Phase
from underpaint_daemon.worker.pipelines.canvas import resize
from underpaint_daemon.worker.pipelines.upscale import boxes, fade_in

from helpers.painting.studio import Recorder, Studio, photo
from helpers.painting.tiny_model import build


def asked(studio: Studio, image: np.ndarray, **more: object) -> UpscaleRequest:
    ref = studio.buffers.add(Kind.COLOR, image)
    return UpscaleRequest(Prompt("a blue ball"), ref, "tiny", tile=64, overlap=24, **more)


def test_tiles_cover_any_picture_and_always_overlap() -> None:
    for height, width in ((64, 64), (65, 200), (10, 500), (129, 128)):
        count = np.zeros((height, width), int)
        for box in boxes((height, width), 64, 16):
            top, left, bottom, right = box
            count[top:bottom, left:right] += 1
            assert (bottom - top, right - left) == (min(64, height), min(64, width))
            ramp = fade_in(box, 16)
            assert ramp.max() == 1
            assert (top == 0) or ramp[0].max() < 0.01
        assert count.min() >= 1
    assert len(boxes((64, 112), 64, 16)) == 2
    assert len(boxes((64, 113), 64, 16)) == 3


@pytest.mark.parametrize("shape", [(50, 70, 3), (64, 41, 4)])
def test_an_upscaled_picture_has_its_size_its_alpha_and_new_paint(
    studio: Studio, shape: tuple[int, int, int]
) -> None:
    image = photo(shape[1], shape[0], shape[2])
    request = asked(studio, image, factor=2.5)
    painted = studio.paint(request)[0]
    size = (round(shape[0] * 2.5), round(shape[1] * 2.5))
    assert painted.shape == (*size, shape[2])
    plain = studio.paint(replace(request, strength=0.0))[0]
    assert np.array_equal(plain[..., :3], resize(image[..., :3], size)) or shape[2] == 4
    assert np.abs(painted[..., :3].astype(int) - plain[..., :3]).mean() > 1
    assert np.array_equal(painted, studio.paint(request)[0])


def test_nothing_tells_where_the_tiles_are(studio: Studio) -> None:
    """The steps across a tile's first column are as those beside it."""
    request = asked(studio, photo(100, 40), strength=0.6)
    painted = studio.paint(request)[0].astype(float)
    steps = np.abs(np.diff(painted, axis=1)).mean((0, 2))
    edges = [left for _, left, _, _ in boxes((80, 200), 64, 24) if left]
    edges += [right for *_, right in boxes((80, 200), 64, 24) if right < 200]
    at_edges = np.mean([steps[edge - 1] for edge in edges])
    assert at_edges < steps.mean() + 1.5 * steps.std()


def test_progress_counts_every_tile_and_enough_keeps_what_is_painted(studio: Studio) -> None:
    request = asked(studio, photo(100, 40), strength=0.5)
    told = Recorder()
    whole = studio.paint(request, told)[0]
    tiles = len(boxes((80, 200), 64, 24))
    totals = {total for phase, _, total in told.told if phase is Phase.DENOISING}
    assert len(totals) == 1
    assert told.steps == totals.pop()
    assert told.steps % tiles == 0
    assert told.previews
    assert told.previews[-1][1].shape == (80, 200, 3)
    early = Recorder(enough_at=told.steps // tiles)
    stopped = studio.paint(request, early)[0]
    enlarged = studio.paint(replace(request, strength=0.0))[0]
    assert np.array_equal(stopped[:, 64:], enlarged[:, 64:])
    assert not np.array_equal(stopped[:40, :40], enlarged[:40, :40])
    assert not np.array_equal(stopped, whole)


def test_the_models_own_tile_network_is_taken_where_it_has_one(
    studio: Studio, tmp_path: Path
) -> None:
    request = asked(studio, photo())
    assert settle(request, studio.models.paths).controls == ()
    folder = build(studio.models.paths.models / "tiled")
    (folder / "controlnet_normal").rename(folder / "controlnet_tile")
    request = replace(request, model="tiled")
    assert settle(request, studio.models.paths).controls == (Control(ControlKind.TILE),)
    followed = studio.paint(request)[0]
    assert not np.array_equal(followed, studio.paint(replace(request, controls=()))[0])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"factor": 5.0}, "factor"),
        ({"tile": 20}, "tile"),
        ({"strength": 2.0}, "strength"),
    ],
)
def test_wrong_values_are_named(studio: Studio, change: dict[str, float], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        studio.run(replace(asked(studio, photo()), **change))


def test_outpainting_keeps_every_pixel_and_paints_the_rest(studio: Studio) -> None:
    image = photo(50, 40)
    sides = Sides(left=14, bottom=24)
    request = outpaint(image, sides, studio.buffers, Prompt("a blue ball"), model="tiny")
    painted = studio.paint(request)[0]
    assert painted.shape == (64, 64, 3)
    assert np.array_equal(painted[:40, 14:], image)
    continued = grown(image, sides)[0]
    assert np.abs(painted[:, :6].astype(int) - continued[:, :6]).mean() > 5


def test_an_aspect_adds_as_much_on_both_sides() -> None:
    assert sides_for(100, 90, 16 / 9) == Sides(left=30, right=30)
    assert sides_for(160, 90, 1.0) == Sides(top=35, bottom=35)
    assert sides_for(101, 90, 1.2) == Sides(left=3, right=4)
    for aspect in (0.0, math.inf, math.nan, -2.0):
        with pytest.raises(RequestError, match="aspect"):
            sides_for(10, 10, aspect)
    with pytest.raises(RequestError, match="nothing is added") as nothing:
        grown(photo(), Sides())
    assert nothing.value.code is ErrorCode.BAD_REQUEST
    with pytest.raises(RequestError) as large:
        grown(photo(), Sides(left=9000))
    assert large.value.code is ErrorCode.TOO_LARGE


def test_the_command_line_means_the_same_requests(tmp_path: Path) -> None:
    from PIL import Image

    file, image = tmp_path / "a picture.png", photo(40, 30)
    Image.fromarray(image).save(file)
    words = ["upscale", str(file), "--prompt", "moss", "--factor", "3", "--tile", "128"]
    made, _ = upscale_request(build_parser().parse_args([*words, "--out", "o"]))
    buffers = Buffers()
    ref = buffers.add(Kind.COLOR, image)
    assert made == UpscaleRequest(Prompt("moss"), ref, factor=3.0, tile=128)
    words = ["outpaint", str(file), "--prompt", "moss", "--aspect", "2:1", "--out", "o"]
    grew, _ = outpaint_request(build_parser().parse_args(words))
    assert isinstance(grew, InpaintRequest)
    assert grew == outpaint(image, Sides(left=10, right=10), buffers, Prompt("moss"))
    with pytest.raises(RequestError, match="sides were given"):
        outpaint_request(build_parser().parse_args([*words, "--left", "3"]))
    with pytest.raises(RequestError, match="W:H"):
        outpaint_request(build_parser().parse_args([*words[:-3], "wide", "--out", "o"]))
