"""Caches keep to the room that `caches_mb` gives them: what was used longest ago goes first."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from underpaint.requests import ImageRequest, Prompt
from underpaint_daemon.common.caches import (
    DIGESTS,
    JOURNALS,
    TOKENIZERS,
    remember,
    sweep_caches,
    used,
)

from helpers.daemon.real_daemon import Daemon, wait_for

MB = 1_000_000


def entry(cache: Path, room: str, name: str, hours_ago: float, nbytes: int = MB) -> Path:
    path = cache / room / name
    remember(path, bytes(nbytes))
    at = time.time() - hours_ago * 3600
    os.utime(path, (at, at))
    return path


def test_what_was_used_longest_ago_goes_until_the_rest_fits(tmp_path: Path) -> None:
    old, older, oldest = (entry(tmp_path, JOURNALS, f"{h}.safetensors", h) for h in (1, 2, 3))
    used(oldest)
    assert sweep_caches(tmp_path, 2 * MB) == 1
    assert (old.exists(), older.exists(), oldest.exists()) == (True, False, True)


def test_a_folder_goes_as_a_whole_and_others_folders_are_left_alone(tmp_path: Path) -> None:
    copy = entry(tmp_path, f"{TOKENIZERS}/a", "vocab.json", 5).parent
    os.utime(copy, (0, 0))
    wheel = entry(tmp_path, "daemon-wheels", "torch.whl", 9)
    assert sweep_caches(tmp_path, 0) == 1
    assert not copy.exists()
    assert wheel.exists()


def test_many_small_files_count_as_the_blocks_they_take(tmp_path: Path) -> None:
    for number in range(30):
        entry(tmp_path, DIGESTS, str(number), 1 + number, 64)
    assert sweep_caches(tmp_path, 10 * 4096) == 20
    assert sorted(int(p.name) for p in (tmp_path / DIGESTS).iterdir()) == list(range(10))


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    path = entry(tmp_path, JOURNALS, "now.safetensors", 0)
    assert sweep_caches(tmp_path, 0) == 0
    assert path.exists()


@pytest.mark.parametrize("given", ["--caches-mb", "UNDERPAINT_CACHES_MB"])
def test_the_daemon_keeps_to_the_setting(tmp_path: Path, given: str) -> None:
    daemon = Daemon(tmp_path)
    stale = entry(daemon.paths.cache, JOURNALS, "stale.safetensors", 48, 3 * MB)
    fresh = entry(daemon.paths.cache, JOURNALS, "fresh.safetensors", 24, 1 * MB)
    if given.startswith("--"):
        daemon.start(given, "2")
    else:
        daemon.env[given] = "2"
        daemon.start()
    daemon.client().submit(ImageRequest(Prompt("steps=1"))).result(300)
    wait_for(lambda: not stale.exists())
    assert fresh.exists()
    daemon.close()
