"""The Install button, from the zip alone: real Blender, a wheelhouse built from this checkout, and
an index on a line that breaks."""

from __future__ import annotations

import http.server
import json
import os
import random
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from underpaint.paths import user_paths

from helpers.blender.behaviour_lists import behaviours
from helpers.blender.running import end_daemon, run_once
from helpers.processes import held

pytestmark = [pytest.mark.install, pytest.mark.slow, pytest.mark.blender, pytest.mark.timeout(3600)]
ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = ROOT / "blender_addon" / "install" / "outside"
SCRIPT = Path(__file__).parent / "inside" / "panel" / "addon_install.py"


@pytest.fixture(scope="session")
def wheelhouse() -> Path:
    """Every package that Install needs, by the command that users run; kept between runs."""
    version = ".".join(map(str, sys.version_info[:2]))
    folder = user_paths().cache / f"wheelhouse-{version}"
    for old in folder.glob("underpaint*.whl"):
        old.unlink()
    command = [sys.executable, str(ROOT / "installers" / "build_wheelhouse.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and "No matching distribution" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def bare_environment(folder: Path) -> dict[str, str]:
    """A user who has no daemon anywhere."""
    hidden = ("UNDERPAINT_PYTHON", "PYTHONPATH")
    return {
        **{key: value for key, value in os.environ.items() if key not in hidden},
        "BLENDER_USER_RESOURCES": str(folder / "user"),
        "UNDERPAINT_DATA": str(folder / "data"),
        "UNDERPAINT_CACHE": str(folder / "cache"),
    }


# One series with the Python that this suite runs on: the wheelhouse is for it.
@pytest.mark.parametrize("blender", ["4.5"], indirect=True)
def test_from_the_zip_to_a_picture(blender, extension, wheelhouse, tmp_path):
    env = bare_environment(tmp_path)
    try:
        report = run_once(blender, SCRIPT, tmp_path, env, [str(extension), str(wheelhouse)])
    finally:
        end_daemon(env)
    assert report == dict.fromkeys(behaviours(SCRIPT), "")


class _Breaking(http.server.SimpleHTTPRequestHandler):
    """A simple index (PEP 503) over a wheelhouse, whose line breaks after `budget[0]` bytes."""

    def __init__(self, *words, budget: list[int], served: list[int], **more) -> None:
        self._budget, self._served = budget, served
        super().__init__(*words, **more)

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("/")
        if parts[0] != "simple":
            self._send(Path(self.translate_path(self.path)).read_bytes())
            return
        names = sorted(path.name for path in Path(self.directory).glob("*.whl"))
        found = [n for n in names if _normal(n.split("-")[0]) == _normal(parts[-1])]
        links = "".join(f'<a href="/{name}">{name}</a><br>' for name in found)
        self._send(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")

    def _send(self, data: bytes, media: str = "application/octet-stream") -> None:
        if self._budget[0] <= 0:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(data)))
        if media != "text/html":  # as the files of the real index
            self.send_header("Cache-Control", "max-age=365000000, immutable, public")
        self.end_headers()
        sent = data[: self._budget[0]]
        self._budget[0] -= len(data)
        self._served[0] += len(sent)
        self.wfile.write(sent)
        if len(sent) < len(data):
            self.close_connection = True

    def log_message(self, *_words) -> None:
        """Nothing."""


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def test_a_line_that_breaks_three_times_costs_little(wheelhouse, tmp_path):
    size = sum(path.stat().st_size for path in wheelhouse.glob("*.whl"))
    budget, served = [0], [0]
    handler = partial(_Breaking, directory=str(wheelhouse), budget=budget, served=served)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        chance = random.Random(13)
        for _ in range(3):
            budget[0] = int(size * chance.uniform(0.05, 0.3))
            told = install_over_network(tmp_path, server.server_port)
            assert told["ended"] == "failed", told
            assert "kept" in told["hint"], told
            assert not (tmp_path / "data" / "daemon.json").exists()
        budget[0] = 10 * size
        told = install_over_network(tmp_path, server.server_port)
    finally:
        server.shutdown()
    assert told["ended"] == "ready", told
    assert Path(told["python"]).exists()
    # What was under way when the line broke comes again: at most the three largest.
    largest = sorted(path.stat().st_size for path in wheelhouse.glob("*.whl"))[-3:]
    assert served[0] < size + sum(largest) + 2**22


def install_over_network(folder: Path, port: int) -> dict:
    """One press of Install; the last that it told."""
    env = bare_environment(folder)
    env |= {"PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple", "PIP_CONFIG_FILE": os.devnull}
    env["PIP_TRUSTED_HOST"] = "127.0.0.1"  # as over TLS: else pip keeps nothing of what it fetched
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        env.pop(name, None)
    command = [sys.executable, "-E", "-s", str(OUTSIDE), "install", "--version", "0.1.0"]
    command += ["--data", str(folder / "data"), "--cache", str(folder / "cache")]
    command += ["--constraints", str(ROOT / "installers" / "constraints.txt")]
    command += ["--own", str(folder), "--hardware", "cpu"]
    pipe = subprocess.PIPE
    with held(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    return json.loads(lines[-1])
