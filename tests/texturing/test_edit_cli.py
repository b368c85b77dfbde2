"""`underpaint texture` on a mesh that is painted already, and after its worker was killed."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import underpaint
from underpaint.buffers import Buffers, Kind
from underpaint.errors import RequestError
from underpaint.paths import user_paths
from underpaint.requests import Prompt, Reference, TextureRequest
from underpaint.tree import part_to_plain, to_plain
from underpaint_daemon.tools.assets.cli import main
from underpaint_daemon.tools.assets.cli_options import parsed
from underpaint_daemon.tools.assets.folder import Asset
from underpaint_daemon.tools.assets.request import build_request
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.tools.meshes.files import open_mesh

from helpers.meshes.mesh_files import write_obj
from helpers.meshes.sync_scene import torus

torch.set_num_threads(1)
SMALL = ["--model", "tiny", "--views", "2", "--view-size", "64", "--size", "64"]


def rgba(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_texture_goes_on_after_its_worker_was_killed_and_can_be_repainted(home: Path) -> None:
    mesh, out = home / "ring.obj", home / "out"
    write_obj(torus(16, 8), mesh)
    plain = ["--export", "none"]
    command = [str(mesh), "--prompt", "red stone", *SMALL, "--steps", "16", *plain]
    with underpaint.connect() as up, ThreadPoolExecutor(1) as pool:
        painting = pool.submit(main, [*command, "--out", str(out / "killed")])
        folder = user_paths().cache / "unfinished"
        while not list(folder.glob("*.safetensors")):
            assert not painting.done()
            time.sleep(0.01)
        os.kill(up.status().worker_pid, signal.SIGKILL)
        assert painting.result() == 0
    assert list(folder.glob("*.safetensors")) == []
    assert main([*command, "--out", str(out / "whole")]) == 0
    before, whole = (rgba(out / name / "texture.png") for name in ("killed", "whole"))
    assert np.array_equal(before, whole)
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 20:50] = 255
    Image.fromarray(mask).save(home / "mask.png")
    again = [str(mesh), "--from", str(out / "whole"), "--mask", str(home / "mask.png")]
    assert main([*again, "--prompt", "blue ball", *plain, "--out", str(out / "edit")]) == 0
    after = rgba(out / "edit" / "texture.png")
    assert np.array_equal(after[mask == 0], before[mask == 0])
    assert (after[mask == 255] != before[mask == 255]).any()


@pytest.fixture
def earlier(tmp_path: Path) -> list[str]:
    """The words for a mesh and an earlier result as `underpaint texture` leaves it."""
    mesh = tmp_path / "ring.obj"
    write_obj(torus(8, 6), mesh)
    request = TextureRequest(
        Prompt("red stone"), mesh_ref(torus(8, 6), Buffers()), size=64, view_count=5
    )
    recipe = {"request": to_plain(request)}
    (tmp_path / "texture.json").write_text(json.dumps(recipe))
    colour = np.full((64, 64, 4), (200, 90, 30, 255), np.uint8)
    Image.fromarray(colour).save(tmp_path / "texture.png")
    return [str(mesh), "--from", str(tmp_path), "--out", str(tmp_path / "out"), "--seed", "4"]


def asked(words: list[str]) -> tuple[TextureRequest, Buffers]:
    """The request that the command line means."""
    args = parsed(words)
    asset = Asset(args.mesh, Prompt(args.prompt), args.out, args.seed)
    return build_request(open_mesh(args.mesh), asset, args)[1:]


def test_reference_pictures_of_the_earlier_run_stay_until_others_are_given(
    home: Path, earlier: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    image = home / "wood.png"
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(image)
    recipe = home / "texture.json"
    told = json.loads(recipe.read_text())
    shown = Buffers().add(Kind.COLOR, np.full((9, 9, 3), 7, np.uint8))
    told["request"]["references"] = [part_to_plain(Reference(image=shown, scale=0.4))]
    recipe.write_text(json.dumps(told))
    assert asked(earlier)[0].references == (Reference(image=shown, scale=0.4),)
    assert asked([*earlier, "--reference", "none"])[0].references == ()
    request, data = asked([*earlier, "--reference", f"style={image}:0.7"])
    assert request.references[0].scale == 0.7
    assert data[request.references[0].image.sha256].shape == (8, 8, 3)
    with pytest.raises(RequestError, match="are not kept any longer") as refused:
        main([*earlier, "--model", "tiny"])  # a daemon that never had them
    assert "--reference none" in refused.value.hint


def test_a_mask_is_the_opposite_of_a_lock(tmp_path: Path, earlier: list[str]) -> None:
    mask = tmp_path / "mask.png"
    Image.fromarray((np.arange(64 * 64) % 256).astype(np.uint8).reshape(64, 64)).save(mask)
    opened, data = asked([*earlier, "--mask", str(mask)])
    locked, other = asked([*earlier, "--lock", str(mask)])
    assert opened.prompt.text == "red stone"
    assert (opened.view_count, opened.sampling.seed) == (5, 4)
    assert np.array_equal(data[opened.lock.sha256], 255 - other[locked.lock.sha256])
    assert data[opened.base.sha256].shape == (64, 64, 4)
    Image.fromarray(np.zeros((32, 48), np.uint8)).save(mask)
    with pytest.raises(RequestError, match=r"mask\.png is 48×32; the texture is 64×64") as refused:
        asked([*earlier, "--mask", str(mask)])
    assert "on a copy of the texture" in refused.value.hint


def test_a_view_is_named_for_another_try_and_an_axis_for_symmetry(earlier: list[str]) -> None:
    request, _ = asked([*earlier, "--reroll", "2", "--mirror", "y", "--upscale", "2"])
    assert (request.reroll, request.upscale) == (2, 2)
    assert request.mirror.normal == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    "words",
    [["--prompt", "gold", "--mask", "{mesh}"], ["--from", "nowhere"]],
)
def test_what_cannot_be_edited_is_refused_with_the_fix(words: list[str], tmp_path: Path) -> None:
    mesh = tmp_path / "ring.obj"
    write_obj(torus(8, 6), mesh)
    chosen = [word.format(mesh=mesh) for word in words]
    with pytest.raises(RequestError) as refused:
        main([str(mesh), *chosen, "--out", str(tmp_path / "out")])
    assert refused.value.hint
