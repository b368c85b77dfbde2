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
from underpaint_daemon.tools.bench import families
from underpaint_daemon.tools.bench.harness import own_daemon
from underpaint_daemon.tools.bench.pairs import Pairs, Ratio, by_turns
from underpaint_daemon.tools.bench.rounds import Found

from helpers.painting.tiny_model import build

PATIENCE_S = 280


def bench(*words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "underpaint_daemon", "bench", *words]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=env)
    return done.returncode, done.stdout


def report_of(code: int, out: str) -> dict:
    report = json.loads(out)
    assert [key for key in report if key != "notes"] == [
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


FEW = ["--only", "z_image", "--side", "64", "--steps", "2", "--repeats", "1", "--json"]


@pytest.mark.slow
def test_a_familys_picture_is_measured_beside_diffusers_own(capsys, monkeypatch):
    for name, value in families.ALONE.items():
        monkeypatch.setenv(name, value)  # and as it was, afterwards
    code = families.main([*FEW, "--rounds", "1", "--most-rounds", "1"])
    told = capsys.readouterr()
    report = report_of(code, told.out)
    one_process_of("z_image", report)
    assert {bar["limit"] for bar in report["bars"]} == {1.05}
    assert "round 1: measuring z_image" in told.err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a signal")
def test_a_bench_that_is_stopped_prints_what_it_knows():
    command = [sys.executable, "-m", "underpaint_daemon", "bench", "families", *FEW]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        for line in process.stderr:
            if line.startswith("round 2: "):
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, "cancelled"
    one_process_of("z_image", json.loads(out))


def one_process_of(name: str, report: dict) -> None:
    measures = report["measures"]
    told = measures[f"{name}_engine_cpu_ms"] / measures[f"{name}_pipeline_cpu_ms"]
    assert measures[f"{name}_engine_over_pipeline_ratio"] == pytest.approx(told)
    assert (measures[f"{name}_processes"], measures[f"{name}_steps"]) == (1, 2)
    assert report["notes"] == {name: "undecided: one process says nothing of the next"}


def test_a_ratio_is_known_by_the_processes_that_agree_on_it_not_by_the_pictures_of_one():
    assert decided([of(1.01), of(1.012), of(1.008)])
    assert decided([of(1.10), of(1.11), of(1.105)])
    assert not decided([of(1.02, pictures=1000)]), "another process may say otherwise"
    assert not decided([of(1.087, pictures=1000), of(1.16, pictures=1000), of(0.896)])
    assert not decided([of(0.97), of(1.02)]), "of two that differ it may be anything"
    assert decided([of(0.97), of(1.02)] * 3), "of six it may not"


def test_one_process_that_lies_ill_moves_a_ratio_little():
    ratio = Ratio.of([of(1.01), of(1.3), of(1.02)])
    assert ratio.value == pytest.approx(1.02)
    assert ratio.low < 1.01 < 1.3 < ratio.high, "and is seen in how sure it is"


def test_what_is_undecided_or_not_measured_is_told_by_name():
    processes = {"sure": [of(1.0), of(1.001), of(1.002)], "unsure": [of(1.0), of(1.1), of(1.03)]}
    found = Found(processes, dict.fromkeys(processes, 4), broken={"broken"})
    report = families.report(["sure", "unsure", "broken", "late"], found, seed=7)
    assert set(report.notes) == {"unsure", "broken", "late"}
    assert "by 3 processes" in report.notes["unsure"]
    assert {bar.name.split("_")[0]: bar.holds for bar in report.bars} == {
        "sure": True,
        "unsure": True,
        "broken": False,
        "late": False,
    }
    assert found.undecided(list(processes), 1.05) == ["unsure"]


def test_of_what_is_undecided_the_highest_ratio_is_measured_again_first():
    processes = {name: [of(at), of(at + 0.1)] for name, at in (("low", 0.9), ("high", 1.0))}
    found = Found(processes, dict.fromkeys(processes, 4))
    assert found.undecided(["low", "high"], 1.05) == ["high", "low"]


def test_what_comes_first_and_what_drifts_favours_neither_way():
    painted = list[str]()
    by_turns(lambda: painted.append("ours"), lambda: painted.append("theirs"), 2)
    assert painted == ["ours", "theirs", "theirs", "ours"] * 2


def decided(processes: list[Pairs]) -> bool:
    return Ratio.of(processes).decides(1.05)


def of(ratio: float, pictures: int = 5) -> Pairs:
    return [(ratio, 1.0)] * pictures


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
