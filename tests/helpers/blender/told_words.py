"""What the daemon's processes and the installer tell an artist, read from their code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError

ROOT = Path(__file__).resolve().parents[3]
_DAEMON = ROOT / "daemon" / "underpaint_daemon"
_ROOMS = (
    _DAEMON / "worker",
    _DAEMON / "common" / "refusals.py",
    _DAEMON / "common" / "defaults",
    _DAEMON / "server" / "jobs" / "endings.py",
    ROOT / "blender_addon" / "install" / "outside",
)
_TELLS = {"RequestError", "JobFailed", "StepFailed", "warn", "_refuse"}
_SENTENCES = {"remarks.py", "pieces.py"}
"""Whose sentences are made in one place and told in another."""
_NOT_FOR_ARTISTS = (
    "A T2I-Adapter that reads",
    "Marigold:",
    "Model 7 (7) 7",
    "its layer",
    "it ",
    "method grid_sync",
    "method is",
    "pattern.own_uv",
    "the job's 7 is damaged",
    "7 cannot name a result",
    "7: 7",
    "7 7",
)
"""Parts of other sentences, and what only a program can ask for."""
_SOMETHING = "7"


def told_by_others() -> set[str]:
    """Every warning, message and hint, as the panel shows it, with something in its places."""
    files = [f for room in _ROOMS for f in (room.rglob("*.py") if room.is_dir() else [room])]
    found = {text for file in files for text in _told(file)}
    shown = {RequestError(ErrorCode.BAD_REQUEST, "", hint=text).panel_hint for text in found}
    return {text for text in shown if " " in text and not text.startswith(_NOT_FOR_ARTISTS)}


def _told(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) in _TELLS:
            named = [k.value for k in node.keywords if k.arg in ("hint", "message")]
            plain = node.args if _name(node) in ("warn", "StepFailed") else node.args[1:2]
            yield from (text for value in [*plain, *named] if (text := _text(value)))
        if isinstance(node, ast.Return) and file.name in _SENTENCES and node.value is not None:
            yield from filter(None, [_text(node.value)])


def _name(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def _text(node: ast.expr) -> str:
    """A text with something in its places; empty where it is made elsewhere."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = (p.value if isinstance(p, ast.Constant) else _SOMETHING for p in node.values)
    return "".join(str(part) for part in parts)
