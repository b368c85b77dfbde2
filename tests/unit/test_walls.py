"""The walls of the house: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "diffusers", "transformers", "peft", "accelerate", "safetensors", "cv2", "scipy"}
BLENDER = {"bpy", "gpu", "mathutils", "bl_ext", "addon_utils", "bpy_extras", "gpu_extras"}
BPY_FILES = {
    line.strip()
    for line in (Path(__file__).parent / "bpy_files.txt").read_text().splitlines()
    if line.strip()
}


def modules(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"no Python files in {folder}"
    return found


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def crossings(files: list[Path], forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imported(path)
        if name in forbidden
    ]


def test_the_protocol_imports_neither_torch_nor_blender_nor_the_daemon():
    assert crossings(modules("protocol"), HEAVY | BLENDER | {"underpaint_daemon"}) == []


def test_the_daemon_imports_torch_only_below_worker_and_never_blender():
    files = modules("daemon")
    outside = [path for path in files if not {"worker", "underpaint_starter"} & set(path.parts)]
    assert crossings(outside, HEAVY) == []
    assert crossings(files, BLENDER) == []


def test_the_addon_never_imports_the_daemon_and_blender_only_where_listed():
    files = modules("blender_addon")
    assert crossings(files, HEAVY | {"underpaint_daemon", "PIL"}) == []
    with_blender = {
        path.relative_to(ROOT / "blender_addon").as_posix()
        for path in files
        if BLENDER & set(imported(path))
    }
    assert with_blender == BPY_FILES


@pytest.mark.parametrize("module", ["underpaint", "underpaint_daemon.__main__"])
def test_starting_a_torch_free_process_really_loads_no_torch(module: str):
    code = (
        f"import sys, {module}; print(sorted(set({sorted(HEAVY | BLENDER)}) & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_torchvision_that_would_break_diffusers():
    code = "import importlib.util as u; print(u.find_spec('torchvision'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


def test_nothing_unpickles_what_it_received():
    banned = {"pickle", "dill", "cloudpickle", "shelve", "marshal"}
    files = modules("protocol") + modules("daemon") + modules("blender_addon")
    assert crossings(files, banned) == []
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert "recv_pyobj" not in text
    assert "trust_remote_code=True" not in text
