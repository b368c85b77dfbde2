"""Two programs on one daemon, as two Blenders are: each gets what it asked for, whatever the other
does. Real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from underpaint.wire.messages import JobState

from helpers.daemon.real_daemon import Daemon, wait_for

SAME = "steps=3 seconds=0.01"
SLOW = "steps=20 seconds=0.01"


def client(daemon: Daemon, prompt: str, first: int, count: int, *more: str) -> subprocess.Popen:
    words = [prompt, str(first), str(count), *more]
    return subprocess.Popen(
        [sys.executable, "-m", "helpers.daemon.one_client", *words],
        env=daemon.env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def handed_over(process: subprocess.Popen) -> None:
    assert process.stdout.readline() == "handed over\n"


def told(process: subprocess.Popen) -> dict[int, dict]:
    with process.stdout as lines:
        found = {line["seed"]: line for line in map(json.loads, lines)}
    assert process.wait(300) == 0
    return found


def own(seed: int) -> dict[str, int]:
    return {"image_0.bin": seed}


def test_each_gets_its_own_results_and_nothing_runs_twice(daemon: Daemon) -> None:
    """The same words and the same names of files: only the seeds differ."""
    here, there = client(daemon, SAME, 1, 6), client(daemon, SAME, 101, 6)
    handed_over(here), handed_over(there)
    found = [told(here), told(there)]
    for one, first in zip(found, (1, 101), strict=True):
        assert {seed: line["files"] for seed, line in one.items()} == {
            seed: own(seed) for seed in range(first, first + 6)
        }
    jobs = [line["job"] for one in found for line in one.values()]
    assert len(set(jobs)) == 12
    assert len(daemon.runs()) == 12


def test_a_cancel_of_one_leaves_the_others(daemon: Daemon) -> None:
    here = client(daemon, SLOW, 1, 4, "cancel")
    there = client(daemon, SLOW, 101, 4)
    mine, theirs = told_after(here), told_after(there)
    assert mine[1]["files"] == own(1)
    assert [mine[seed]["ended"] for seed in (2, 3, 4)] == ["cancelled"] * 3
    assert {seed: line["files"] for seed, line in theirs.items()} == {
        seed: own(seed) for seed in range(101, 105)
    }


def told_after(process: subprocess.Popen) -> dict[int, dict]:
    handed_over(process)
    return told(process)


def test_one_that_is_killed_loses_nothing_of_its_own_or_the_others(daemon: Daemon) -> None:
    here, there = client(daemon, SLOW, 1, 3), client(daemon, SLOW, 101, 3)
    handed_over(here), handed_over(there)
    here.kill()
    here.wait(300)
    here.stdout.close()
    assert {seed: line["files"] for seed, line in told(there).items()} == {
        seed: own(seed) for seed in range(101, 104)
    }
    up = daemon.client()
    wait_for(lambda: all(job.state is JobState.DONE for job in up.jobs()), 120)
    left = [up.job(job.job).result(300)[0].data[0] for job in up.jobs()]
    assert sorted(left) == [1, 2, 3, 101, 102, 103]
    assert len(daemon.runs()) == 6


def test_two_commands_paint_folders_whose_files_have_the_same_names(
    daemon: Daemon, tmp_path: Path
) -> None:
    square = "v 0 0 0\nv 1 0 0\nv 0 {} 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n"
    processes = []
    for high in (1, 2):
        folder = tmp_path / str(high)
        folder.mkdir()
        for name in ("chair", "table"):
            (folder / f"{name}.obj").write_text(square.format(high))
        words = [str(folder), "--prompt", SAME, "--out", str(folder / "out"), "--json"]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "underpaint_daemon", "texture", *words],
                env=daemon.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )
        )  # fmt: skip
    for process in processes:
        lines, _ = process.communicate(timeout=240)
        assert process.returncode == 0, lines
    for high in (1, 2):
        for name in ("chair", "table"):
            written = (tmp_path / str(high) / "out" / name / f"{name}.obj").read_text()
            assert f"v 0 {high} 0" in written
