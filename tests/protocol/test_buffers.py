"""Buffers: addressed by content, refused with the reason."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, RequestError


def test_a_views_buffers_added_together_are_those_added_one_by_one():
    rng = np.random.default_rng(0)
    arrays = {
        Kind.DEPTH: rng.uniform(1, 2, (300, 200)).astype(np.float32),
        Kind.COLOR: rng.integers(0, 255, (300, 200, 4), np.uint8),
        # Not contiguous: addressed by its pixels all the same.
        Kind.NORMAL: rng.integers(0, 255, (300, 200, 4), np.uint8)[:, :, :3],
    }
    one_by_one, together = Buffers(), Buffers()
    refs = {kind: one_by_one.add(kind, array) for kind, array in arrays.items()}
    assert together.add_all(arrays) == refs
    assert set(together) == set(one_by_one)
    expected = hashlib.sha256(arrays[Kind.NORMAL].tobytes()).hexdigest()
    assert refs[Kind.NORMAL].sha256 == expected
    assert refs[Kind.DEPTH].nbytes == 300 * 200 * 4


@pytest.mark.parametrize(
    ("kind", "array", "word", "code"),
    [
        (Kind.DEPTH, np.ones((4, 4)), "float64", ErrorCode.BAD_BUFFER),
        (Kind.DEPTH, np.full((4, 4), np.nan, np.float32), "16 NaN", ErrorCode.BAD_BUFFER),
        (Kind.DEPTH, np.zeros((4, 4), np.float32), "zero or below", ErrorCode.BAD_BUFFER),
        (Kind.COLOR, np.zeros((4, 4, 2), np.uint8), "(4, 4, 2)", ErrorCode.BAD_BUFFER),
        (Kind.COLOR, np.zeros((0, 4, 3), np.uint8), "empty", ErrorCode.BAD_BUFFER),
        (Kind.MASK, np.zeros((1, 16385), np.uint8), "16385", ErrorCode.TOO_LARGE),
    ],
)
def test_an_array_that_does_not_fit_its_kind_is_refused_with_the_reason(kind, array, word, code):
    for add in (Buffers().add, lambda k, a: Buffers().add_all({k: a})):
        with pytest.raises(RequestError) as refused:
            add(kind, array)
        assert refused.value.code is code
        assert word in refused.value.message
