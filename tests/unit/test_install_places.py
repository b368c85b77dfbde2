"""What the Install button takes away, and what it leaves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

OUTSIDE = Path(__file__).resolve().parents[2] / "blender_addon" / "install" / "outside"


@pytest.fixture
def places(monkeypatch):
    monkeypatch.syspath_prepend(str(OUTSIDE))
    import places

    yield places
    for name in ("places", "telling"):
        sys.modules.pop(name, None)


def made(places, where) -> Path:
    environment = places.staged(where, "1.0", "cpu", fresh=True)
    python = places.python_of(environment)
    python.parent.mkdir(parents=True)
    python.touch()
    return environment


def test_an_interrupted_removal_is_finished_by_the_next(places, tmp_path, monkeypatch):
    where = places.Places(tmp_path / "data", tmp_path / "cache")
    environment = made(places, where)
    places.switch(where, environment)
    monkeypatch.setattr(places.shutil, "rmtree", lambda *_a, **_k: None)  # ended before it began
    assert places.remove(where) == [str(environment)]
    monkeypatch.undo()
    assert places.remove(where) == []
    assert not where.environments.exists()
    assert not where.chosen.exists()


def test_what_others_put_there_stays(places, tmp_path):
    where = places.Places(tmp_path / "data", tmp_path / "cache")
    first, second = made(places, where), made(places, where)
    (where.environments / "mine").mkdir()
    places.switch(where, second)
    assert not first.exists(), "the earlier one is gone once the new one counts"
    places.remove(where)
    assert [path.name for path in where.environments.iterdir()] == ["mine"]


def test_an_unfinished_environment_is_gone_on_with(places, tmp_path):
    where = places.Places(tmp_path / "data", tmp_path / "cache")
    environment = made(places, where)
    assert places.staged(where, "1.0", "cpu", fresh=False) == environment
    assert places.staged(where, "1.0", "cpu", fresh=True) != environment
    assert places.staged(where, "1.1", "cpu", fresh=False) != environment
