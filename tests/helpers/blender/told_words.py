"""What the daemon's processes and the installer tell an artist, read from their code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError

ROOT = Path(__file__).resolve().parents[3]
_DAEMON, _CLIENT = ROOT / "daemon" / "underpaint_daemon", ROOT / "protocol" / "underpaint"
_ROOMS = (
    _DAEMON / "worker",
    _DAEMON / "common",
    _DAEMON / "server" / "jobs",
    *(_CLIENT / room for room in ("animation", "conversation", "following", "pictures")),
    *(_CLIENT / f"{name}.py" for name in ("blenders", "client", "job", "launcher")),
    _CLIENT / "wire" / "connection.py",
    *(_CLIENT / "files" / f"{name}.py" for name in ("inputs", "recipe", "saving", "viewfile")),
    ROOT / "blender_addon" / "install" / "outside",
)
_TELLS = {
    *("RequestError", "JobFailed", "ConnectionLost", "ProtocolError", "UnderpaintError"),
    *("StepFailed", "warn", "note", "_refuse"),
}
_TELLS_SECOND = {"_refuse"}
_SENTENCES = {"remarks.py", "pieces.py"}
"""Whose sentences are made in one place and told in another."""
_NOT_FOR_ARTISTS = (
    "'method' is",
    "A T2I-Adapter that reads",
    "Connect again: underpaint",
    "Marigold:",
    "Model 7 (7) 7",
    "At 7 texels a side 7 of the surface",
    "has 7 ",
    "has a ",
    "has no ",
    "is a ",
    "is an ",
    "is no ",
    "is not in ",
    "is pickled",
    "its layer",
    "cannot be read: 7",
    "has 7;",
    "has the noise levels",
    "is missing: 7",
    "is not a JSON",
    "is quantised",
    "it ",
    "names no weights",
    "job 7 was submitted with another",
    "job id 7 does not",
    "mesh.7 ",
    "method grid_sync",
    "method is",
    "pattern.own_uv",
    "the job's 7 is damaged",
    "There is no 7 7",
    "7 cannot name a result",
    "7 is 7",
    "7 is not a buffer",
    "7 is not a kind",
    "7 is not a shape",
    "7 is not a sha",
    "7 is not an id",
    "7 of 7 7 needs",
    "7 7 is not one",
    "7. They are not painted",
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
    tellers = set(_tellers(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) in _TELLS | tellers:
            named = [k.value for k in node.keywords if k.arg in ("hint", "message")]
            first = _name(node) in {"warn", "note", "StepFailed", *tellers} - _TELLS_SECOND
            plain = node.args if first else node.args[1:2]
            yield from (text for value in [*plain, *named] if (text := _text(value)))
        if isinstance(node, ast.Return) and file.name in _SENTENCES and node.value is not None:
            yield from filter(None, [_text(node.value)])


def _tellers(tree: ast.AST) -> Iterator[str]:
    """The functions of a file that make an error of the text that they are given."""
    for made in ast.walk(tree):
        if not isinstance(made, ast.FunctionDef):
            continue
        given = {argument.arg for argument in made.args.args}
        calls = [n for n in ast.walk(made) if isinstance(n, ast.Call) and _name(n) in _TELLS]
        texts = [v for n in calls for v in (*n.args, *(k.value for k in n.keywords))]
        if any(isinstance(text, ast.Name) and text.id in given - {"error"} for text in texts):
            yield made.name


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
