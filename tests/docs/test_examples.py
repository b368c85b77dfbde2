"""What the documentation shows runs: its Python and its shell lines, in the folder of a user."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from underpaint.blenders import find_blenders

from helpers.pages import blocks, shell_lines
from helpers.processes import ROOT
from helpers.users_folder import TEXELS, fill

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SCENES = Path(__file__).with_name("scenes_of_a_user.py")
THIS_RUN = ("python3 installers/bootstrap.py demo", "python3 installers/bootstrap.py test")
"""The tests themselves, and what `scenes` does after an installation."""
RUN_ELSEWHERE = {
    "python installers/build_extension.py": ("helpers/built_once.py", "build_extension.py"),
    "python3.11 installers/build_wheelhouse.py": ("blender/test_install.py", "build_wheelhouse.py"),
    "blender --background --python blender_addon/scripts/capture_cli.py": (
        "blender/test_capture.py",
        "capture_cli.py",
    ),
    "pip install underpaint-daemon": ("packages/test_wheels.py", '"pip", "install"'),
    'pip install "underpaint[images]"': ("packages/test_wheels.py", '"pip", "install"'),
}
"""How lines begin that install gigabytes, start the suite itself or want a Blender that is a
program: the file of the tests that runs what they run, and by which word it names that."""
ADDED = {
    # As they stand: half a minute of a core for each mesh.
    "underpaint texture": f"--views 2 --view-size 64 --size {TEXELS}",
    # As it stands: 48 frames.
    "underpaint render shot.blend --frames 1:48": "--frames 1:25:24 --size 64",
}
"""What is added to lines that begin so: options that hold in place of those on the page, or of
their defaults, and make it less work."""
LINES = [
    (page, line)
    for line, page in shell_lines().items()
    if not line.startswith((*THIS_RUN, *RUN_ELSEWHERE))
]
MADE = {
    "generate": {".png"},
    "render": {".png"},
    "upscale": {".png"},
    "outpaint": {".png"},
    "texture": {".png", ".glb"},
}
"""What lies in the folder of `--out` after a command."""


@dataclass(frozen=True)
class User:
    """`home`: where the lines are typed; `env`: the variables there."""

    home: Path
    env: dict[str, str]

    def runs(self, command: str | list[str]) -> str:
        """What a command prints."""
        done = subprocess.run(
            command,
            shell=isinstance(command, str),
            cwd=self.home,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def files(self) -> set[Path]:
        return {path for path in self.home.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """One user with folders of their own, and one daemon for all pages."""
    folder = tmp_path_factory.mktemp("user")
    home, data = folder / "home", folder / "data"
    home.mkdir()
    fill(home, data / "models")
    env = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "UNDERPAINT_DATA": str(data),
        "UNDERPAINT_CACHE": str(folder / "cache"),
        "UNDERPAINT_PYTHON": sys.executable,
    }
    yield User(home, env)
    subprocess.run(["underpaint", "daemon", "stop"], env=env, check=False)


@pytest.fixture(scope="module")
def scenes(user: User) -> None:
    """What Blender makes; the demo without what installs it."""
    if not find_blenders():
        pytest.skip("no Blender on this machine")
    user.runs(find_blenders()[-1].command(SCENES, [str(user.home)]))
    demo = ROOT / "installers" / "demo.py"
    user.runs([sys.executable, str(demo), "--out", str(user.home / "demo_out")])


@pytest.mark.parametrize(("page", "line"), LINES, ids=lambda value: value[:50])
def test_the_lines_that_pages_show_run(page: str, line: str, user: User, scenes: None):
    """In reading order: a line may go on with what one before it has made."""
    before = user.files()
    more = (options for start, options in ADDED.items() if line.startswith(start))
    assert user.runs(" ".join([line, *more])), page
    words = shlex.split(line)
    if words[1] not in MADE:
        return
    out = user.home / words[words.index("--out") + 1]
    made = {path for path in user.files() - before if out in path.parents}
    assert {path.suffix for path in made} >= MADE[words[1]], page
    for picture in (path for path in made if path.suffix == ".png"):
        with Image.open(picture) as image:
            image.load()
    assert all(path.read_bytes()[:4] == b"glTF" for path in made if path.suffix == ".glb")


def test_a_line_that_is_not_run_here_is_run_by_a_test():
    for start, (file, named) in RUN_ELSEWHERE.items():
        assert any(line.startswith(start) for line in shell_lines()), start
        assert named in (ROOT / "tests" / file).read_text(encoding="utf-8"), start


@pytest.mark.parametrize(("page", "code"), list(blocks("python")), ids=lambda value: value[:20])
def test_the_python_that_pages_show_runs(page: str, code: str, user: User):
    user.runs([sys.executable, "-c", code])
