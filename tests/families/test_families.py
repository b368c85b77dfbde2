"""Every family on a miniature of its true architecture, through a real daemon and its worker.

`underpaint eval families` prints the same as a table.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from underpaint.paths import Paths
from underpaint_daemon.tools.bench.harness import own_daemon
from underpaint_daemon.tools.evals.families import measured
from underpaint_daemon.tools.miniatures import MINIATURES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def paths() -> Iterator[Paths]:
    with own_daemon() as paths:
        yield paths


@pytest.mark.parametrize("name", MINIATURES)
def test_a_family_can_what_the_table_says_and_refuses_the_rest(paths: Paths, name: str) -> None:
    MINIATURES[name](paths.models / name)
    found = measured(paths, name)
    assert [ability for ability, holds in found.items() if not holds] == []
