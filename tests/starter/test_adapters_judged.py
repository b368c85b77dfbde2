"""What is said of the starter's own LoRA and IP-Adapter falls when they do nothing."""

from __future__ import annotations

import numpy as np

from underpaint_starter.judging.eval_adapters import told_apart, towards


def _rows(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 12))


def test_a_style_that_shows_is_told_apart() -> None:
    plain = _rows(40, 1)
    assert told_apart(plain, plain + 3.0) == 1.0


def test_a_style_that_does_nothing_is_guessed() -> None:
    assert 0.3 < told_apart(_rows(200, 1), _rows(200, 2)) < 0.7


def test_a_difference_of_each_scene_s_own_is_no_style() -> None:
    """What tells one half apart has to tell the other half apart too."""
    plain = _rows(40, 1)
    halves = np.where(np.arange(40) % 2 == 0, 3.0, -3.0)[:, None]
    assert told_apart(plain, plain + halves) < 0.6


def test_nearer_is_nearer() -> None:
    before, goal = np.zeros((2, 3)), np.ones((2, 3))
    after = np.array([[0.5, 0.5, 0.5], [-0.5, 0.0, 0.0]])
    assert towards(before, after, goal).tolist() == [True, False]
