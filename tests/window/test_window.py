"""The add-on in a Blender with its window: timers, undo, overlay, panel. See the pictures it
leaves in the folder that UNDERPAINT_PICTURES names."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from window_blender import WindowUnavailable, make, run, user_cache

from underpaint.paths import user_paths

from helpers.blender.running import PAINTER
from helpers.built_once import extension as extension
from helpers.daemon.real_daemon import wait_for
from helpers.processes import with_helpers

pytestmark = [pytest.mark.slow, pytest.mark.blender, pytest.mark.timeout(1200)]
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("window_behaviours.py")
TEXTURES = Path(__file__).with_name("window_textures.py")
PANELS = Path(__file__).with_name("window_panels.py")
FRAME = Path(__file__).with_name("window_frame.py")
NARROW = Path(__file__).with_name("window_narrow.py")


@pytest.fixture(scope="module")
def window_blender() -> Path:
    try:
        return make(user_cache())
    except WindowUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def daemon_env(tmp_path):
    """A daemon outside the window's chroot; both see the same folders at the same place."""
    folders = {"UNDERPAINT_DATA": tmp_path / "data", "UNDERPAINT_CACHE": tmp_path / "cache"}
    env = {key: str(path) for key, path in folders.items()}
    command = [sys.executable, "-m", "underpaint_daemon", "serve"]
    command += ["--runner", PAINTER]
    process = subprocess.Popen(command, env=with_helpers({**os.environ, **env}))
    wait_for(user_paths(env).connection_file.exists, 60)
    yield env
    process.send_signal(signal.SIGTERM)
    process.wait(300)


def tell(
    window_blender: Path,
    script: Path,
    extension: Path,
    env: dict,
    tmp_path: Path,
    *,
    events: bool = False,
) -> dict:
    """Run a story in the window; what it reports. Its pictures are kept where that is asked.
    `events`: for one that presses keys and buttons."""
    out, kept = tmp_path / "pictures", os.environ.get("UNDERPAINT_PICTURES")
    out.mkdir()
    keep = {"UNDERPAINT_PICTURES": kept} if kept else {}
    done = run(
        window_blender,
        script,
        [str(out), str(extension)],
        binds=[tmp_path, extension.parent, ROOT],
        env={**env, **keep, "BLENDER_USER_RESOURCES": str(tmp_path / "user")},
        timeout=1100,
        events=events,
    )
    report_file = out / "report.json"
    assert report_file.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    if kept:
        shutil.copytree(out, kept, dirs_exist_ok=True)
    report = json.loads(report_file.read_text())
    assert not report["failure"], report["failure"] + done.stdout[-2000:]
    return report


def test_an_artist_paints_in_the_window(window_blender, extension, daemon_env, tmp_path):
    report = tell(window_blender, SCRIPT, extension, daemon_env, tmp_path)
    assert report["tick_median_ms"] < 5
    red, green, blue = report["middle_painting"]
    assert green / red == pytest.approx(0.72, abs=0.03), "the preview's gold, in its true colours"
    assert blue / red == pytest.approx(0.25, abs=0.05)
    red, _green, blue = report["middle_painted"]
    assert red < 1.5 * blue, "and it is gone when the painting is done"


def test_an_artist_textures_in_the_window(window_blender, extension, daemon_env, tmp_path):
    report = tell(window_blender, TEXTURES, extension, daemon_env, tmp_path)
    assert report["tick_median_ms"] < 5
    assert report["unseen_red"] > 0.005, "what no view will see is red before it is painted"
    assert report["growing_colours"] > 0.1, "the unfinished texture is seen on the object"
    assert report["growing_previews"] == 1, "from its first preview on"
    red, _green, blue = report["repainted"]
    assert blue > red, "the repainted spot shows its own colour, not the mask's red"
    assert report["painted_colours"] > 0.1, "and the finished one, in Solid shading"


def test_every_panel_is_shown_and_live_painting_leaves_the_window_free(
    window_blender, extension, daemon_env, tmp_path
):
    report = tell(window_blender, PANELS, extension, daemon_env, tmp_path)
    assert report["goes_on_after_render"], "the painting waited while Blender rendered"
    assert report["live_pictures"] > 2


def test_every_panel_fits_a_narrow_sidebar(window_blender, extension, daemon_env, tmp_path):
    report = tell(window_blender, NARROW, extension, daemon_env, tmp_path)
    assert 200 < report["sidebar_px"] <= 250


def test_a_pictures_frame_is_dragged_and_words_are_weighed_by_keys(
    window_blender, extension, daemon_env, tmp_path
):
    report = tell(window_blender, FRAME, extension, daemon_env, tmp_path, events=True)
    assert report["size"] == [320, 320]
    assert report["kept_difference"] < 1.5 / 255
