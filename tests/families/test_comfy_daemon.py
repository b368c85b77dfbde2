"""A real daemon paints with what lies in ComfyUI's folders: found by a scan, listed, and used; and
leaves the GPU to a render in between."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from underpaint.cli.doctor import model_line
from underpaint.client import Client, connect
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint_daemon.common.places import add_folder
from underpaint_daemon.tools.bench.harness import own_daemon

from helpers.comfy.home import write_home
from helpers.comfy.models import flux1
from helpers.daemon.real_daemon import wait_for
from helpers.painting.original_layout import save_gguf

pytestmark = pytest.mark.slow
_PATIENCE_S = 600


def test_a_daemon_paints_with_packed_and_plain_files_alike_and_again_after_a_render(
    tmp_path: Path,
) -> None:
    made = flux1(tmp_path / "cache")
    models = tmp_path / "ComfyUI" / "models"
    write_home(models, made, "flux1-dev")
    save_gguf(made.parts["transformer"], models / "unet" / "flux1-dev-Q8_0.gguf", "Q8_0")
    pictures = {}
    with own_daemon() as paths, connect(paths, start=False, client="test") as client:
        add_folder(paths, models)
        known = {one.name: one for one in client.models()}
        for name in ("flux1-dev.safetensors", "flux1-dev-Q8_0.gguf"):
            assert known[name].ready, known[name].note
            assert model_line(known[name], None).startswith("flux1, 0.0 GB")
            pictures[name] = _painted(client, name)
        assert known["flux1-dev-Q8_0.gguf"].size_mb < known["flux1-dev.safetensors"].size_mb
        client.queue.yield_gpu(60, "a render")
        wait_for(lambda: "the GPU is left to others" in _log(paths))
        client.queue.yield_gpu(0)
        again = _painted(client, name)
        assert _log(paths).count(f"model '{name}' is back on the GPU") == 1, "it is not read again"
    plain, packed = pictures.values()
    assert np.array_equal(again, packed)
    assert 0 < np.abs(plain - packed).mean() < 4


def _painted(client: Client, name: str) -> np.ndarray:
    request = ImageRequest(
        Prompt("a red cube"), name, 64, 64, controls=(), sampling=Sampling(steps=2)
    )
    files = client.submit(request).result(_PATIENCE_S)
    png = next(one.data for one in files if one.media == "image/png")
    return np.asarray(Image.open(io.BytesIO(png))).astype(int)


def _log(paths: Paths) -> str:
    return (paths.data / "logs" / "daemon.log").read_text()
