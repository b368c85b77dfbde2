"""Reference pictures without an adapter: the UNet's own attention looks at them."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import (
    BY_ATTENTION,
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    Method,
    Prompt,
    Reference,
    RegionPrompt,
    Sampler,
    Sampling,
    View,
)
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.common.job_contract import JobCancelled
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.worker.pipelines.latents import encode_images

from helpers.meshes.sync_scene import torus, two_objects
from helpers.painting.echoing_model import build_echo
from helpers.painting.studio import Recorder, Studio, photo
from helpers.painting.texture_studio import Studio as TextureStudio
from helpers.painting.texture_studio import pixels
from helpers.painting.tiny_model import build, build_xl

SIDE = 64
COLOURS = {"red": (200, 40, 30), "green": (40, 170, 60), "blue": (40, 60, 200)}


@pytest.fixture(scope="module")
def echo(paths: Paths) -> str:
    return build_echo(paths.models / "echo").name


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Models without an IP-Adapter of their own."""
    root = tmp_path_factory.mktemp("bare")
    shutil.rmtree(build(root / "sd15") / "ip_adapter")
    return {"sd15": str(root / "sd15"), "sdxl": str(build_xl(root / "sdxl"))}


def bricks(colour: tuple[int, int, int], height: int = 48, width: int = 96) -> np.ndarray:
    """Courses of a colour with light joints."""
    picture = np.full((height, width, 3), colour, np.uint8)
    picture[::12] = 215
    for row in range(0, height, 12):
        picture[row : row + 12, (row // 12 % 2) * 12 :: 24] = 215
    return picture


def seen(studio: Studio, colour: str, **more: float) -> Reference:
    picture = studio.buffers.add(Kind.COLOR, bricks(COLOURS[colour]))
    return Reference(image=picture, model=BY_ATTENTION, **{"scale": 1.0, **more})


def over_a_ball(studio: Studio, view: View, echo: str, **sampling: float) -> ImageRequest:
    """The captured ball painted over, so that its outline is there to be kept."""
    return ImageRequest(
        Prompt("a ball"), echo, SIDE, SIDE, Sampling(seed=5, **sampling), controls=(),
        init=view.color, strength=0.6,
    )  # fmt: skip


def edges(picture: np.ndarray) -> np.ndarray:
    grey = picture.astype(float).mean(2)
    return np.hypot(*np.gradient(grey)).ravel()


def distance(studio: Studio, echo: str, picture: np.ndarray, colour: str) -> float:
    """How far a picture's mean is from a brick wall's, in the latents that the model paints in."""
    vae = studio.models.load(echo).vae
    means = []
    for one in (picture, bricks(COLOURS[colour], SIDE, SIDE)):
        tensor = np.moveaxis(one.astype(np.float32) / 255, 2, 0)[None]
        means.append(encode_images(vae, torch.from_numpy(tensor)).mean((2, 3)))
    return float((means[0] - means[1]).norm())


@pytest.mark.parametrize("colour", list(COLOURS))
def test_a_painting_takes_on_the_references_colours_by_its_weight_and_keeps_its_edges(
    studio: Studio, view: View, echo: str, colour: str
) -> None:
    asked = over_a_ball(studio, view, echo)
    plain = studio.paint(asked)[0]
    painted = [
        studio.paint(replace(asked, references=(seen(studio, colour, scale=scale),)))[0]
        for scale in (0.2, 0.6, 1.0)
    ]
    away = [distance(studio, echo, one, colour) for one in (plain, *painted)]
    assert away == sorted(away, reverse=True)
    assert away[-1] < 0.85 * away[0]
    others = [distance(studio, echo, painted[-1], other) for other in COLOURS if other != colour]
    nothing = [distance(studio, echo, plain, other) for other in COLOURS if other != colour]
    assert away[0] - away[-1] > max(a - b for a, b in zip(nothing, others, strict=True))
    for one in painted:
        assert np.corrcoef(edges(plain), edges(one))[0, 1] > 0.9


def test_fidelity_keeps_the_unprompted_half_without_it_and_so_keeps_closer_to_it(
    studio: Studio, view: View, echo: str
) -> None:
    asked = over_a_ball(studio, view, echo, guidance=2.5)
    away = [
        distance(studio, echo, studio.paint(replace(asked, references=references))[0], "red")
        for references in ((), *((seen(studio, "red", fidelity=f),) for f in (0.0, 0.5, 1.0)))
    ]
    assert away == sorted(away, reverse=True)


def test_a_model_that_repaints_masks_sees_a_reference_as_a_picture_without_a_hole(
    studio: Studio, view: View, paths: Paths
) -> None:
    name = build_echo(paths.models / "echo-inpainting", inpaints=True).name
    hole = np.zeros((SIDE, SIDE), np.uint8)
    hole[16:48, 16:48] = 255
    assert view.color is not None
    asked = InpaintRequest(
        Prompt("a ball"), view.color, studio.buffers.add(Kind.MASK, hole), name, Sampling(seed=5),
        controls=(),
    )  # fmt: skip
    plain = studio.paint(asked)[0][16:48, 16:48]
    for colour in COLOURS:
        painted = studio.paint(replace(asked, references=(seen(studio, colour),)))[0][16:48, 16:48]
        away = [distance(studio, name, one, colour) for one in (plain, painted)]
        assert away[1] < away[0] - 0.15  # 0.02 where it is seen as a hole


def test_it_acts_in_its_part_of_the_steps_alone_and_two_act_together(
    studio: Studio, view: View, echo: str
) -> None:
    asked = over_a_ball(studio, view, echo)

    def away(*references: Reference) -> float:
        painted = studio.paint(replace(asked, references=references))[0]
        return distance(studio, echo, painted, "red")

    none, always = away(), away(seen(studio, "red"))
    early, late = away(seen(studio, "red", end=0.5)), away(seen(studio, "red", start=0.5))
    assert always < min(early, late)
    assert max(early, late) < none
    red, blue = seen(studio, "red"), seen(studio, "blue")
    both = studio.paint(replace(asked, references=(red, blue)))[0]
    assert always < distance(studio, echo, both, "red") < none


def test_without_weight_it_paints_the_same_bits_and_a_seed_the_same_in_any_batch(
    studio: Studio, view: View, echo: str
) -> None:
    asked = over_a_ball(studio, view, echo)
    plain = studio.paint(asked)[0]
    nothing = replace(asked, references=(seen(studio, "red", scale=0.0),))
    assert np.array_equal(studio.paint(nothing)[0], plain)
    red = replace(asked, references=(seen(studio, "red"),))
    first, second = studio.paint(replace(red, batch=2))
    later = replace(red, sampling=replace(red.sampling, seed=6))
    assert np.array_equal(studio.paint(later)[0], second)
    assert np.array_equal(studio.paint(red)[0], first)
    assert np.array_equal(studio.paint(asked)[0], plain)


def test_a_texture_takes_on_its_colours_from_all_sides(studio: Studio, echo: str) -> None:
    mesh = mesh_ref(two_objects(torus(16, 8)), studio.buffers)
    desk = TextureStudio(studio.models, mesh, studio.buffers)
    told = {
        "model": echo, "controls": (), "view_count": 2,
        "sampling": Sampling(Sampler.DDIM, 3, 1.0, 1),
    }  # fmt: skip

    def painted(method: Method, *references: Reference) -> np.ndarray:
        return pixels(desk.run(**told, method=method, references=references)["texture.png"])

    def mean(texture: np.ndarray) -> np.ndarray:
        return texture[texture[..., 3] > 0][:, :3].astype(float).mean(0)

    red, blue = seen(studio, "red"), seen(studio, "blue")
    for method in (Method.SYNC, Method.GRID_SYNC, Method.SEQUENTIAL):
        plain = painted(method)
        tried = {"red": red, "blue": blue} if method is Method.SYNC else {"red": red}
        for name, one in tried.items():
            texture = painted(method, one)
            before, after = (np.abs(mean(t) - COLOURS[name]).sum() for t in (plain, texture))
            assert after < 0.9 * before, (method, name)
        if method is Method.SYNC:
            assert np.array_equal(painted(method, replace(red, scale=0.0)), plain)
            assert np.array_equal(painted(method, blue), texture)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_it_goes_together_with_all_that_leads_a_painting_and_leaves_no_trace(
    studio: Studio, bare: dict[str, str], view: View, family: str
) -> None:
    """Chosen by itself where there is no adapter, and written into the recipe."""
    left = np.zeros((SIDE, SIDE), np.uint8)
    left[:, :32] = 255
    mask = studio.buffers.add(Kind.MASK, left)
    look = Reference(image=studio.buffers.add(Kind.COLOR, photo(90, 60, channels=4)), scale=0.8)
    other = replace(look, image=studio.buffers.add(Kind.COLOR, photo(60, 90)))
    asked = ImageRequest(
        Prompt("red stone"), bare[family], SIDE, SIDE, Sampling(steps=2, guidance=3.0), view=view,
        controls=(Control(ControlKind.DEPTH),),
        regions=(RegionPrompt(Prompt("blue ball"), mask),),
    )  # fmt: skip
    if family == "sd15":
        asked = replace(asked, loras=(Lora("style"),))
    inside = InpaintRequest(
        asked.prompt, studio.buffers.add(Kind.COLOR, photo()), mask, asked.model, asked.sampling,
        view=view, controls=asked.controls, regions=asked.regions, loras=asked.loras,
    )  # fmt: skip
    for request in (asked, inside):
        assert settle(replace(request, references=(look,)), studio.models.paths).references == (
            replace(look, model=BY_ATTENTION),
        )
        plain, shown, other_shown, again = (
            studio.paint(replace(request, references=references))[0]
            for references in ((), (look,), (other,), (look,))
        )
        assert np.array_equal(shown, again)
        assert len({one.tobytes() for one in (plain, shown, other_shown)}) == 3
        assert np.array_equal(studio.paint(request)[0], plain)


def test_a_picture_is_encoded_once_for_all_that_is_painted_after_it(
    studio: Studio, view: View, echo: str
) -> None:
    asked = replace(over_a_ball(studio, view, echo), init=None)
    vae, encoded = studio.models.load(echo).vae, list[int]()
    hook = vae.encoder.register_forward_hook(lambda *_: encoded.append(1))
    fresh = studio.buffers.add(Kind.COLOR, bricks((90, 90, 20)))
    for seed in (1, 2):
        request = replace(asked, sampling=Sampling(seed=seed))
        studio.run(replace(request, references=(Reference(image=fresh),)))
    hook.remove()
    assert len(encoded) == 1


def test_it_previews_and_is_cancelled_at_a_step(studio: Studio, view: View, echo: str) -> None:
    asked = replace(over_a_ball(studio, view, echo), references=(seen(studio, "red"),))
    told = Recorder()
    studio.run(asked, told)
    assert told.previews
    stopped = Recorder(cancel_at=2)
    with pytest.raises(JobCancelled):
        studio.run(asked, stopped)
    assert stopped.steps == 2
    assert studio.models.load(echo).unet.forward.__name__ == "forward"


def test_one_goes_through_an_adapter_where_there_is_one_and_the_others_are_looked_at(
    studio: Studio,
) -> None:
    picture = Reference(image=studio.buffers.add(Kind.COLOR, photo()))
    asked = ImageRequest(Prompt("a"), "tiny", SIDE, SIDE, references=(picture,) * 3)
    through = [one.model for one in settle(asked, studio.models.paths).references]
    assert through == [None, BY_ATTENTION, BY_ATTENTION]
    one = studio.paint(replace(asked, references=(picture,)))[0]
    assert not np.array_equal(studio.paint(asked)[0], one)


def test_a_model_that_sees_nothing_so_says_so(studio: Studio) -> None:
    """The starter: its one step begins from noise alone."""
    picture = Reference(image=studio.buffers.add(Kind.COLOR, photo()))
    for one in (picture, replace(picture, model=BY_ATTENTION)):
        asked = ImageRequest(Prompt("a"), width=SIDE, height=SIDE, references=(one,))
        with pytest.raises(RequestError, match="no IP-Adapter") as caught:
            studio.run(asked)
        assert caught.value.code is ErrorCode.CONTROL_MISSING
        assert "sees nothing" in caught.value.hint
