"""The behaviours that a script for Blender lists."""

from __future__ import annotations

import ast
from pathlib import Path


def behaviours(script: Path) -> list[str]:
    """The names that a script lists, read without importing it: it needs Blender."""
    for node in ast.parse(script.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "BEHAVIOURS":
            return [ast.unparse(name) for name in node.value.elts]
    raise AssertionError("the script lists no behaviours")
