"""The measuring commands print one JSON object of the agreed shape and say by their exit code
whether the bars hold. What the figures are is for a quiet machine to say."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from helpers.painting.tiny_model import build


def bench(*words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "underpaint_daemon", "bench", *words]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, env=env)
    return done.returncode, done.stdout


def report_of(code: int, out: str) -> dict:
    report = json.loads(out)
    assert list(report) == [
        "command",
        "version",
        "machine",
        "seed",
        "measures",
        "bars",
        "holds",
        "artifacts",
    ]
    assert code == (0 if report["holds"] else 3)
    assert report["holds"] == all(bar["holds"] for bar in report["bars"])
    return report


def test_transport_is_measured_against_a_floor_of_the_same_run():
    report = report_of(*bench("transport", "--json", "--side", "256", "--repeats", "3"))
    measures = report["measures"]
    assert min(measures["floor_ms"], measures["roundtrip_ms"]) > 0
    assert measures["cancel_under_bulk_ms"] > 0
    names = {bar["name"]: bar["limit"] for bar in report["bars"]}
    assert names == {"roundtrip_over_floor_ratio": 1.5, "cancel_under_bulk_ms": 50.0}


@pytest.mark.slow
def test_the_daemon_is_measured_against_the_bare_pipeline(tmp_path):
    build(tmp_path / "tiny")
    small = ["--side", "64", "--steps", "4", "--repeats", "1"]
    report = report_of(*bench("daemon", "--json", "--model", str(tmp_path / "tiny"), *small))
    assert report["measures"]["daemon_over_pipeline_ratio"] > 0
    assert report["measures"]["pings"] > 0
    names = {bar["name"]: bar["limit"] for bar in report["bars"]}
    assert names == {"ping_p99_ms": 20.0, "daemon_over_pipeline_ratio": 1.05}


@pytest.mark.slow
def test_a_folder_is_measured_against_its_jobs():
    small = ["--meshes", "2", "--views", "1", "--steps", "1", "--size", "64", "--view-size", "64"]
    report = report_of(*bench("folder", "--json", *small))
    measures = report["measures"]
    assert measures["meshes"] == 2
    assert 0 < measures["first_job_own_s"] < measures["jobs_own_s"] < measures["total_s"]
    assert measures["writing_s"] > 0
    assert {bar["name"]: bar["limit"] for bar in report["bars"]} == {"total_over_jobs_ratio": 1.4}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a full disk is played by prlimit")
def test_twenty_faults_lose_double_and_spoil_nothing():
    report = report_of(*bench("faults", "--json", "--faults", "20", "--seed", "5"))
    measures = report["measures"]
    assert measures["jobs_accepted"] >= measures["jobs_done"] > 0
    assert sum(n for name, n in measures.items() if name.endswith("_faults")) == 20
    assert {bar["name"] for bar in report["bars"]} >= {"accepted_jobs_lost", "ends_doubled"}
    assert report["holds"], report["bars"]


def test_a_model_that_is_not_there_is_bad_input(tmp_path):
    code, said = bench("daemon", "--json", "--model", str(tmp_path))
    assert (code, json.loads(said)["error"]["code"]) == (2, "model_missing")


def test_an_unknown_command_is_bad_input():
    assert bench("nothing") == (2, "")
