"""The measuring commands print one JSON object of the agreed shape and say by their exit code
whether the bars hold. What the figures are is for a quiet machine to say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from underpaint.errors import ConnectionLost
from underpaint.wire.connection import read_connection
from underpaint_daemon.tools.bench.harness import own_daemon
from underpaint_daemon.tools.bench.pairs import decided

from helpers.painting.tiny_model import build

PATIENCE_S = 280


def bench(*words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "underpaint_daemon", "bench", *words]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=env)
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
    for bar in report["bars"]:
        value, limit = bar["value"], bar["limit"]
        assert value == report["measures"][bar["name"]], "what is judged is what was measured"
        assert bar["holds"] == (value <= limit if bar["sense"] == "max" else value >= limit)
    return report


def test_transport_is_measured_against_a_floor_of_the_same_run():
    report = report_of(*bench("transport", "--json", "--side", "256", "--repeats", "3"))
    measures = report["measures"]
    told = measures["roundtrip_ms"] / measures["floor_ms"]
    assert measures["roundtrip_over_floor_ratio"] == pytest.approx(told)
    assert measures["cancel_under_bulk_ms"] > 0
    names = {bar["name"]: bar["limit"] for bar in report["bars"]}
    assert names == {"roundtrip_over_floor_ratio": 1.5, "cancel_under_bulk_ms": 50.0}


@pytest.mark.slow
def test_the_daemon_is_measured_against_the_bare_pipeline(tmp_path):
    build(tmp_path / "tiny")
    small = ["--side", "64", "--steps", "4", "--repeats", "1"]
    report = report_of(*bench("daemon", "--json", "--model", str(tmp_path / "tiny"), *small))
    measures = report["measures"]
    # Of one image, through the daemon and bare, in the same run.
    told = measures["daemon_wall_ms"] / measures["pipeline_wall_ms"]
    assert measures["daemon_over_pipeline_ratio"] == pytest.approx(told)
    assert 0 < measures["pipeline_wall_ms"] < PATIENCE_S * 1e3
    assert 1 <= measures["previews_per_image"] <= 4 + 1, "of four steps, and the picture itself"
    assert measures["pings"] >= 1
    assert measures["ping_median_ms"] <= measures["ping_p99_ms"] <= measures["ping_slowest_ms"]
    names = {bar["name"]: bar["limit"] for bar in report["bars"]}
    assert names == {"ping_p99_ms": 20.0, "daemon_over_pipeline_ratio": 1.05}


@pytest.mark.slow
def test_a_familys_picture_is_measured_beside_diffusers_own():
    few = ["--only", "z_image", "--side", "64", "--steps", "2", "--repeats", "1", "--seconds", "0"]
    report = report_of(*bench("families", "--json", *few))
    measures = report["measures"]
    told = measures["z_image_engine_cpu_ms"] / measures["z_image_pipeline_cpu_ms"]
    assert measures["z_image_engine_over_pipeline_ratio"] == pytest.approx(told)
    assert {bar["limit"] for bar in report["bars"]} == {1.05}


def test_a_ratio_is_measured_until_its_median_is_seen_on_one_side_of_the_bar():
    quiet, slow, swaying = [1.01, 1.02] * 4, [1.08, 1.09] * 4, [0.97, 1.12] * 4
    assert decided(of(quiet), 1.05)
    assert decided(of(slow), 1.05)
    assert not decided(of(swaying), 1.05)
    assert decided(of([*quiet, 1.3]), 1.05), "one outlier is left out"
    assert not decided(of([1.06, 1.0, 1.0]), 1.05), "of three none can be"


def of(ratios: list[float]) -> list[tuple[float, float]]:
    return [(ratio, 1.0) for ratio in ratios]


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


def test_a_daemon_of_a_measures_own_ends_with_it_and_leaves_its_caller_as_it_was():
    """Its process is gone, its folders too, and what ended the caller's process ends it as before:
    a daemon that was ended by an error of its user's as well as one in good order."""
    before = signal.getsignal(signal.SIGTERM)
    with own_daemon(["--runner", "underpaint_daemon.tools.bench.echo:build_runner"]) as paths:
        pid = read_connection(paths.connection_file).pid
        assert signal.getsignal(signal.SIGTERM) is not before, "a bench that is ended ends it"
    assert signal.getsignal(signal.SIGTERM) is before
    assert not paths.data.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ConnectionLost), own_daemon(["--no-such-option"]):
        pytest.fail("it cannot have started")
    assert signal.getsignal(signal.SIGTERM) is before
