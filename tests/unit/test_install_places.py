"""What the Install button takes away, what it leaves, and what it says that is missing."""

from __future__ import annotations

import signal
import subprocess
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


KILLED_AT = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import places
left = int(sys.argv[3])  # so many folders go before the end comes
def watch(event, _words):
    global left
    if event == "shutil.rmtree":
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
places.remove(places.Places(Path(sys.argv[2]) / "data", Path(sys.argv[2]) / "cache"))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("folders", [0, 1, 2])
def test_a_removal_that_was_killed_is_finished_by_the_next(places, tmp_path, folders):
    where = places.Places(tmp_path / "data", tmp_path / "cache")
    places.switch(where, made(places, where))
    command = [sys.executable, "-c", KILLED_AT, str(OUTSIDE), str(tmp_path), str(folders)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
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


@pytest.mark.parametrize(
    "said",
    [
        "ERROR: No matching distribution found for diffusers==0.42.1",
        "Additionally, some packages in these conflicts have no matching distributions available "
        "for your environment:\n    diffusers==0.42.1",
        "The conflict is caused by:\n    underpaint-daemon 0.1.0 depends on diffusers==0.42.1\n"
        "    The user requested (constraint) diffusers==0.42.1\n\nERROR: ResolutionImpossible",
    ],
)
def test_a_wheelhouse_with_a_hole_is_told_by_the_packages_name(said, monkeypatch):
    monkeypatch.syspath_prepend(str(OUTSIDE))
    import running

    code = f"import sys; print({said!r}); sys.exit(1)"
    with pytest.raises(Exception, match=r"diffusers==0\.42\.1 is not in the package index"):
        running.run([sys.executable, "-c", code], "find the packages")
    for name in ("running", "telling"):
        sys.modules.pop(name, None)
