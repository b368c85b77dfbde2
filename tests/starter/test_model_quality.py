"""The shipped model: it loads anywhere, keeps the form it is given and the colour it is asked."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.tools.evals.edges import depth_edges, edge_recall
from underpaint_daemon.worker.pipelines.controls.conditioning import depth_control
from underpaint_starter.judging.evaluate import main as evaluate
from underpaint_starter.judging.judge import load_judge
from underpaint_starter.judging.materials import load_materials
from underpaint_starter.judging.scores import Judges, score
from underpaint_starter.judging.subjects import subject_of
from underpaint_starter.networks.export import SIZE_LIMIT_MB, folder_mb
from underpaint_starter.networks.painter import Painter
from underpaint_starter.scenes.dataset import SceneSample, render_scene

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter.load(starter_folder(), torch.device("cpu"), "depth")


def test_the_shipped_model_is_small_and_has_four_latent_channels(painter: Painter) -> None:
    assert folder_mb(starter_folder()) <= SIZE_LIMIT_MB
    assert painter.pipeline.unet.config.in_channels == 4
    assert painter.pipeline.vae.config.latent_channels == 4


def test_every_edge_that_is_drawn_is_recalled_and_none_on_a_blank() -> None:
    depth = np.full((64, 64), np.inf, np.float32)
    depth[16:48, 16:48] = 2.0
    edges = depth_edges(depth)
    picture = np.where(np.isfinite(depth), 220, 30).astype(np.uint8)[..., None].repeat(3, -1)
    assert edge_recall(picture, edges) == 1.0
    assert edge_recall(np.full_like(picture, 90), edges) == 0.0


def mean_colour(picture: np.ndarray, sample: SceneSample) -> np.ndarray:
    return np.asarray(picture[sample.object_id >= 2].mean(0))


@pytest.mark.slow
def test_the_colour_in_the_prompt_is_the_colour_of_the_object(painter: Painter) -> None:
    sample = render_scene(5, size=128)
    control = depth_control(sample.depth)
    red, green, blue = painter.paint(
        [f"a {word} plastic ball" for word in ("red", "green", "blue")],
        [{"depth": control}] * 3,
        seed=3,
    )
    means = [mean_colour(picture, sample) for picture in (red, green, blue)]
    assert [int(mean.argmax()) for mean in means] == [0, 1, 2]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_picture(painter: Painter) -> None:
    control = depth_control(render_scene(5, size=64).depth)
    one, other = (
        painter.paint(["a gold ball"], [{"depth": control}], 1, steps=2)[0] for _ in range(2)
    )
    assert np.array_equal(one, other)


def test_the_evaluation_refuses_a_mesh_it_cannot_read(tmp_path: Path) -> None:
    from underpaint.errors import UnderpaintError

    broken = tmp_path / "broken.obj"
    broken.write_text("f 1 2 banana\n")
    with pytest.raises(UnderpaintError, match=r"broken\.obj"):
        evaluate(["--count", "8", "--mesh", str(broken)])


def test_the_judges_read_real_renders_rightly_and_soft_ones_too() -> None:
    judges = Judges(load_judge(), load_materials())
    samples = [render_scene(2_000_000 + k, size=256, held_out=True) for k in range(8)]
    subjects = [subject_of(sample) for sample in samples]
    crisp = score(judges, [sample.rgb for sample in samples], subjects)
    soft = score(judges, [cv2.GaussianBlur(s.rgb, (0, 0), 1.2) for s in samples], subjects)
    for scores in (crisp, soft):
        # It has learnt on the materials before the guide; the bars of form are shares of this.
        assert np.mean(scores.silhouette) > 0.85
    upside_down = score(judges, [sample.rgb[::-1].copy() for sample in samples], subjects)
    assert np.mean(upside_down.silhouette) < 0.75, "it looks, and does not guess"
