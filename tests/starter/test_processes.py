"""Work that is shared by processes: the same results in the same order, and an end at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from underpaint_starter.processes import each

from helpers.processes import held


def spread_of(seed: int) -> tuple[int, float]:
    # Not at the top: the processes of the other tests begin without it.
    import torch

    values = torch.randn(200, 200, generator=torch.Generator().manual_seed(seed))
    return seed, float((values @ values).std())


def failing(seed: int) -> int:
    if seed == 3:
        raise ValueError("of the third")
    return seed


@pytest.mark.parametrize("tasks", [[], [4], list(range(7))])
def test_any_number_of_processes_gives_the_same_and_tells_of_every_task(tasks: list[int]) -> None:
    alone, together = list[tuple[int, int]](), list[tuple[int, int]]()
    one = each(spread_of, tasks, 1, lambda *told: alone.append(told))
    assert one == each(spread_of, tasks, 2, lambda *told: together.append(told))
    assert alone == together == [(done + 1, len(tasks)) for done in range(len(tasks))]


@pytest.mark.parametrize("count", [1, 2])
def test_what_fails_in_a_process_fails_here(count: int) -> None:
    with pytest.raises(ValueError, match="of the third"):
        each(failing, range(5), count)


ENDLESS = """
import os, sys, time
from underpaint_starter.processes import each
def endless(number):
    print(os.getpid(), flush=True)
    time.sleep(600)
if __name__ == "__main__":
    try:
        each(endless, range(8), 2)
    except KeyboardInterrupt:
        sys.exit(7)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 7), ("SIGTERM", -15), ("SIGKILL", -9)])
def test_whatever_ends_the_command_ends_every_process_at_once(
    tmp_path: Path, sent: str, code: int
) -> None:
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    command = [sys.executable, str(script)]
    pipe = subprocess.PIPE
    with held(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)) as running:
        assert running.stdout is not None
        workers = [int(running.stdout.readline()) for _ in range(2)]
        running.send_signal(signal.Signals[sent])
        _, errors = running.communicate()  # until every process has let go of it
    assert running.returncode == code
    if sent == "SIGINT":
        assert errors == ""
    assert len(workers) == 2
