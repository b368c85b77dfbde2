"""The documentation: it builds without a warning, its links lead somewhere, its examples are
understood; `test_examples.py` runs them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import pytest

from underpaint.cli import forward
from underpaint.cli.guard import Exit
from underpaint.cli.main import build_parser
from underpaint.settings import SETTINGS
from underpaint_daemon.__main__ import main as run_command
from underpaint_daemon.common.defaults.own_file import own_wants
from underpaint_daemon.common.defaults.wants import Wants

from helpers.pages import BLOCK, PAGES, blocks, shell_lines
from helpers.processes import ROOT


def commands() -> list[tuple[str, str]]:
    """The lines that begin with our own command."""
    lines = [(page, line) for line, page in shell_lines().items()]
    return [(page, line) for page, line in lines if re.match(r"underpaint (?!--help)", line)]


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
        found = [found[1] for found in BLOCK.finditer(text)]
        assert set(found) <= tried, page.name
        assert len(found) == len(re.findall(r"^\s*```", text, re.MULTILINE)) / 2, page.name


def test_the_programs_that_shell_blocks_start_are_there():
    """What is no `underpaint`: scripts of this repository with options that they know, or pip."""
    for line, page in shell_lines().items():
        words = shlex.split(line, comments=True)
        if words[0] == "underpaint":
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
