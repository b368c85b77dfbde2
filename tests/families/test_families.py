"""Every family on a miniature of its true architecture, through a real daemon and its worker.

`underpaint eval families` prints the same as a table.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from underpaint.client import Client, connect
from underpaint.paths import Paths
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.tools.bench.harness import own_daemon
from underpaint_daemon.tools.evals.families import measured
from underpaint_daemon.tools.evals.family_memory import kept_in_memory
from underpaint_daemon.tools.miniatures import MINIATURES

pytestmark = pytest.mark.slow
# They encode each view's picture at a million pixels, whatever its size: a minute of a processor.
# `eval families` paints their textures; here tests/texturing/test_pipeline_denoiser.py does.
LARGE_PICTURES = ("qwen_edit", "qwen_edit_plus")


# One of each kind of VAE and text encoder; `eval families` tries all.
KEPT = ("sd35", "flux2_klein", "qwen_image", "z_image", "sana")


@pytest.fixture(scope="module")
def daemon() -> Iterator[tuple[Client, Paths]]:
    with own_daemon() as paths, connect(paths, start=False, client="test") as client:
        yield client, paths


def test_every_family_has_a_miniature_to_be_tried_on() -> None:
    variants = {"flux1_schnell": "flux1", "modular_flux": "modular", "modular_sdxl": "modular"}
    assert {variants.get(name, name) for name in MINIATURES} == set(ABILITIES)


@pytest.mark.parametrize("name", MINIATURES)
def test_a_family_can_what_the_table_says_and_refuses_the_rest(
    daemon: tuple[Client, Paths], name: str
) -> None:
    client, paths = daemon
    MINIATURES[name](paths.models / name)
    found = measured(client, paths, name, ("texture",) if name in LARGE_PICTURES else ())
    if name in KEPT:
        found |= kept_in_memory(paths, name)
    assert [ability for ability, holds in found.items() if not holds] == []
