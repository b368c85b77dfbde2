"""The settings of a machine on the command line, and what a spoilt file of them is told as."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from underpaint.cli.guard import Exit
from underpaint.cli.main import main as front

from helpers.processes import run_module as run

CLIENT = "underpaint.cli.main"


def test_settings_come_from_option_variable_file_default(tmp_path: Path) -> None:
    env = {"UNDERPAINT_DATA": str(tmp_path)}
    assert run(CLIENT, "config", "set", "idle_exit_minutes", "7", **env).returncode == 0
    assert run(CLIENT, "config", "set", "gpu", 'a"b\\', **env).returncode == 0
    assert run(CLIENT, "config", "get", "idle_exit_minutes", **env).stdout.strip() == "7.0"
    listed = json.loads(
        run(CLIENT, "config", "list", "--json", **env, UNDERPAINT_RESULTS_MB="5").stdout
    )
    assert listed["results_mb"] == {**listed["results_mb"], "value": 5}
    assert listed["results_mb"]["from"] == "UNDERPAINT_RESULTS_MB"
    assert (listed["gpu"]["value"], listed["gpu"]["from"]) == ('a"b\\', "file")
    assert listed["results_days"]["from"] == "default"
    assert run(CLIENT, "config", "unset", "gpu", **env).returncode == 0
    assert "gpu" not in (tmp_path / "config.toml").read_text()
    wrong = run(CLIENT, "config", "set", "results_mb", "much", **env)
    assert wrong.returncode == Exit.BAD_INPUT
    assert "expected a number from 0" in wrong.stderr


def test_a_wrong_setting_in_the_file_is_mended_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path))
    file = tmp_path / "config.toml"
    file.write_text("gpu = 1\nresults_mb = 'much'\nmood = 3\n")
    assert front(["config", "list"]) == Exit.BAD_INPUT
    assert "config unset results_mb" in capsys.readouterr().err
    assert front(["config", "unset", "results_mb"]) == Exit.BAD_INPUT, "mood is wrong, too"
    file.write_text("gpu = 1\nresults_mb = 'much'\n")
    assert front(["config", "unset", "results_mb"]) == 0
    assert front(["config", "get", "gpu"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1"
    file.write_text("gpu = true\n")
    assert front(["config", "list"]) == Exit.BAD_INPUT
    assert "gpu is True; expected text" in capsys.readouterr().err
    file.write_text("mood = 3\n")
    assert front(["config", "unset", "mood"]) == 0
    assert front(["config", "list"]) == 0
    file.write_bytes(b"\xff\xfe\x00")
    assert front(["config", "list"]) == Exit.BAD_INPUT
    assert "it is no text" in capsys.readouterr().err


def test_a_spoilt_config_file_is_named_when_the_daemon_starts(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("idle_exit_minutes = 'soon'\n")
    began = time.monotonic()
    done = run(CLIENT, "daemon", "start", UNDERPAINT_DATA=str(tmp_path))
    assert time.monotonic() - began < 200
    assert done.returncode == Exit.FAILED
    assert "config.toml" in done.stderr
    assert "Traceback" not in done.stderr
