"""Behaviours of what is asked of the add-on by scripts, and by Blenders to come. Run by
`addon_behaviours`."""

from __future__ import annotations

import re
from pathlib import Path

import bpy
from addon_tools import addon, draw, settings


def what_the_docs_show_for_scripts_in_blender_runs():
    pages = Path(__file__).resolve().parents[4] / "docs"
    text = (pages / "scripts.md").read_text(encoding="utf-8")
    found = re.findall(r"^```py\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(found) == 2
    for code in found:
        exec(code, {})
    assert settings().results[-1].image is not None
    assert bpy.data.objects["Cube"].active_material.underpaint.layers[0].opacity < 1


def a_blender_newer_than_those_of_the_tests_is_told_apart():
    panels = addon("ui.panels")
    newest = panels._TRIED
    assert not any("Not tried" in text for text in draw("UNDERPAINT_PT_main").texts)
    try:
        panels._TRIED = (4, 1)
        assert any("Not tried" in text for text in draw("UNDERPAINT_PT_main").texts)
    finally:
        panels._TRIED = newest


BEHAVIOURS = (
    what_the_docs_show_for_scripts_in_blender_runs,
    a_blender_newer_than_those_of_the_tests_is_told_apart,
)
