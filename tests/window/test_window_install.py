"""The Install button in a Blender with its window, whose Python has no pip of its own: from the zip
alone over the package index, on a line that is cut, and from a wheelhouse, each to a picture and a
texture. Gigabytes and many minutes: `underpaint-dev install-test window` asks for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from environments import find_python
from window_blender import WindowUnavailable, make, run, user_cache

from helpers.blender.running import end_daemon
from helpers.built_once import extension as extension
from helpers.cut_line import line

pytestmark = [pytest.mark.install, pytest.mark.slow, pytest.mark.blender, pytest.mark.timeout(7200)]
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("window_install.py")
PYTHON = (3, 13)
"""Of the window Blender."""


@pytest.fixture(scope="module")
def window_blender() -> Path:
    try:
        return make(user_cache())
    except WindowUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def wheelhouse() -> Path:
    """Every package for that Blender's Python, by the command that users run; kept between runs
    where UNDERPAINT_WHEELHOUSES says so."""
    python = find_python(PYTHON)
    if python is None:
        pytest.skip("a wheelhouse for Python 3.13 is made by a Python 3.13")
    folder = Path(os.environ.get("UNDERPAINT_WHEELHOUSES") or user_cache()) / "wheelhouse-3.13"
    for old in folder.glob("underpaint*.whl"):
        old.unlink()
    command = [str(python), str(ROOT / "installers" / "build_wheelhouse.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def install(blender: Path, extension: Path, folder: Path, **more: str) -> dict:
    """Zip, Install, picture, texture by a user who has no daemon anywhere; what is reported."""
    out = folder / "pictures"
    out.mkdir()
    env = {
        **pip_settings(folder),
        "BLENDER_USER_RESOURCES": str(folder / "user"),
        "UNDERPAINT_DATA": str(folder / "data"),
        "UNDERPAINT_CACHE": str(folder / "cache"),
        **more,
    }
    kept = os.environ.get("UNDERPAINT_PICTURES")
    env |= {"UNDERPAINT_PICTURES": kept} if kept else {}
    binds = [folder, extension.parent, ROOT]
    binds += [Path(more["UNDERPAINT_WHEELHOUSE"])] if "UNDERPAINT_WHEELHOUSE" in more else []
    began = time.monotonic()
    try:
        done = run(blender, SCRIPT, [str(out), str(extension)], binds=binds, env=env, timeout=7000)
    finally:
        end_daemon(env)
    assert (out / "report.json").exists(), done.stdout[-3000:] + done.stderr[-3000:]
    report = json.loads((out / "report.json").read_text())
    report["whole_s"] = round(time.monotonic() - began)
    report["environment_mb"] = size(folder / "data" / "environments") // 10**6
    print(json.dumps(report, indent=1), flush=True)
    if kept:
        shutil.copytree(out, kept, dirs_exist_ok=True)
    assert not report["failure"], report["failure"]
    assert not list((folder / "cache").glob("daemon-wheels")), "what was fetched is gone again"
    shutil.rmtree(folder / "data")  # gigabytes
    return report


def pip_settings(folder: Path) -> dict[str, str]:
    """This machine's way to the package index, for one who sees none of its other folders."""
    kept = ("PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "PIP_TRUSTED_HOST")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    if certificates := os.environ.get("PIP_CERT"):
        env["PIP_CERT"] = env["SSL_CERT_FILE"] = shutil.copy(certificates, folder)
    return env


def size(folder: Path) -> int:
    """The bytes of the files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def test_over_the_package_index(window_blender, extension, tmp_path):
    install(window_blender, extension, tmp_path)


def test_with_the_line_cut_three_times(window_blender, extension, tmp_path):
    cut = tmp_path / "cut"
    with line(cut) as told:
        proxy = f"http://127.0.0.1:{told.port}"
        env = {"HTTPS_PROXY": proxy, "NO_PROXY": "127.0.0.1,localhost", "UNDERPAINT_CUT": str(cut)}
        report = install(window_blender, extension, tmp_path, **env)
        print(f"{told.received / 1e6:.0f} MB came through the line", flush=True)
    assert sum("kept" in text for text in report["told"]) >= 3


def test_from_a_wheelhouse(window_blender, extension, wheelhouse, tmp_path):
    report = install(window_blender, extension, tmp_path, UNDERPAINT_WHEELHOUSE=str(wheelhouse))
    assert "told" not in report, "nothing was refused"
