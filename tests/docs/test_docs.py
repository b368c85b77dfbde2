"""The documentation: it builds without a warning, its links lead somewhere, its examples run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

from underpaint.cli import forward
from underpaint.cli.guard import Exit
from underpaint.cli.main import build_parser
from underpaint.settings import SETTINGS
from underpaint_daemon.__main__ import main as run_command
from underpaint_daemon.common.defaults.own_file import own_wants
from underpaint_daemon.common.defaults.wants import Wants

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *(
        ROOT / "daemon" / name
        for name in ("README.md", "underpaint_daemon/starter_model/README.md")
    ),
    ROOT / "protocol" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
_FOLDERS = "protocol|daemon|blender_addon|installers|tests"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Each fenced block in a language, with the page that it stands on."""
    for page in PAGES:
        for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            if found[1] == language:
                yield page.name, found[2]


def commands() -> list[tuple[str, str]]:
    lines = [(page, line) for page, text in blocks("sh") for line in _lines(text)]
    ours = [(page, line.removeprefix(".venv/bin/")) for page, line in lines]
    return [(page, line) for page, line in ours if re.match(r"underpaint (?!--help)", line)]


def _lines(text: str) -> list[str]:
    """A shell block's lines; one that ends in a backslash goes on in the next."""
    return text.replace("\\\n", " ").splitlines()


def test_the_site_builds_without_a_warning_or_a_dead_link(tmp_path):
    command = [sys.executable, ROOT / "installers" / "build_docs.py", "--out", tmp_path / "site"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "reference" / "command-line.html").exists()


def test_links_and_pictures_of_the_pages_beside_the_site_are_there():
    for page in (page for page in PAGES if page.parent.name != "docs"):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_paths_that_pages_name_in_code_are_there():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for path in re.findall(
            r"`((?:protocol|daemon|blender_addon|installers|tests)/[\w./-]+)`", text
        ):
            assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_the_page_of_settings_is_the_code():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, known in SETTINGS.items():
        row = f"| `{name}` | {known.default} | `{known.variable}` | {known.told} |"
        assert row in page
    for code in Exit:
        assert f"\n| {int(code)} | " in page
    variables = {
        found
        for folder in ("protocol/underpaint", "daemon/underpaint_daemon", "blender_addon")
        for path in (ROOT / folder).rglob("*.py")
        for found in re.findall(
            r"[\"'](UNDERPAINT_[A-Z_]+|HF_[A-Z]+|XDG_\w+)[\"']", path.read_text()
        )
    }
    ours = {name for name in variables if not re.match(r"UNDERPAINT_(OT|PT|UL|MT|OWN)_", name)}
    assert {"UNDERPAINT_DATA", "UNDERPAINT_PYTHON", "HF_TOKEN"} <= ours
    assert {name for name in ours if f"`{name}`" not in page} == set()


@pytest.mark.parametrize(("page", "line"), commands())
def test_the_command_lines_that_pages_show_are_understood(page: str, line: str):
    words = shlex.split(line, comments=True)[1:]
    if words[0] in forward.COMMANDS:
        usage = _usage(*_named(words))
        unknown = [word for word in words if word.startswith("--") and word not in usage]
        assert unknown == [], f"{page}: {line}"
    else:
        build_parser().parse_args(words)


def test_no_block_of_a_page_is_looked_at_by_nobody():
    """`py` is run in Blenders (by `addon_scripted.py`); `text` is a drawing."""
    tried = {"sh", "python", "py", "json", "text"}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found = [found[1] for found in _BLOCK.finditer(text)]
        assert set(found) <= tried, page.name
        assert len(found) == len(re.findall(r"^\s*```", text, re.MULTILINE)) / 2, page.name


def test_the_programs_that_shell_blocks_start_are_there():
    """What is no `underpaint`: scripts of this repository with options that they know, or pip."""
    for page, line in ((page, line) for page, text in blocks("sh") for line in _lines(text)):
        words = shlex.split(line, comments=True)
        if not words or words[0].removeprefix(".venv/bin/") == "underpaint":
            continue
        scripts = [ROOT / word for word in words if word.endswith(".py")]
        assert words[0] == "pip" or scripts, f"{page}: {line}"
        for script in scripts:
            code = script.read_text(encoding="utf-8")
            its_own = words[words.index("--") + 1 :] if "--" in words else words
            options = [word for word in its_own if word.startswith("--")]
            assert [word for word in options if word not in code] == [], f"{page}: {line}"


@pytest.mark.parametrize(("page", "text"), list(blocks("json")))
def test_the_settings_of_a_model_that_pages_show_are_understood(page: str, text: str, tmp_path):
    (tmp_path / "underpaint.json").write_text(text)
    assert own_wants(tmp_path) != Wants() or "prediction" in json.loads(text), page


@cache
def _usage(*name: str) -> str:
    """What a command says of itself, asked in this process: what they all import is loaded once."""
    with redirect_stdout(StringIO()) as said, pytest.raises(SystemExit) as ended:
        run_command([*name, "--help"])
    assert ended.value.code == 0
    return said.getvalue()


def _named(words: list[str]) -> list[str]:
    """The command's own name: one word, or two for eval and bench."""
    return words[:2] if words[0] in ("eval", "bench") else words[:1]


@pytest.fixture(scope="module")
def a_users_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of a user with folders of their own, and one daemon for all pages."""
    folder = tmp_path_factory.mktemp("user")
    env = {**os.environ, "UNDERPAINT_DATA": f"{folder}/data", "UNDERPAINT_CACHE": f"{folder}/cache"}
    yield env
    stop = [sys.executable, "-m", "underpaint.cli.main", "daemon", "stop"]
    subprocess.run(stop, env=env, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "code"), list(blocks("python")), ids=lambda value: value[:20])
def test_the_python_that_pages_show_runs(page: str, code: str, a_users_own, tmp_path):
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env=a_users_own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{page}:\n{done.stdout}{done.stderr}"
