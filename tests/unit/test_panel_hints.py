"""What the panel shows of an error speaks of buttons: what is for a terminal stands in brackets,
and the panel leaves it out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from underpaint.errors import REGISTRY, ErrorCode, RequestError

ROOT = Path(__file__).resolve().parents[2]
FOR_A_TERMINAL = re.compile(r"(?<![\w-])--[a-z]|`|UNDERPAINT_[A-Z]|\bunderpaint [a-z]+ ")
AT_A_TERMINAL_ALONE = ("cli", "tools", "scripts", "serve.py")
OWN_HINTS = "errors.py"  # tested one by one: some are for terminals alone


def panel(hint):
    return RequestError(ErrorCode.BAD_REQUEST, "something", hint=hint).panel_hint


def hints():
    """Every sentence of the code: hints, and what else may be shown like one."""
    for folder in ("protocol/underpaint", "daemon/underpaint_daemon", "blender_addon"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if file.name != OWN_HINTS and not set(file.parts) & set(AT_A_TERMINAL_ALONE):
                yield from ((file, text) for text in _sentences(ast.parse(file.read_text())))


def _sentences(tree):
    told = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    inside = [v for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for v in node.values]
    skipped = {id(node) for node in (*told, *inside)}
    for node in ast.walk(tree):
        if id(node) not in skipped and re.match(r"[A-Z].* .*\.$", text := _text(node), re.DOTALL):
            yield text


def _text(node):
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(value) or "X" for value in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_what_is_for_a_terminal_is_left_out_whole():
    for hint, shown in (
        ("Give one (--reference A@B; in Python, R(model=...)), or none.", "Give one, or none."),
        ("Correct it there (`underpaint config list` prints all).", "Correct it there."),
        ("Scale the mesh (in metres).", "Scale the mesh (in metres)."),
    ):  # fmt: skip
        assert panel(hint) == shown


def test_no_hint_of_the_panel_speaks_of_a_terminal():
    found = list(hints())
    assert len(found) > 150
    wrong = [(file.name, text) for file, text in found if FOR_A_TERMINAL.search(panel(text))]
    assert not wrong


@pytest.mark.parametrize("code", sorted(REGISTRY))
def test_no_usual_hint_speaks_of_a_terminal(code):
    assert not FOR_A_TERMINAL.search(panel(REGISTRY[code].hint))
