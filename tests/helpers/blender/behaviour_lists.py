"""Scripts for Blender list behaviours: read from outside."""

from __future__ import annotations

import ast
from pathlib import Path


def behaviours(script: Path) -> list[str]:
    """The names that a script lists, read without importing it: it needs Blender.

    `*other.BEHAVIOURS` in the list stands for those of the script `other.py` beside it.
    """
    for node in ast.parse(script.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "BEHAVIOURS":
            return [name for item in node.value.elts for name in _named(item, script)]
    raise AssertionError(f"{script.name} lists no behaviours")


def _named(item: ast.expr, script: Path) -> list[str]:
    if isinstance(item, ast.Starred):
        return behaviours(script.with_name(f"{item.value.value.id}.py"))
    return [item.id]
