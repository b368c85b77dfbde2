"""The command line: what is typed becomes a request; what is wrong is named with its fix."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from underpaint import (
    Buffers,
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Kind,
    Lora,
    Pattern,
    Pbr,
    Prompt,
    Refiner,
    RegionPrompt,
    RequestError,
    Sampler,
    Sampling,
    TileAxes,
    View,
    to_json,
)
from underpaint.cameras import Camera
from underpaint.cli.generate import build_request
from underpaint.cli.guard import Exit
from underpaint.cli.main import build_parser
from underpaint.cli.main import main as front
from underpaint.cli.material import build_request as material_request
from underpaint.errors import ErrorCode
from underpaint.files.viewfile import SceneObject, save_view

IDENTITY = tuple(np.eye(4).flatten().tolist())


def parsed(*words: str) -> tuple[object, Buffers]:
    arguments = ["generate", "--prompt", "a red cube", "--out", "out", *words]
    return build_request(build_parser().parse_args(arguments))


def a_picture(folder: Path, name: str = "photo.png") -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (32, 48, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(folder / name)
    return folder / name


def underpaint(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "UNDERPAINT_DATA": str(data)}
    command = [sys.executable, "-m", "underpaint.cli.main", *words]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_words_alone_give_the_same_request_as_python():
    request, buffers = parsed()
    assert to_json(request) == to_json(ImageRequest(Prompt("a red cube")))
    assert not buffers


def test_every_option_lands_in_the_request(tmp_path: Path):
    photo = a_picture(tmp_path)
    request, buffers = parsed(
        *("--negative", "blur", "--model", "m", "--size", "64x96", "--sampler", "euler_a"),
        *("--steps", "12", "--guidance", "4.5", "--seed", "7", "--batch", "2"),
        *("--control", "depth:0.8:0.1:0.9", "--control", f"canny={photo}:0.5"),
        *("--lora", "style.safetensors:0.7", "--init", str(photo), "--strength", "0.4"),
    )
    picture = buffers.add(Kind.COLOR, np.asarray(Image.open(photo)))
    assert request == ImageRequest(
        Prompt("a red cube", "blur"),
        model="m",
        width=64,
        height=96,
        sampling=Sampling(Sampler.EULER_A, 12, 4.5, 7),
        batch=2,
        controls=(
            Control(ControlKind.DEPTH, 0.8, 0.1, 0.9),
            Control(ControlKind.CANNY, 0.5, image=picture),
        ),
        loras=(Lora("style.safetensors", 0.7),),
        init=picture,
        strength=0.4,
    )


def test_the_scale_of_bricks_lands_in_the_request():
    request, _ = parsed("--pattern-size", "0.25", "--pattern-seed", "3", "--own-uv")
    assert request.pattern == Pattern(0.25, 3, own_uv=True)
    request, _ = parsed("--pattern-ground")
    assert request.pattern == Pattern(ground=True)
    words = ["material", "--prompt", "brick", "--out", "out", "--pattern-size", "0.125"]
    material, _ = material_request(build_parser().parse_args(words))
    assert material.pattern == Pattern(0.125)


def test_a_second_model_and_the_weight_of_the_picture_land_in_the_request(tmp_path: Path):
    request, _ = parsed("--refiner", "refiner:0.3", "--image-guidance", "2")
    assert request.refiner == Refiner("refiner", 0.3)
    handed = ("--refiner", "refiner", "--handoff")
    assert parsed(*handed)[0].refiner == Refiner("refiner", handoff=0.8)
    assert parsed(*handed, "0.7")[0].refiner == Refiner("refiner", handoff=0.7)
    assert request.sampling == Sampling(image_guidance=2.0)
    file = tmp_path / "my refiner.safetensors"
    file.touch()
    assert parsed("--refiner", str(file))[0].refiner == Refiner(str(file))


def test_curves_land_in_the_request():
    request, _ = parsed("--guidance-curve", "0-1,0.6-1,1-0.2", "--lora", "ink:0.8:curve=0-1,0.5-0")
    assert request.sampling.guidance_curve == ((0.0, 1.0), (0.6, 1.0), (1.0, 0.2))
    assert request.loras == (Lora("ink", 0.8, ((0.0, 1.0), (0.5, 0.0))),)
    assert parsed("--lora", "ink:curve=0-0.5")[0].loras == (Lora("ink", 1.0, ((0.0, 0.5),)),)
    with pytest.raises(RequestError, match="PART-FACTOR"):
        parsed("--guidance-curve", "0:1")


def test_parts_of_the_picture_have_words_of_their_own(tmp_path: Path):
    mask = tmp_path / "left=1.png"
    Image.fromarray(np.eye(32, 48, dtype=np.uint8) * 255).save(mask)
    request, buffers = parsed(
        *("--negative", "blur", "--region", f"{mask}=a (red:1.3) brick = good:0.5"),
        *("--region", f"{mask}=moss"),
        *("--region", f"{mask}=ice:0.5:lora=ink:0.8:curve=0-1,1-0:lora=clay"),
        *("--region", f"{mask}=:lora=ink"),
    )
    ref = buffers.add(Kind.MASK, np.asarray(Image.open(mask)))
    ink = Lora("ink", 0.8, ((0.0, 1.0), (1.0, 0.0)))
    assert request.regions == (
        RegionPrompt(Prompt("a (red:1.3) brick = good", "blur"), ref, weight=0.5),
        RegionPrompt(Prompt("moss", "blur"), ref),
        RegionPrompt(Prompt("ice", "blur"), ref, weight=0.5, loras=(ink, Lora("clay"))),
        RegionPrompt(Prompt("", "blur"), ref, loras=(Lora("ink"),)),
    )
    with pytest.raises(RequestError, match="FILE"):
        parsed("--region", f"{mask}=ice:lora=:0.5")


def test_a_lora_in_the_folder_is_found_from_the_daemons(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ink.safetensors").write_bytes(b"")
    found = Lora(str(tmp_path / "ink.safetensors"), 0.5)
    assert parsed("--lora", "ink.safetensors:0.5")[0].loras == (found,)
    assert parsed("--lora", "clay.safetensors")[0].loras == (Lora("clay.safetensors"),)


def test_parts_are_called_by_the_objects_of_the_view(tmp_path: Path):
    file, buffers = tmp_path / "view.npz", Buffers()
    camera = Camera(IDENTITY, IDENTITY, 48, 32, 0.1, 10.0)
    view = View(camera, object_id=buffers.add(Kind.OBJECT_ID, np.ones((32, 48), np.int32)))
    clay = (Lora("clay", 0.5),)
    objects = {
        1: SceneObject("Cube = 1"),
        3: SceneObject("Ball", "gold"),
        4: SceneObject("Vase", loras=clay),
    }
    save_view(file, view, buffers, objects)
    named = ("--view", str(file), "--region", "Cube = 1=moss", "--region", "2=ice:0.5")
    asked = (
        RegionPrompt(Prompt("moss"), object_id=1, name="Cube = 1"),
        RegionPrompt(Prompt("ice"), object_id=2, weight=0.5),
    )
    assert parsed(*named)[0].regions == asked
    gold = RegionPrompt(Prompt("gold"), object_id=3, name="Ball")
    vase = RegionPrompt(Prompt(), object_id=4, name="Vase", loras=clay)
    assert parsed(*named, "--object-prompts")[0].regions == (gold, vase, *asked)
    with pytest.raises(RequestError) as caught:
        parsed("--view", str(file), "--region", "Cuhe=moss")
    assert "Ball" in caught.value.hint


def test_a_mask_makes_it_an_inpainting(tmp_path: Path, capsys):
    photo, mask = a_picture(tmp_path), tmp_path / "mask.png"
    Image.fromarray(np.eye(32, 48, dtype=np.uint8) * 255).save(mask)
    request, _ = parsed("--init", str(photo), "--mask", str(mask))
    assert isinstance(request, InpaintRequest)
    assert request.strength == 1.0
    words = ["--init", str(photo), "--mask", str(mask), "--only-controls", "--out", str(tmp_path)]
    assert front(["generate", "--prompt", "x", *words]) == Exit.BAD_INPUT
    assert "--only-controls goes without --mask" in capsys.readouterr().err
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(mask)
    with pytest.raises(RequestError, match="--mask is 8×8, and --init is 48×32"):
        parsed("--init", str(photo), "--mask", str(mask))


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["--sampler", "eulr"], ErrorCode.UNKNOWN_SAMPLER, "eulr"),
        (["--size", "big"], ErrorCode.BAD_REQUEST, "--size is big"),
        (["--control", "dpth"], ErrorCode.BAD_REQUEST, "dpth"),
        (["--control", "depth:x"], ErrorCode.BAD_REQUEST, "depth:x"),
        (["--init", "nowhere.png"], ErrorCode.FILE, "nowhere.png"),
        (["--view", "nowhere.npz"], ErrorCode.FILE, "nowhere.npz"),
        (["--depth", "nowhere.npy"], ErrorCode.FILE, "nowhere.npy"),
        (["--region", "nowhere.png=moss"], ErrorCode.FILE, "nowhere.png"),
        (["--region", "moss"], ErrorCode.BAD_REQUEST, "MASK=PROMPT"),
        (["--mask", "m.png"], ErrorCode.BAD_REQUEST, "--mask needs --init"),
        (["--handoff", "0.8"], ErrorCode.BAD_REQUEST, "--handoff needs --refiner"),
    ],
)
def test_what_cannot_be_is_named(words: list[str], code: ErrorCode, named: str):
    with pytest.raises(RequestError) as caught:
        parsed(*words)
    assert caught.value.code is code
    assert named in caught.value.message
    assert caught.value.hint


def test_a_material_is_an_image_that_repeats():
    words = ["--prompt", "moss", "--size", "512", "--pbr-model", "marigold", "--out", "o"]
    request, buffers = material_request(build_parser().parse_args(["material", *words]))
    assert request == ImageRequest(
        Prompt("moss"), width=512, height=512, tile=TileAxes.XY, pbr=Pbr("marigold")
    )
    assert not buffers
    assert parsed("--tile", "x")[0] == ImageRequest(Prompt("a red cube"), tile=TileAxes.X)
    with pytest.raises(RequestError) as caught:
        parsed("--tile", "z")
    assert "x, y, xy" in caught.value.message


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path):
    fake = tmp_path / "fake.png"
    fake.write_bytes(b"not a picture")
    with pytest.raises(RequestError) as caught:
        parsed("--init", str(fake))
    assert caught.value.code is ErrorCode.FILE


def test_status_without_a_daemon_says_so_and_starts_none(tmp_path: Path):
    done = underpaint("daemon", "status", "--json", data=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"state": "absent", "data": str(tmp_path)}
    assert not (tmp_path / "run" / "connection.json").exists()


def test_an_error_gives_its_fix_on_stderr_and_json_on_stdout(tmp_path: Path):
    out = str(tmp_path / "out")
    words = ("generate", "--prompt", "x", "--sampler", "eulr", "--out", out, "--json")
    done = underpaint(*words, data=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "unknown_sampler"
    assert "fix:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    from underpaint.cli.guard import guarded

    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert guarded(lambda: (in_the_way / "out").mkdir() or 0, as_json=False) == 2
    assert str(in_the_way) in capsys.readouterr().err


def test_models_lists_them_unless_told_otherwise():
    from underpaint.cli.main import build_parser

    assert build_parser().parse_args(["models"]).what == "list"


def test_models_samplers_says_of_each_what_it_is_good_for(capsys):
    from underpaint.cli.main import main

    assert main(["models", "samplers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [sampler.value for sampler in Sampler]
    assert all(len(line.split()) > 3 for line in lines)
