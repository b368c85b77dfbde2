"""`underpaint doctor` beside a running daemon. Its torch is a script that answers as one with a
single card does: importing the real one takes seconds, and finds no card here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from underpaint.cli.main import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses a shell script")
_PYTHON = """#!/bin/sh
case "$2" in
*"import torchvision"*) {torchvision} ;;
*"import torch,"*) {torch}
    echo 2.9.0
    case "${{CUDA_VISIBLE_DEVICES-0}}" in 0) echo "A Card|24000" ;; esac ;;
esac
"""


@pytest.fixture
def doctor(served, tmp_path: Path, monkeypatch, capsys):
    """Ask it, with what the torch does besides; the checks by their names."""

    def ask(torch: str = "", torchvision: str = "", **env: str) -> dict[str, dict]:
        python = tmp_path / "python"
        python.write_text(_PYTHON.format(torch=torch, torchvision=torchvision))
        python.chmod(0o755)
        here = {"UNDERPAINT_DATA": str(served.paths.data), "UNDERPAINT_PYTHON": str(python)}
        for name, value in {**here, **env}.items():
            monkeypatch.setenv(name, value)
        code = main(["doctor", "--json"])
        told = json.loads(capsys.readouterr().out)
        assert (code == 0) == told["ok"]
        return {check["name"]: check for check in told["checks"]}

    return ask


def test_a_sound_machine_is_told_with_its_card_and_how_models_fit(doctor) -> None:
    checks = doctor()
    assert checks["torch"]["found"] == "2.9.0, A Card, 23 GiB"
    assert checks["torchvision"]["found"] == "fits"
    assert checks["daemon"]["found"].startswith("version ")
    assert "whole on the GPU" in checks["model starter"]["found"]


@pytest.mark.parametrize(
    ("gpu", "ok", "found"),
    [
        ("0", True, "2.9.0, A Card, 23 GiB"),
        ("cpu", True, "2.9.0, on the CPU"),
        ("7", False, "2.9.0, but there is no GPU 7"),
    ],
)
def test_the_gpu_of_the_settings_is_the_one_that_is_looked_at(doctor, gpu, ok, found) -> None:
    check = doctor(UNDERPAINT_GPU=gpu)["torch"]
    assert (check["ok"], check["found"]) == (ok, found)
    assert ok or "underpaint config unset gpu" in check["fix"]


def test_a_torch_that_cannot_be_imported_is_told_by_its_last_line(doctor) -> None:
    check = doctor(torch="echo 'ImportError: libcudart.so' >&2; exit 1;")["torch"]
    assert (check["ok"], check["found"]) == (False, "ImportError: libcudart.so")
    assert "bootstrap.py install" in check["fix"]


@pytest.mark.parametrize(
    ("says", "ok", "found"),
    [
        ("RuntimeError: operator torchvision::nms", False, "does not fit torch"),
        ("ModuleNotFoundError: No module named torchvision", True, "absent, as it may be"),
    ],
)
def test_a_torchvision_of_another_build_is_told(doctor, says, ok, found) -> None:
    check = doctor(torchvision=f"echo '{says}' >&2; exit 1")["torchvision"]
    assert (check["ok"], check["found"]) == (ok, found)


def test_settings_that_cannot_be_read_do_not_stop_the_checks(doctor, served) -> None:
    file = served.paths.data / "config.toml"
    file.write_text("gpu = [")
    try:
        assert doctor()["torch"]["ok"]
    finally:
        file.unlink()
