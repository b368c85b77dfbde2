"""Runs inside a Blender with its window: zip, Install, a picture, a texture. The machine has no
daemon; what paints is what the button installed. See `window_tools`.

UNDERPAINT_WHEELHOUSE: a folder with every package; empty asks the index. UNDERPAINT_CUT: the file
that cuts the line while it exists; the story cuts it at three random points.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from window_tools import (
    REPORT,
    addon,
    begin,
    inside,
    install,
    live,
    screenshot,
    show_sidebar,
    until_settled,
    viewport,
    wait,
    window,
)

COW = Path(__file__).resolve().parents[1] / "data" / "spot.obj"
DATA = Path(os.environ["UNDERPAINT_DATA"])
WHEELHOUSE = os.environ.get("UNDERPAINT_WHEELHOUSE", "")
CUT = Path(os.environ["UNDERPAINT_CUT"]) if "UNDERPAINT_CUT" in os.environ else None
SEED = int(os.environ.get("UNDERPAINT_SEED", "13"))
LONGEST_S = 3000.0
BEGUN = time.monotonic()


def story() -> Iterator[float]:
    install()
    note("zip")
    with bpy.context.temp_override(window=window()):
        addon("demo_scene").open_in(bpy.context)
    viewport().spaces.active.region_3d.view_perspective = "CAMERA"
    yield from show_sidebar()
    yield from wait(lambda: live().installed is not None)
    assert not live().installed
    screenshot("i1_offered")
    bpy.context.preferences.system.use_online_access = not WHEELHOUSE
    yield from installed()
    yield from wait(lambda: live().session.told)
    yield from painted()
    yield from textured()
    live().session.end_daemon()
    yield 2.0


def installed() -> Iterator[float]:
    """Press Install until it is there: after a cut, and where the one torch that is to be had is
    asked for by name."""
    hardware, cuts = "auto", cutting_points() if CUT else []
    while True:
        begun = yield from pressed(hardware, cuts[:1])
        if begun.ended == "ready":
            break
        told = str(begun.error)
        REPORT.setdefault("told", []).append(f"{begun.overall:.2f} {told} | {begun.error.hint}")
        assert not (DATA / "daemon.json").exists()
        if "PyTorch's own index" in told and hardware == "auto":
            yield from until_settled("i2_refused")
            hardware = "index"
        else:
            assert CUT is not None and CUT.exists(), told  # noqa: PT018
            assert "kept" in begun.error.hint, begun.error.hint
            yield from until_settled(f"i3_cut_{len(cuts)}")
            CUT.unlink()
            cuts.pop(0)
    assert not cuts, f"never reached: {cuts}"
    REPORT["hardware"] = hardware
    python = Path(json.loads((DATA / "daemon.json").read_text())["python"])
    assert python.is_relative_to(DATA / "environments")
    note("installed")


def cutting_points() -> list[tuple[float, float]]:
    """Three: seconds after the press (while packages are found), and parts of the whole."""
    chance = random.Random(SEED)
    parts = sorted(chance.uniform(0.13, 0.66) for _ in range(2))
    return [(chance.uniform(1.0, 15.0), 0.0), *((0.0, part) for part in parts)]


def pressed(hardware: str, cut: list[tuple[float, float]]) -> Iterator[float]:
    with inside():
        words = {"hardware": hardware, "wheelhouse": WHEELHOUSE}
        assert bpy.ops.underpaint.install(**words) == {"FINISHED"}
    began, begun, said = time.monotonic(), live().installing, ""
    while not begun.ended:
        seconds = time.monotonic() - began
        assert seconds < LONGEST_S, begun.text
        if cut and CUT is not None and seconds >= cut[0][0] and begun.overall >= cut[0][1]:
            CUT.touch()
        if begun.text.split(" (")[0] != said:
            said = begun.text.split(" (")[0]
            REPORT.setdefault("steps", []).append(f"{seconds:.0f} s {begun.overall:.2f} {said}")
        yield 0.1
    yield from wait(lambda: live().installing is None)
    return begun


def painted() -> Iterator[float]:
    scene = window().scene
    scene.underpaint.prompt = "a red clay head on sand"
    with inside():
        assert bpy.ops.underpaint.generate() == {"FINISHED"}
    yield from wait(lambda: live().last_image and not live().session.tasks, 600)
    assert live().error is None, live().error
    pixels = list(bpy.data.images[live().last_image].pixels)
    assert max(pixels[::4]) - min(pixels[::4]) > 0.2, "a picture, not a flat field"
    note("picture")
    yield from until_settled("i4_picture")


def textured() -> Iterator[float]:
    with bpy.context.temp_override(window=window()):
        bpy.data.batch_remove(bpy.data.objects)
        bpy.ops.wm.obj_import(filepath=str(COW))
    scene = window().scene
    scene.underpaint.mode = "TEXTURE"
    scene.underpaint_texture.prompt, scene.underpaint_texture.size = "red bricks", 512
    with inside():
        bpy.ops.view3d.view_selected()
        assert bpy.ops.underpaint.texture() == {"FINISHED"}
    yield from wait(lambda: live().session.tasks)
    yield from wait(lambda: not live().session.tasks, 1200)
    assert live().error is None, live().error
    (cow,) = (item for item in bpy.data.objects if item.type == "MESH")
    assert len(cow.active_material.underpaint.layers) == 1
    note("texture")
    yield from until_settled("i5_texture")


def note(what: str) -> None:
    REPORT.setdefault("seconds", {})[what] = round(time.monotonic() - BEGUN)


begin(story())
