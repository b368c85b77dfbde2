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
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from underpaint.cli.main import build_parser
from underpaint.errors import REGISTRY
from underpaint_daemon.tools.assets.cli_options import options as texture_options

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
_ADDON = ROOT / "blender_addon"
_SIGNS = 102  # of a page's line, and what a terminal keeps free


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
    """Every setting and button of the add-on: its name and what it does, from where it is
    defined."""
    parts = ["# Panel", "", "Every setting and every button, as its tooltip tells it."]
    rooms = defaultdict[tuple[str, str], dict[str, None]](dict)
    for path in sorted(_ADDON.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        buttons = [node for node in ast.walk(tree) if _is_button(node)]
        within = {node for button in buttons for node in ast.walk(button)}
        settings = [node for node in ast.walk(tree) if node not in within]
        title = _title(path)
        rooms[title, "setting"] |= dict.fromkeys(row for one in settings for row in _setting(one))
        rooms[title, "button"] |= dict.fromkeys(row for one in buttons for row in _button(one))
    for (title, what), rows in rooms.items():
        if rows:
            table = [f"| {what} | what it does |", "| --- | --- |", *rows]
            parts += ["", f"## {title}: {what}s", "", *table]
    return "\n".join([*parts, ""])


def _title(path: Path) -> str:
    """The room's name; of those that hold what is no feature by itself, the file's."""
    room = path.relative_to(_ADDON).parts[0].removesuffix(".py")
    name = path.stem.removesuffix("properties").strip("_") if room in ("ui", "operators") else room
    return (name or "painting").replace("_", " ").capitalize()


def _is_button(node: ast.AST) -> TypeGuard[ast.ClassDef]:
    if not isinstance(node, ast.ClassDef) or not _named(node, "bl_idname"):
        return False
    return any("Operator" in ast.unparse(base) for base in node.bases)


def _setting(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Property"):
        words = {word.arg: word.value for word in node.keywords}
        name, told = (_text(words.get(key)) for key in ("name", "description"))
        if name:
            yield f"| {name} | {told} |"


def _button(made: ast.ClassDef) -> Iterator[str]:
    told = _named(made, "bl_description") or ast.get_docstring(made) or ""
    if label := _named(made, "bl_label"):
        yield f"| {label} | {' '.join(told.split()).replace('|', '/')} |"


def _named(made: ast.ClassDef, name: str) -> str:
    """The text that a class says of itself by a name."""
    values = (node.value for node in made.body if isinstance(node, ast.Assign)
              and [getattr(target, "id", "") for target in node.targets] == [name])  # fmt: skip
    return next((_text(value) for value in values), "")


def _text(node: ast.expr | None) -> str:
    return str(node.value).replace("|", "/") if isinstance(node, ast.Constant) else ""


PAGES = {"command-line.md": command_line, "panel.md": panel, "errors.md": errors}
"""What makes each page, by its file's name."""


def main() -> int:
    os.environ["COLUMNS"] = str(_SIGNS)  # whatever the terminal here
    os.environ["NO_COLOR"] = "1"  # of Python 3.14, which colours help
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
        print(REFERENCE / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
