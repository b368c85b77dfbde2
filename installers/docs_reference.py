"""Write docs/reference from the code: commands, the panel's controls, errors.

    python installers/docs_reference.py

The pages lie beside the others, so that they are read where no site is built; a test says when the
code has gone on (`tests/unit/test_walls.py`).
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from underpaint.cli.main import build_parser
from underpaint.errors import REGISTRY
from underpaint_daemon.tools.assets.cli_options import options as texture_options

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
_UI = ROOT / "blender_addon" / "ui"
_SIGNS = 102  # of a page's line, and what a terminal keeps free


def pages() -> dict[str, str]:
    """What each page is to say, by its file's name."""
    return {"command-line.md": command_line(), "panel.md": panel(), "errors.md": errors()}


def command_line() -> str:
    """Every command and its options, as `--help` tells them."""
    parts = [
        "# Command line\n",
        "Made from the program itself (`installers/docs_reference.py`), as `--help` tells it.\n",
    ]
    for name, parser in commands(build_parser(), "underpaint"):
        told = texture_options() if name == "underpaint texture" else parser
        if told.add_help:  # of the others, `underpaint --help` has a line
            parts.append(f"## `{name}`\n\n```text\n{told.format_help().rstrip()}\n```\n")
    return "\n".join(parts)


def commands(
    parser: argparse.ArgumentParser, name: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """A parser and all below it, by their whole names."""
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield from commands(below, f"{name} {word}")


def errors() -> str:
    """Every error code with its fix."""
    rows = [
        f"| `{code.value}` | {entry.hint.replace('|', '/')} | {'yes' if entry.retryable else ''} |"
        for code, entry in REGISTRY.items()
    ]
    head = ["# Errors", "", "The message says what and where; this is how each is mended.", ""]
    table = ["| code | fix | may succeed if tried again |", "| --- | --- | --- |"]
    return "\n".join([*head, *table, *rows, ""])


def panel() -> str:
    """Every property of the panels: its name and what it does, from where they are defined."""
    parts = ["# Panel", "", "Every setting, as its tooltip tells it."]
    for path in sorted(_UI.rglob("*.py")):
        rows = list(_properties(path))
        if rows:
            title = path.stem.replace("_", " ").capitalize()
            table = ["| setting | what it does |", "| --- | --- |", *rows]
            parts += ["", f"## {title}", "", *table]
    return "\n".join([*parts, ""])


def _properties(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Property"):
            words = {word.arg: word.value for word in node.keywords}
            name, told = (_text(words.get(key)) for key in ("name", "description"))
            if name:
                yield f"| {name} | {told} |"


def _text(node: ast.expr | None) -> str:
    return str(node.value).replace("|", "/") if isinstance(node, ast.Constant) else ""


def main() -> int:
    os.environ["COLUMNS"] = str(_SIGNS)  # whatever the terminal here
    os.environ["NO_COLOR"] = "1"  # of Python 3.14, which colours help
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(REFERENCE / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
