"""`gpu-check` through its true entry, on the CPU: every check runs, or says why it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from underpaint_daemon.__main__ import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
_COMMAND = (sys.executable, "-m", "underpaint_daemon", "gpu-check")


def test_every_check_runs_on_the_cpu_or_says_why_not(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    words = ("--device", "cpu", "--small", "--seconds", "3600", "--out", str(out), "--json")
    done = subprocess.run([*_COMMAND, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report == json.loads(out.read_text()) | {"machine": report["machine"]}
    assert report["command"] == "gpu-check"
    assert report["holds"]
    assert report["machine"]["device"] == "cpu"
    found = report["measures"]
    for name in ("operator_against_cpu_db", "texture_against_cpu_db", "flux2_klein_text"):
        assert name in found
    assert found["wide_blocks_against_full_db"] == 99
    assert found["live_pictures_per_second"] > 0
    # bfloat16 rounds: what it paints is near to float32's, and not the same.
    assert 25 < found["sampler_euler_against_cpu_db"] < 90
    assert set(report["notes"]) == {
        "lease_left_on_the_card_mib",
        "out_of_memory",
        "starter_visiting",
        "starter_blocks",
        "wide_blocks_peak_mib",
        "starter_offloaded",
        "compile",
    }
    assert all(note.startswith("not run: ") for note in report["notes"].values())


@pytest.fixture
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that the command sets for its process are this one's."""
    for name in ("HF_HUB_OFFLINE", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, os.environ.get(name, ""))


@pytest.mark.usefixtures("_as_before")
def test_when_the_time_is_up_the_rest_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    main(["gpu-check", "--device", "cpu", "--small", "--seconds", "0", "--json"])
    report = json.loads(capfd.readouterr().out)
    assert report["notes"]["families"] == "not run: the time was up"
    assert not report["bars"]


@pytest.mark.usefixtures("_as_before")
@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["gpu-check", "--json"]) == 2
    told = capfd.readouterr()
    assert "'cuda' is not there; the computer has cpu" in told.out + told.err
