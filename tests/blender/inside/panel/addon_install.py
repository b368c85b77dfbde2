"""Runs inside Blender: from the zip alone to a picture, with the Install button.

BLENDER_PYTHON addon_install.py -- RESULTS.json EXTENSION.zip WHEELHOUSE

The machine has no daemon: what is painted is painted by what the button installed.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

sys.path.extend(map(str, Path(__file__).parents[1].iterdir()))
import bpy
from addon_tools import MODULE, addon, draw, install, live, pump_until, refusal, stop_daemon

# isort: split
import addon_utils

WHEELHOUSE = Path(sys.argv[-1])
DATA = Path(os.environ["UNDERPAINT_DATA"])
# A copy in which one package is missing: an interrupted copy onto a memory stick.
BROKEN = DATA.parent / "broken-wheelhouse"


def environments() -> list[str]:
    return sorted(path.name for path in (DATA / "environments").glob("daemon-*"))


def without_a_daemon_the_panel_offers_to_install_it() -> None:
    addon("pump").tick()
    drawn = draw("UNDERPAINT_PT_main")
    assert "underpaint.install" in drawn.operators, drawn.operators
    assert not any("python" in text or "bootstrap" in text for text in drawn.texts), drawn.texts


def the_preferences_are_ours() -> None:
    preferences = bpy.context.preferences.addons[MODULE].preferences
    assert "wheelhouse" in preferences.bl_rna.properties


def nothing_is_fetched_while_online_access_is_off() -> None:
    assert not bpy.app.online_access
    told = refusal(bpy.ops.underpaint.install)
    assert "may not use the network" in told, told
    assert not environments()


def an_unreachable_index_is_told_with_its_fix() -> None:
    bpy.context.preferences.system.use_online_access = True
    os.environ |= {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        os.environ.pop(name, None)
    told = refusal(bpy.ops.underpaint.install)
    assert "cannot be reached" in told, told
    assert "wheelhouse" in live().error.hint
    assert not live().installed
    bpy.context.preferences.system.use_online_access = False


def a_wheelhouse_with_a_hole_names_the_package() -> None:
    shutil.copytree(WHEELHOUSE, BROKEN, copy_function=os.symlink)
    next(BROKEN.glob("safetensors-*")).unlink()
    told = refusal(lambda: bpy.ops.underpaint.install(wheelhouse=str(BROKEN)))
    assert "safetensors" in told, told
    assert not (DATA / "daemon.json").exists()


def it_can_be_cancelled_and_goes_on_where_it_was() -> None:
    before = environments()
    words = {"wheelhouse": str(WHEELHOUSE), "wait": False}
    assert bpy.ops.underpaint.install(**words) == {"FINISHED"}
    begun = live().installing
    pump_until(lambda: begun.overall > 0.7 or begun.ended, 900)  # putting the packages in
    assert not begun.ended, begun.error
    assert any("Installing" in text for text in draw("UNDERPAINT_PT_main").texts)
    bpy.ops.underpaint.install_cancel()
    pump_until(lambda: begun.ended, 30)
    assert begun.ended == "cancelled", begun.error
    assert not (DATA / "daemon.json").exists()
    assert environments() == before, "it went on with what was there"


def it_is_switched_to_when_it_has_painted() -> None:
    assert bpy.ops.underpaint.install(wheelhouse=str(WHEELHOUSE)) == {"FINISHED"}
    python = Path(json.loads((DATA / "daemon.json").read_text())["python"])
    assert python.is_relative_to(DATA / "environments")
    assert live().installed
    assert len(environments()) == 1


def it_paints_the_scene() -> None:
    scene = addon("demo_scene").build()
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        scene.underpaint.prompt = "a red clay head on sand"
        scene.underpaint.width = scene.underpaint.height = 128
        assert bpy.ops.underpaint.generate(timeout=600) == {"FINISHED"}
    pixels = list(bpy.data.images[live().last_image].pixels)
    assert max(pixels[::4]) - min(pixels[::4]) > 0.2, "a picture, not a flat field"


def removing_takes_what_it_made_and_nothing_else() -> None:
    stop_daemon()
    kept = sorted(p.name for p in DATA.iterdir() if p.name not in ("environments", "daemon.json"))
    (DATA / "environments" / "mine").mkdir()
    assert bpy.ops.underpaint.uninstall() == {"FINISHED"}
    assert [path.name for path in (DATA / "environments").iterdir()] == ["mine"]
    assert not (DATA / "daemon.json").exists()
    assert set(kept) <= {p.name for p in DATA.iterdir()}
    assert not live().installed


BEHAVIOURS = (
    without_a_daemon_the_panel_offers_to_install_it,
    the_preferences_are_ours,
    nothing_is_fetched_while_online_access_is_off,
    an_unreachable_index_is_told_with_its_fix,
    a_wheelhouse_with_a_hole_names_the_package,
    it_can_be_cancelled_and_goes_on_where_it_was,
    it_is_switched_to_when_it_has_painted,
    it_paints_the_scene,
    removing_takes_what_it_made_and_nothing_else,
)


def tell_a_story(report: Path, extension: Path) -> None:
    """Each step stands on the one before: the first failure ends it."""
    from outcomes import outcome

    install(extension)
    results = {}
    for behaviour in BEHAVIOURS:
        results[behaviour.__name__] = outcome(behaviour, lambda: None)
        print(behaviour.__name__, results[behaviour.__name__] or "ok", flush=True)
        if results[behaviour.__name__]:
            break
    stop_daemon()
    report.write_text(json.dumps(results))
    addon_utils.disable(MODULE)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    words = sys.argv[sys.argv.index("--") + 1 :]
    tell_a_story(Path(words[0]), Path(words[1]))
