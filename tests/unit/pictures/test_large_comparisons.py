"""A comparison of pictures that fails says where at once, and does not look for the least diff."""

from __future__ import annotations

import numpy as np
import pytest


def noise(seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(300_000)


def test_files_that_differ_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")  # there pytest tells all
    one, other = ({"a.png": noise(1), "b.png": noise(seed)} for seed in (2, 3))
    with pytest.raises(AssertionError) as failed:
        assert one == {**other, "c.png": b""}
    told = str(failed.value)
    assert "it['b.png']: 300000 bytes" in told
    assert "it['c.png'] is on the right only" in told
    assert "a.png" not in told
    assert len(told) < 1000


def test_long_lists_and_bytes_say_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    with pytest.raises(AssertionError, match="list of 90000 and list of 90000 differ first at 5"):
        assert [*range(90000)] == [*range(5), 7, *range(6, 90000)]
    with pytest.raises(AssertionError, match=r"100000 bytes .* and 90000 bytes .* at 90000"):
        assert bytes(100_000) == bytes(90_000)


def test_small_things_are_explained_as_ever() -> None:
    with pytest.raises(AssertionError, match="At index 1 diff: 2 != 3"):
        assert [1, 2] == [1, 3]
