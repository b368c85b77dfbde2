"""Blender runs a script of the tests' own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from underpaint.blenders import find_blenders


def blender_says(script: Path, *words: str) -> None:
    """Have the newest Blender run `script WHAT FOLDER`; FOLDER is there afterwards."""
    if not find_blenders():
        pytest.skip("no Blender on this machine")
    done = subprocess.run(
        find_blenders()[-1].command(script, words), capture_output=True, text=True, check=False
    )
    # Blender as a Python module may crash when it is torn down, after its work.
    assert Path(words[1]).exists(), done.stdout + done.stderr
