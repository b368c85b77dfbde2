"""The words that the add-on shows in panels, menus and dialogs, read from its code."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from underpaint.errors import ErrorCode, UnderpaintError

ADDON = Path(__file__).resolve().parents[3] / "blender_addon"
_ROOMS = (
    "animation",
    "coverage",
    "editing",
    "following",
    "gallery",
    "install",
    "operators",
    "parts",
    "queue",
    "ui",
)
_SAID = {"text", "placeholder"}
_DRAWN = {"draw_text", "draw_words", "label", "say", "_side"}
_OUTSIDE = {"scripts", "outside"}
_RAISED = {"RequestError", "ConnectionLost", "JobFailed", "ProtocolError", "_refuse"}
_ICON = re.compile(r"[A-Z_0-9]{2,}")


def shown_words() -> set[str]:
    """Labels, buttons, names of properties and of their choices, and what empty fields say."""
    files = [file for room in _ROOMS for file in (ADDON / room).glob("*.py")]
    found = {word for file in files for word in _of(ast.parse(file.read_text(encoding="utf-8")))}
    found |= {*_phases(), *_installing(), *_styles()}
    shown = {word for word in found if re.search(r"[A-Za-z]{2}", word)}
    return {word for word in shown if not _ICON.fullmatch(word)}


def _phases() -> Iterator[str]:
    """What a painting does, as its bar says it."""
    tree = ast.parse((ADDON / "plain" / "progress.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _names(node) == {"PHASES"}:
            yield from (str(value) for value in ast.literal_eval(node.value).values())


def _styles() -> Iterator[str]:
    for file in (ADDON / "styles").glob("*.json"):
        yield from (row["name"] for row in json.loads(file.read_text(encoding="utf-8")))


def _installing() -> Iterator[str]:
    """What the installer says that it does."""
    for file in (ADDON / "install" / "outside").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tell_step":
                yield from _literals(node.args[1])


def told_failures() -> set[str]:
    """What the add-on's own errors say where it is always the same, and every hint there is."""
    files = [file for file in ADDON.rglob("*.py") if not _OUTSIDE & set(file.parts)]
    found = {word for file in files for word in _raised(ast.parse(file.read_text("utf-8")))}
    hints = {UnderpaintError(code, "").panel_hint for code in ErrorCode}
    return (found | hints) - {""}


def _raised(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _names(node) == {"hint"}:
            yield from _literals(node.value)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _RAISED:
            hints = [keyword.value for keyword in node.keywords if keyword.arg == "hint"]
            yield from (word for text in [*node.args, *hints] for word in _literals(text))


def _names(node: ast.Assign) -> set[str]:
    return {target.id for target in node.targets if isinstance(target, ast.Name)}


def unspoken() -> list[str]:
    """English words in a text that is put together without `say`: never translated."""
    files = [file for room in _ROOMS for file in (ADDON / room).glob("*.py")]
    found = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in _SAID:
                words = _put_together(node.value)
                found += [f"{file.name}: {word}" for word in words]
    return found


def _put_together(node: ast.expr) -> list[str]:
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    texts = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
    return [text for text in texts if re.search(r"[A-Za-z]{3}", text)]


def _of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _called(node)
        elif isinstance(node, ast.Assign):
            yield from _assigned(node)
        elif isinstance(node, ast.FunctionDef) and node.name == "_why_empty":
            ends = (part.value for part in ast.walk(node) if isinstance(part, ast.Return))
            yield from (word for end in ends if end is not None for word in _literals(end))
        elif isinstance(node, ast.Tuple):
            yield from _choice(node)


def _called(node: ast.Call) -> Iterator[str]:
    function = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    function = node.func.id if isinstance(node.func, ast.Name) else function
    said = _SAID | ({"name"} if function.endswith("Property") else set())
    for keyword in node.keywords:
        if keyword.arg in said:
            yield from _literals(keyword.value)
    if function in _DRAWN:
        for argument in node.args[function not in ("say", "_side") :]:
            yield from _literals(argument)


def _assigned(node: ast.Assign) -> Iterator[str]:
    names = {target.id for target in node.targets if isinstance(target, ast.Name)}
    if names & {"bl_label", "text", "told"}:
        yield from _literals(node.value)
    if names & {"_STATES", "_FIXES"}:
        yield from (word.value for word in ast.walk(node) if isinstance(word, ast.Constant))


def _choice(node: ast.Tuple) -> Iterator[str]:
    """(IDENTIFIER, name, description) of an enum."""
    words = [item.value for item in node.elts if isinstance(item, ast.Constant)]
    if len(node.elts) == 3 and all(isinstance(word, str) for word in words) and len(words) >= 2:
        identifier, name = words[0], words[1]
        if isinstance(node.elts[0], ast.Constant) and re.fullmatch(r"[A-Z_]+", identifier):
            yield name
    elif len(node.elts) == 3 and len(words) == 2 and isinstance(node.elts[0], ast.Attribute):
        yield words[0]  # (Method.SYNC.value, name, description)


def _literals(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _literals(value)
