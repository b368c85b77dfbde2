"""Networks that wait in main memory: whatever a job calls has come to the card for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import SD3ControlNetModel, SD3Transformer2DModel, T2IAdapter
from diffusers.pipelines import StableDiffusion3ControlNetPipeline

from underpaint.buffers import Buffers
from underpaint.paths import Paths
from underpaint.requests import Control, ControlKind, ImageRequest, Prompt, Sampling
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.tools.miniatures import MINIATURES
from underpaint_daemon.worker.pipelines.image import run_image
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.pipelines.loading.controlnets import load_control
from underpaint_daemon.worker.pipelines.loading.networks import Device
from underpaint_daemon.worker.pipelines.memory import WAITING, Tier

from helpers.meshes.sync_scene import torus
from helpers.painting.studio import Recorder, ball_view
from helpers.painting.texture_studio import Studio
from helpers.painting.tiny_model import build

CPU = Device(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def z_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelCache]:
    root = tmp_path_factory.mktemp("guests")
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    MINIATURES["z_image"](paths.models / "z_image")
    cache = ModelCache(paths)
    yield cache
    cache.unload()


@contextmanager
def all_came(model: LoadedModel) -> Iterator[None]:
    """Holds of each layer that is called in the block: its weights are those that came for it, not
    those at home, which on a card could not work with what is there. Not of VAEs, which move."""
    used: dict[int, Any] = {}

    def note(layer: torch.nn.Module, _inputs: Any) -> None:
        used.update((id(one), one) for one in layer.parameters(recurse=False))

    hook = torch.nn.modules.module.register_module_forward_pre_hook(note)
    try:
        yield
    finally:
        hook.remove()
    moved = [network for network in model.networks if hasattr(network, "decode")]
    copied = [network for network in model.networks if network not in moved]
    vae = {id(one) for network in moved for one in network.parameters()}
    home = {id(one) for network in copied for one in network.parameters()}
    assert used.keys() - vae, "something was called"
    assert not used.keys() & home


@pytest.mark.parametrize("tier", WAITING)
def test_z_images_controlnet_works_where_the_layers_wait_that_it_shares(
    z_image: ModelCache, tier: Tier
) -> None:
    buffers, model = Buffers(), z_image.load("z_image")
    asked = settle(
        ImageRequest(
            Prompt("a red cube"), "z_image", 64, 64, Sampling(steps=2),
            view=ball_view(buffers), controls=(Control(ControlKind.DEPTH),),
        ),
        z_image.paths,
    )  # fmt: skip

    def painted(tier: Tier) -> np.ndarray:
        return run_image(model, asked, buffers, tier, Recorder(credit=False))[0]

    model.controlnets.loaded.clear()
    first, again = painted(tier), painted(tier)
    expected = painted(Tier.TILED)
    assert np.array_equal(first, expected)
    assert np.array_equal(again, expected)
    assert not any(one.is_meta for net in model.networks for one in net.parameters())


def test_a_controlnet_that_reads_with_its_models_layer_has_it_from_the_start(
    tmp_path: Path,
) -> None:
    """As Stable Diffusion 3.5 Large's have it; pipelines make no other."""
    small = {"num_layers": 2, "attention_head_dim": 8, "num_attention_heads": 2, "sample_size": 16}
    small |= {"joint_attention_dim": 24, "caption_projection_dim": 16, "pos_embed_max_size": 16}
    small |= {"pooled_projection_dim": 24}
    network = SD3ControlNetModel(**small, use_pos_embed=False)
    network.save_pretrained(tmp_path)
    model = SD3Transformer2DModel(**small)
    loaded = load_control(tmp_path, model, CPU)
    own = loaded.pos_embed
    assert torch.equal(own.proj.weight, model.pos_embed.proj.weight)
    StableDiffusion3ControlNetPipeline(model, *[None] * 8, loaded)
    assert loaded.pos_embed is own


@pytest.mark.parametrize("tier", [Tier.VISITING, Tier.BLOCKS])
@pytest.mark.parametrize("by", ["ControlNet", "T2I-Adapter"])
def test_a_textures_networks_are_guests_from_its_first_job_on(
    by: str, tier: Tier, tmp_path: Path
) -> None:
    paths = Paths(runtime=tmp_path / "run", data=tmp_path, cache=tmp_path / "cache")
    build(paths.models / "tiny")
    control = Control(ControlKind.DEPTH)
    if by == "T2I-Adapter":
        T2IAdapter(
            channels=[16, 32], num_res_blocks=1, downscale_factor=8, adapter_type="full_adapter_xl"
        ).save_pretrained(tmp_path / "adapter")
        control = replace(control, model=str(tmp_path / "adapter"))
    buffers = Buffers()
    mesh = mesh_ref(torus(24, 12), buffers)
    plain = Studio(ModelCache(paths, CPU), mesh, buffers)
    expected = plain.run(controls=(control,))["texture.png"]
    plain.models.unload()
    waiting = Studio(ModelCache(paths, replace(CPU, first=tier)), mesh, buffers)
    for _ in range(2):
        with all_came(waiting.models.load("tiny")):
            assert waiting.run(controls=(control,))["texture.png"] == expected
    waiting.models.unload()
